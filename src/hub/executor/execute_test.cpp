// Whole jobs in a folder, as the job process carries them out, on the tiny models of tests/golden and on models made
// here. Python's ONNX Runtime and the official client's own reader are the oracles.
#include "hub/executor/execute.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/domain/job_rules.hpp"
#include "hub/executor/dataset_h5.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/testing/python.hpp"
#include "runtime/profiling.hpp"
#include "runtime/session.hpp"
#include "tensor/npz.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
namespace tiny = compile::onnx_graph::testing;
using domain::FailureType;
using domain::JobOutcome;
using domain::ModelType;
using domain::kinds::Compile;
using domain::kinds::Inference;
using domain::kinds::Inspect;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::run_python;
using ::testing::SizeIs;

domain::Device this_cpu() {
  domain::Device device;
  device.name = "this CPU";
  device.presence = domain::DevicePresence::kAttached;
  return device;
}

domain::Device snapdragon() {
  domain::Device device;
  device.name = "Samsung Galaxy S24 (Family)";
  device.chip = {.name = "sm8650", .soc_model = 57, .htp_arch = 75, .supports_fp16 = true};
  return device;
}

class Execute : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = base::TemporaryFolder::create("slipway-execute-test-");
    ASSERT_TRUE(folder);
    root_.emplace(std::move(*folder));
    for (const char* name : {"in", "work", "out"}) fs::create_directories(job() / name);
    const auto libraries = runtime::locate_libraries();
    if (libraries) tools_.libraries = *libraries;
    tools_.slipway_version = "test";
    tools_.open_environment = [libraries]() -> base::Result<std::shared_ptr<runtime::Environment>> {
      if (!libraries) return std::unexpected(libraries.error());
      return runtime::Environment::open(*libraries);
    };
    spec_ = spec_of_a_model();
  }
  static domain::JobSpec spec_of_a_model() {
    domain::JobSpec spec;
    spec.job.id = "jtest";
    spec.models.resize(1);
    spec.models[0].model.type = ModelType::kOnnx;
    spec.models[0].file = "model.onnx";
    return spec;
  }
  static Inference profiling() {
    Inference inference;
    inference.is_profiling = true;
    return inference;
  }
  static const domain::kinds::RunResult& run_result(const JobOutcome& outcome) {
    return *domain::part<domain::kinds::RunResult>(outcome.result);
  }
  /// What is to run where, as the hub says when it hands the job out.
  void plan() {
    domain::JobFacts facts;
    facts.options = spec_.options;
    facts.models = {{.model = spec_.models[0].model, .origin = origin_}};
    if (spec_.job.device) facts.devices = {*spec_.job.device};
    const auto planned = domain::plan(spec_.job.payload, facts);
    ASSERT_TRUE(planned) << planned.error().message;
    spec_.plan = *planned;
  }
  [[nodiscard]] fs::path job() const { return root_->path() / "job"; }
  [[nodiscard]] fs::path out(const std::string& name) const { return job() / "out" / name; }
  [[nodiscard]] fs::path model() const { return job() / "in" / "model.onnx"; }

  JobOutcome run() {
    plan();
    return carry_out_as_planned();
  }
  JobOutcome carry_out_as_planned() {
    log_.clear();
    const auto before = fs::current_path();
    fs::current_path(job() / "work");  // the compiler leaves files in the working folder
    auto outcome = execute(spec_, job(), tools_, [&](std::string_view line) { log_.emplace_back(line); });
    fs::current_path(before);
    return outcome;
  }
  /// Outputs of an earlier run are in the way of the next.
  void clear() {
    for (const char* name : {"work", "out"}) {
      fs::remove_all(job() / name);
      fs::create_directories(job() / name);
    }
  }
  domain::Inspection inspect() {
    spec_.job.payload = Inspect{};
    const auto outcome = run();
    EXPECT_TRUE(outcome.succeeded) << outcome.failure_reason;
    return std::get<Inspect::Result>(outcome.result).inspection.value_or(domain::Inspection{});
  }
  void need_npu() {
    if (tools_.libraries.qnn_folder.empty()) GTEST_SKIP() << "needs the QNN provider (make setup)";
  }

  std::optional<base::TemporaryFolder> root_;
  Tools tools_;
  domain::JobSpec spec_;
  std::optional<domain::Origin> origin_;
  std::vector<std::string> log_;
};

// -------------------------------------------------------------------------------------------------------- inspections

TEST_F(Execute, inspects_an_onnx_model) {
  tiny::write(model(), tiny::conv_net(true));
  const auto found = inspect();
  EXPECT_EQ(found.format, "onnx");
  EXPECT_THAT(found.error, IsEmpty());
  ASSERT_THAT(found.inputs, SizeIs(1));
  EXPECT_EQ(found.inputs[0].spec.name, "image");
  EXPECT_EQ(found.inputs[0].spec.shape, (tensor::Shape{-1, 3, 16, 16}));
  EXPECT_EQ(found.outputs.at(0).spec.name, "scores");
}

TEST_F(Execute, inspects_a_folder_with_external_data) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
    z.writestr("net.onnx/", "")
    z.write("tests/golden/models/external.onnx", "net.onnx/model.onnx")
    z.write("tests/golden/models/external.data", "net.onnx/external.data")
)",
             {model()});
  const auto found = inspect();
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.format, "onnx directory");
  EXPECT_THAT(found.inputs, Not(IsEmpty()));
}

TEST_F(Execute, says_that_external_data_is_missing) {
  fs::copy_file("tests/golden/models/external.onnx", model());
  EXPECT_THAT(inspect().error, ::testing::AllOf(HasSubstr("external.data"), HasSubstr("uploaded as its folder")));
}

TEST_F(Execute, refuses_truncated_empty_random_and_foreign_uploads_in_words) {
  const auto good = tiny::conv_net();
  const std::vector<std::pair<std::string, std::string>> uploads = {
      {"", "the upload is empty"},
      {good.substr(0, good.size() / 2), "declared as an ONNX model"},
      {std::string("\xff\xfe\x00\x01\x80\x90 random", 14), "declared as an ONNX model"},
      {"<html>not found</html>", "found text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "found text"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"PK\x03\x04 cut", "zip"},
  };
  for (const auto& [bytes, words] : uploads) {
    tiny::write(model(), bytes);
    const auto found = inspect();
    EXPECT_THAT(found.error, ::testing::AnyOf(HasSubstr(words), HasSubstr("ONNX"))) << bytes.substr(0, 20);
    EXPECT_THAT(found.error, Not(IsEmpty())) << bytes.substr(0, 20);
    EXPECT_THAT(found.format, IsEmpty());
  }
}

TEST_F(Execute, refuses_external_data_that_climbs_out_of_its_folder) {
  tiny::write(model(), tiny::external_weight_net({{"location", "../../../etc/passwd"}, {"length", "8"}}));
  EXPECT_THAT(inspect().error, HasSubstr("../../../etc/passwd"));
}

TEST_F(Execute, takes_a_model_for_what_it_is_whatever_was_declared) {
  tiny::write(model(), tiny::conv_net());
  spec_.models[0].model.type = ModelType::kTflite;
  const auto found = inspect();
  EXPECT_EQ(found.format, "onnx");
  EXPECT_THAT(found.facts.at("declared"), HasSubstr("TFLite"));
  spec_.models[0].model.type = ModelType::kQnnContextBinary;
  tiny::write(model(), std::string("\x00\x00\x00\x02\x00\x00\x00\x03", 8));
  EXPECT_EQ(inspect().format, "qnn context binary");
  spec_.models[0].model.type = ModelType::kTorchScript;
  EXPECT_THAT(inspect().error, HasSubstr("declared as a TorchScript model, but found bytes of no known format"));
}

TEST_F(Execute, inspects_a_trace_of_pytorch_without_running_it) {
  fs::copy_file("tests/golden/convert/torch_script/picture.pt", model());
  spec_.models[0].model.type = ModelType::kTorchScript;
  const auto found = inspect();
  EXPECT_EQ(found.format, "torchscript");
  EXPECT_THAT(found.error, IsEmpty());
  EXPECT_THAT(found.inputs, IsEmpty()) << "TorchScript declares none";
  EXPECT_EQ(found.facts.at("inputs of the example"), "picture float32[1,8,6,3]");
  EXPECT_THAT(found.facts.at("operators"), HasSubstr("3 aten._convolution"));
}

TEST_F(Execute, finds_hostile_pickles_unusable_and_what_needs_specs_usable) {
  spec_.models[0].model.type = ModelType::kTorchScript;
  fs::copy_file("tests/golden/convert/torch_script/hostile_overlapping.pt", model());
  EXPECT_THAT(inspect().error, HasSubstr("each element at a place of its own"));
  fs::copy_file("tests/golden/convert/torch_script/branch_on_data.pt", model(), fs::copy_options::overwrite_existing);
  const auto found = inspect();
  EXPECT_THAT(found.error, IsEmpty());
  EXPECT_THAT(found.facts.at("not converted"), HasSubstr("the way taken depends on data"));
}

TEST_F(Execute, inspects_a_dataset) {
  spec_.models.clear();
  spec_.dataset_file = "dataset.h5";
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
  ASSERT_TRUE(writer);
  const auto values = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 3, 8, 8}).value();
  for (int sample = 0; sample < 3; ++sample) ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  const auto found = inspect();
  EXPECT_EQ(found.format, "hdf5 dataset");
  EXPECT_EQ(found.entries.at(0).sample_count, 3);
  tiny::write(job() / "in" / "dataset.h5", "no dataset");
  EXPECT_THAT(inspect().error, HasSubstr("a dataset is an HDF5 file, but found text"));
}

// -------------------------------------------------------------------------------------------------------- compilation

TEST_F(Execute, compiles_to_onnx_and_says_that_this_is_the_default) {
  tiny::write(model(), tiny::conv_net(true));
  Compile compile;
  compile.input_specs = {{"picture", tensor::Dtype::kFloat32, {2, 3, 16, 16}, std::nullopt}};
  spec_.job.payload = compile;
  spec_.job.device = this_cpu();
  spec_.options.output_names = {"result"};
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(log_, Contains(HasSubstr("no --target_runtime was given")));
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_file, "target.onnx");
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_inputs.at(0).spec.name, "picture");
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_outputs.at(0).spec.shape, (tensor::Shape{2, 4, 8, 8}));
  ASSERT_THAT(std::get<Compile::Result>(outcome.result).agreement, SizeIs(1));
  EXPECT_LT(std::get<Compile::Result>(outcome.result).agreement[0].max_abs, 1e-5);
  if (!fs::exists(testing::python_program())) return;
  run_python(R"(
import sys, onnxruntime as ort
s = ort.InferenceSession(sys.argv[1])
assert [(i.name, i.shape) for i in s.get_inputs()] == [("picture", [2, 3, 16, 16])]
assert [o.name for o in s.get_outputs()] == ["result"]
)",
             {out("target.onnx")});
}

TEST_F(Execute, compiles_a_trace_of_pytorch_to_what_pytorch_computes) {
  const fs::path golden = fs::absolute("tests/golden/convert/torch_script");
  fs::copy_file(golden / "picture.pt", model());
  spec_.models[0].model.type = ModelType::kTorchScript;
  spec_.job.device = this_cpu();
  Compile compile;
  compile.input_specs = {{"image", tensor::Dtype::kFloat32, {1, 8, 6, 3}, std::nullopt}};
  spec_.job.payload = compile;
  spec_.options.output_names = {"rows", "means"};
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("The TorchScript archive")));
  const auto session = runtime::Session::load(tools_.open_environment().value(), out("target.onnx"), {});
  ASSERT_TRUE(session) << session.error().message;
  auto arrays = tensor::read_npz(golden / "picture.npz").value();
  ASSERT_THAT(arrays, SizeIs(3));
  arrays[0].name = "image";
  tensor::NamedTensors inputs;
  inputs.push_back(std::move(arrays[0]));
  const auto found = (*session)->run(inputs);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_THAT(*found, SizeIs(2));
  EXPECT_EQ((*found)[0].name, "rows");
  for (std::size_t i = 0; i < found->size(); ++i) {
    ASSERT_EQ((*found)[i].tensor.shape(), arrays[i + 1].tensor.shape());
    const std::span<const float> expected = arrays[i + 1].tensor.values<float>();
    const std::span<const float> values = (*found)[i].tensor.values<float>();
    for (std::size_t k = 0; k < values.size(); ++k) ASSERT_NEAR(values[k], expected[k], 1e-5) << i << " " << k;
  }
}

TEST_F(Execute, compiles_external_data_to_one_folder_in_a_zip) {
  SLIPWAY_NEEDS_PYTHON();
  run_python(R"(
import sys, numpy as np, onnx
from onnx import helper as h, TensorProto as T, numpy_helper as nh
w = nh.from_array(np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32), "w")
m = h.make_model(h.make_graph([h.make_node("MatMul", ["x", "w"], ["y"])], "g", [h.make_tensor_value_info("x", T.FLOAT, [1, 512])],
                 [h.make_tensor_value_info("y", T.FLOAT, [1, 512])], [w]), opset_imports=[h.make_opsetid("", 17)], ir_version=8)
import tempfile, zipfile, os
with tempfile.TemporaryDirectory() as d:
    onnx.save(m, d + "/a.onnx", save_as_external_data=True, location="weights.data", size_threshold=0)
    with zipfile.ZipFile(sys.argv[1], "w") as z:
        for f in os.listdir(d): z.write(f"{d}/{f}", "net/" + f)
)",
             {model()});
  spec_.job.payload = Compile{};
  spec_.job.device = this_cpu();
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_file, "target.onnx.zip");
  EXPECT_TRUE(std::get<Compile::Result>(outcome.result).target_is_directory);
  run_python(R"(
import sys, zipfile, tempfile, onnxruntime as ort
z = zipfile.ZipFile(sys.argv[1])
assert sorted(z.namelist()) == ["job_jtest_optimized_onnx/", "job_jtest_optimized_onnx/model.data",
                                "job_jtest_optimized_onnx/model.onnx"], z.namelist()
with tempfile.TemporaryDirectory() as d:
    z.extractall(d); ort.InferenceSession(d + "/job_jtest_optimized_onnx/model.onnx")
)",
             {out("target.onnx.zip")});
}

TEST_F(Execute, a_source_that_onnxruntime_refuses_is_an_invalid_model_whatever_the_target) {
  for (const char* name : {"cycle", "undefined_value", "unknown_domain"}) {
    clear();
    fs::copy_file(fmt::format("tests/golden/compile/{}.onnx", name), model(), fs::copy_options::overwrite_existing);
    spec_.job.payload = Compile{};
    spec_.job.device = this_cpu();
    const auto outcome = run();
    EXPECT_FALSE(outcome.succeeded) << name;
    EXPECT_EQ(outcome.failure_type, FailureType::kModelInvalid) << outcome.failure_reason;
  }
}

TEST_F(Execute, a_result_that_differs_from_its_source_is_kept_with_a_warning) {
  need_npu();
  if (IsSkipped()) return;
  fs::copy_file("tests/golden/compile/q_fp16_overflow.onnx", model(), fs::copy_options::overwrite_existing);
  spec_.job.payload = Compile{};
  spec_.job.device = snapdragon();
  spec_.options.target_runtime = "qnn_context_binary";
  std::optional<JobOutcome> kept;
  tools_.keep = [&](const JobOutcome& so_far) {
    kept = so_far;
    EXPECT_TRUE(fs::exists(out(std::get<Compile::Result>(so_far.result).target_file))) << "before it is compared";
  };
  const auto outcome = run();
  ASSERT_TRUE(kept) << "a process that dies while comparing leaves the model";
  EXPECT_TRUE(kept->succeeded);
  EXPECT_THAT(kept->warnings, ::testing::ElementsAre(HasSubstr("was not compared with its source")));
  EXPECT_THAT(std::get<Compile::Result>(kept->result).companion_files, Contains(::testing::Key("source")));
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(outcome.warnings, ::testing::ElementsAre(HasSubstr("Output 'y' does not agree with the source")));
  ASSERT_THAT(std::get<Compile::Result>(outcome.result).agreement, SizeIs(1));
  EXPECT_LT(std::get<Compile::Result>(outcome.result).agreement[0].snr_db, 20);
  EXPECT_THAT(std::get<Compile::Result>(outcome.result).agreement[0].alarm, HasSubstr("of the peak"));
  EXPECT_TRUE(fs::exists(out(std::get<Compile::Result>(outcome.result).target_file)));
}

TEST_F(Execute, compiles_for_the_npu_and_runs_what_it_made) {
  need_npu();
  if (IsSkipped()) return;
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
  const auto values = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 3, 16, 16}).value();
  ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  const std::vector<std::pair<std::string, ModelType>> targets = {{"precompiled_qnn_onnx", ModelType::kOnnx},
                                                                  {"qnn_context_binary", ModelType::kQnnContextBinary},
                                                                  {"qnn_dlc", ModelType::kQnnDlc}};
  for (const auto& [target, type] : targets) {
    clear();
    tiny::write(model(), tiny::conv_net());
    spec_ = spec_of_a_model();
    origin_.reset();
    spec_.job.payload = Compile{};
    spec_.job.device = snapdragon();
    spec_.options.target_runtime = target;
    const auto compiled = run();
    ASSERT_TRUE(compiled.succeeded) << target << ": " << compiled.failure_reason;
    const auto& made = std::get<Compile::Result>(compiled.result);
    EXPECT_EQ(made.target_metadata.at(31), "v75");
    EXPECT_EQ(made.target_metadata.at(32), "57");
    EXPECT_THAT(made.target_metadata.at(3), ::testing::StartsWith("v2."));
    ASSERT_THAT(made.agreement, SizeIs(1)) << target;
    EXPECT_GT(made.agreement[0].cosine, 0.999) << target;
    EXPECT_THAT(made.agreement_note, HasSubstr("HTP emulator"));

    fs::copy_file(out(made.target_file), model(), fs::copy_options::overwrite_existing);
    for (const auto& [key, name] : made.companion_files) {
      spec_.models[0].companion_files[key] = "companion-" + name;
      fs::copy_file(out(name), job() / "in" / ("companion-" + name), fs::copy_options::overwrite_existing);
    }
    clear();
    spec_.models[0].model.type = type;
    origin_ = domain::Origin{.job_id = "jtest",
                             .source_model_id = "m",
                             .target = domain::target_of(spec_.options),
                             .device = spec_.job.device};
    spec_.models[0].model.metadata = made.target_metadata;
    spec_.job.payload = Inference{};
    spec_.dataset_file = "dataset.h5";
    const auto ran = run();
    ASSERT_TRUE(ran.succeeded) << target << ": " << ran.failure_reason;
    const auto& result = run_result(ran);
    ASSERT_TRUE(result.profile);
    EXPECT_TRUE(result.profile->is_emulated);
    EXPECT_THAT(result.profile->inference.times_us, IsEmpty()) << "an emulator's time is not a device's";
    EXPECT_EQ(result.profile->inference_median_us, 0U);
    EXPECT_THAT(ran.remarks, Contains(HasSubstr("HTP emulator")));
    EXPECT_THAT(log_, Contains(HasSubstr("nodes on the NPU in 1 partition")));
    EXPECT_THAT(log_, Not(Contains(HasSubstr("1 of 1 nodes")))) << "a compiled graph is more than its one node";
    if (type == ModelType::kQnnDlc) {
      EXPECT_THAT(ran.remarks, Contains(HasSubstr("cannot be read back")));
    }
    EXPECT_EQ(result.output_dataset_inspection->entries.at(0).name, "scores");
    EXPECT_EQ(result.output_dataset_inspection->entries.at(0).sample_count, 2);
  }
}

TEST_F(Execute, says_which_operator_the_npu_refuses) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::determinant_net());
  spec_.job.payload = Compile{};
  spec_.job.device = snapdragon();
  spec_.options.target_runtime = "qnn_context_binary";
  const auto outcome = run();
  EXPECT_EQ(outcome.failure_type, FailureType::kQnnToolError);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("Det"));
}

TEST_F(Execute, fails_a_spec_that_does_not_fit_with_expected_and_found) {
  tiny::write(model(), tiny::conv_net());
  Compile compile;
  compile.input_specs = {{"image", tensor::Dtype::kFloat32, {1, 3, 99, 16}, std::nullopt}};
  spec_.job.payload = compile;
  spec_.job.device = this_cpu();
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("image"), HasSubstr("99"), HasSubstr("16")));
}

// ---------------------------------------------------------------------------------------------- inference and profile

TEST_F(Execute, runs_every_sample_as_onnx_runtime_in_python_does) {
  SLIPWAY_NEEDS_PYTHON();
  tiny::write(model(), tiny::lookup_net());
  run_python(R"(
import sys, h5py, numpy as np
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5
with h5py.File(sys.argv[1], "w") as f:
    dataset_entries_to_h5({"ids": [np.arange(6, dtype=np.int64) % (s % 3 + 1) for s in range(12)],
                           "offset": [np.array([s % 2], np.int64) for s in range(12)]}, f)
)",
             {job() / "in" / "dataset.h5"});
  spec_.job.payload = Inference{};
  spec_.job.device = this_cpu();
  spec_.dataset_file = "dataset.h5";
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  run_python(R"(
import sys, h5py, numpy as np, onnxruntime as ort
from qai_hub.util.dataset_entries_converters import h5_to_dataset_entries
model, inputs, outputs = sys.argv[1:]
s = ort.InferenceSession(model)
given, got = (h5_to_dataset_entries(h5py.File(p)) for p in (inputs, outputs))
assert list(got) == [o.name for o in s.get_outputs()], list(got)
for i in range(12):
    want = s.run(None, {k: v[i] for k, v in given.items()})
    for name, w in zip(got, want):
        assert got[name][i].dtype == w.dtype and np.array_equal(got[name][i], w), (i, name)
)",
             {model(), job() / "in" / "dataset.h5", out(run_result(outcome).output_dataset_file)});
  ASSERT_TRUE(run_result(outcome).profile);
  EXPECT_FALSE(run_result(outcome).profile->is_emulated);
  EXPECT_THAT(run_result(outcome).profile->inference.times_us, SizeIs(12))
      << "times are measured with profiling on or off";
  EXPECT_GT(run_result(outcome).profile->inference.peak.upper_bytes, 1U << 20);
  EXPECT_THAT(run_result(outcome).profile->placement, HasSubstr("CPU"));
}

using ExecuteDeathTest = Execute;

TEST_F(ExecuteDeathTest, keeps_the_outputs_of_the_samples_before_the_one_that_never_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  fs::copy_file("tests/golden/models/counting.onnx", model());
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"x", "trips"});
  for (const std::int64_t trips : {3LL, 5LL, 1LL << 60}) {
    auto x = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {}).value();
    auto count = tensor::Tensor::zeros(tensor::Dtype::kInt64, {}).value();
    count.values<std::int64_t>()[0] = trips;
    ASSERT_TRUE(writer->append({&x, &count}));
  }
  ASSERT_TRUE(writer->finish());
  spec_.job.payload = Inference{};
  spec_.job.device = this_cpu();
  spec_.dataset_file = "dataset.h5";
  const auto end_with_what_there_is = [&] {
    tools_.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    tools_.end = [&](const JobOutcome& last) {
      const auto outputs = DatasetReader::open(out(run_result(last).output_dataset_file));
      const bool is_right = last.succeeded && last.warnings.size() == 1 && outputs && outputs->sample_count() == 2 &&
                            outputs->read(0, 0)->values<float>()[0] == 3.0F &&
                            outputs->read(0, 1)->values<float>()[0] == 5.0F;
      if (is_right) std::fputs(last.warnings.front().c_str(), stderr);
      std::_Exit(is_right ? 7 : 1);
    };
    run();
  };
  EXPECT_EXIT(end_with_what_there_is(), ::testing::ExitedWithCode(7),
              "the outputs of 2 of 3 samples are there; sample 2");
}

TEST_F(Execute, names_the_input_that_does_not_fit) {
  tiny::write(model(), tiny::conv_net());
  auto writer = DatasetWriter::create(job() / "in" / "dataset.h5", {"image"});
  const auto values = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 3, 8, 8}).value();
  ASSERT_TRUE(writer->append({&values}));
  ASSERT_TRUE(writer->finish());
  spec_.job.payload = Inference{};
  spec_.job.device = this_cpu();
  spec_.dataset_file = "dataset.h5";
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("image"), HasSubstr("16"), HasSubstr("8")));
}

TEST_F(Execute, profiles_on_the_cpu_with_layers_and_a_trace) {
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = profiling();
  spec_.job.device = this_cpu();
  spec_.options.max_profiler_iterations = 30;
  spec_.options.onnx_options = {{"intra_op_num_threads", "1"}, {"graph_optimization_level", "ORT_ENABLE_BASIC"}};
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  ASSERT_TRUE(run_result(outcome).profile);
  const auto& profile = *run_result(outcome).profile;
  EXPECT_THAT(profile.inference.times_us, Not(IsEmpty()));
  EXPECT_LE(profile.inference.times_us.size(), 30U);
  EXPECT_THAT(profile.cold_load.times_us, Not(IsEmpty()));
  EXPECT_GE(profile.layers.size(), 4U);
  for (const auto& layer : profile.layers) EXPECT_EQ(layer.unit, "CPU");
  EXPECT_THAT(profile.runtime_config, Contains(std::pair<std::string, std::string>("intra_op_num_threads", "1")));
  ASSERT_THAT(outcome.artifacts, SizeIs(1));
  EXPECT_TRUE(fs::exists(out(outcome.artifacts[0].filename)));
  EXPECT_THAT(outcome.remarks, IsEmpty());
}

TEST_F(Execute, a_profile_whose_first_run_passes_the_budget_fails_with_what_was_measured_before) {
  fs::copy_file("tests/golden/models/endless.onnx", model());
  spec_.job.payload = profiling();
  spec_.job.device = this_cpu();
  spec_.options.max_profiler_time = std::chrono::seconds(1);
  std::vector<JobOutcome> kept;
  tools_.keep = [&](const JobOutcome& so_far) { kept.push_back(so_far); };
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_EQ(outcome.failure_type, FailureType::kTimeout);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("no run ended within the 1.0 s"));
  ASSERT_TRUE(run_result(outcome).profile);
  EXPECT_THAT(run_result(outcome).profile->cold_load.times_us, SizeIs(1));
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("Partial: inference could not be measured")));
  EXPECT_THAT(log_, Contains("measuring: inference"));
  ASSERT_THAT(kept, Not(IsEmpty()));
  EXPECT_FALSE(kept.front().succeeded) << "without times it is no profile";
  EXPECT_THAT(run_result(kept.front()).profile.value().cold_load.times_us, SizeIs(1));
}

TEST_F(Execute, keeps_a_profile_as_a_result_once_its_times_are_there) {
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = profiling();
  spec_.job.device = this_cpu();
  spec_.options.max_profiler_iterations = 5;
  std::optional<JobOutcome> kept;
  tools_.keep = [&](const JobOutcome& so_far) { kept = so_far; };
  tools_.memory_bytes = 1'000'000;  // less than a run takes: there is no room for a trace
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("Partial: layers could not be measured")));
  EXPECT_THAT(run_result(outcome).profile.value().layers, Not(IsEmpty())) << "where each one ran is known";
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->succeeded);
  EXPECT_THAT(run_result(*kept).profile.value().inference.times_us, SizeIs(5));
}

TEST_F(Execute, names_random_inputs_when_a_profile_fails_on_them) {
  fs::copy_file("tests/golden/models/demanding.onnx", model());
  spec_.job.payload = profiling();
  spec_.job.device = this_cpu();
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason,
              ::testing::AllOf(HasSubstr("the inputs were random"), HasSubstr("inference job")));
}

TEST_F(Execute, an_emulated_profile_has_placement_and_estimate_but_no_times) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = profiling();
  spec_.job.device = snapdragon();
  spec_.job.device->chip = {.name = "sa8255", .soc_model = 52, .htp_arch = 73, .supports_fp16 = true};
  spec_.options.qnn_options["context_enable_graphs"] = "face";
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  ASSERT_TRUE(run_result(outcome).profile);
  for (const auto* phase : {&run_result(outcome).profile->compile, &run_result(outcome).profile->cold_load,
                            &run_result(outcome).profile->warm_load, &run_result(outcome).profile->inference}) {
    EXPECT_THAT(phase->times_us, IsEmpty());
    EXPECT_EQ(phase->peak.upper_bytes, 0U);
  }
  EXPECT_THAT(run_result(outcome).profile->layers, Not(IsEmpty()));
  for (const auto& layer : run_result(outcome).profile->layers) EXPECT_FALSE(layer.time_us) << layer.name;
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("no time was measured")));
  EXPECT_THAT(outcome.remarks, Contains(HasSubstr("context_enable_graphs=face has no effect")));
  EXPECT_THAT(outcome.remarks, Not(Contains(HasSubstr("were measured on"))));
  ASSERT_TRUE(run_result(outcome).compiler_estimate);
  EXPECT_GT(run_result(outcome).compiler_estimate->nominal_us, 0);
  EXPECT_THAT(outcome.artifacts,
              Contains(::testing::Field(&JobOutcome::File::type, domain::ArtifactType::kQhasSummary)));
}

TEST_F(Execute, forbids_the_cpu_when_the_compute_unit_leaves_it_out) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::determinant_net());
  spec_.job.payload = profiling();
  spec_.job.device = snapdragon();
  const auto allowed = run();
  ASSERT_TRUE(allowed.succeeded) << allowed.failure_reason;
  EXPECT_THAT(run_result(allowed).profile->placement, HasSubstr("2 of 3 nodes on the NPU"));
  EXPECT_THAT(allowed.remarks, Contains(HasSubstr("1 of 3 nodes ran on the CPU")));
  clear();
  spec_.options.allow_cpu = false;
  const auto forbidden = run();
  EXPECT_FALSE(forbidden.succeeded);
  EXPECT_THAT(forbidden.failure_reason, HasSubstr("determinant"));
}

// What the domain decided is done, even where the options or the device speak for something else.
TEST_F(Execute, obeys_the_plan_and_nothing_else) {
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = profiling();
  spec_.job.device = snapdragon();
  spec_.options.max_profiler_iterations = 2;
  spec_.plan = domain::ExecutionPlan{.runs_on = domain::ExecutionTarget::kCpu};
  const auto outcome = carry_out_as_planned();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_FALSE(run_result(outcome).profile->is_emulated);
  EXPECT_THAT(run_result(outcome).profile->placement, HasSubstr("CPU"));
}

// An emulator stays one, whatever a plan calls it: no figure of it may become a device's.
TEST_F(Execute, never_shows_a_time_of_the_emulator_even_if_the_plan_says_measured) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = profiling();
  spec_.job.device = snapdragon();
  spec_.plan = domain::ExecutionPlan{.runs_on = domain::ExecutionTarget::kHtp,
                                     .provider = domain::Provider::kQnn,
                                     .fallback_allowed = true,
                                     .figures = domain::Figures::kMeasured};
  const auto outcome = carry_out_as_planned();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_TRUE(run_result(outcome).profile->is_emulated);
  EXPECT_THAT(run_result(outcome).profile->inference.times_us, IsEmpty());
}

TEST_F(Execute, fails_a_spec_without_a_plan) {
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = Inference{};
  const auto outcome = carry_out_as_planned();
  EXPECT_EQ(outcome.failure_type, FailureType::kInternal);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("no plan"));
}

TEST(FailureOf, goes_by_the_reason_and_not_by_the_text) {
  const auto type = [](base::Error error, Step step = Step::kRun) { return failure_of(error, step).type; };
  EXPECT_EQ(type({base::Code::kResourceExhausted, "x", base::Reason::kOutOfDisk}), FailureType::kOutOfDisk);
  EXPECT_EQ(type({base::Code::kResourceExhausted, "x", base::Reason::kOutOfMemory}), FailureType::kOutOfMemory);
  EXPECT_EQ(type({base::Code::kPermissionDenied, "x", base::Reason::kReadOnly}), FailureType::kInternal);
  EXPECT_EQ(type({base::Code::kResourceExhausted, "a sample is named \"No space left\""}, Step::kReadData),
            FailureType::kInvalidInputs);
  const base::Error unloadable{base::Code::kInternal, "the result was made but cannot be loaded on the CPU"};
  EXPECT_EQ(type(unloadable, Step::kCompile), FailureType::kQnnToolError);
  EXPECT_EQ(type(unloadable, Step::kLoad), FailureType::kRuntimeUnknown) << "no tool of Qualcomm's was asked";
}

}  // namespace
}  // namespace slipway::hub::executor

int main(int argc, char** argv) {
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
