// Compilations, whole, on the tiny models of tests/golden and on models made here. Python's ONNX Runtime is the oracle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/datasets/testing/python.hpp"
#include "hub/executor/testing/job_folder.hpp"
#include "runtime/session.hpp"
#include "tensor/npz.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetWriter;
namespace tiny = compile::onnx_graph::testing;
using datasets::testing::run_python;
using domain::FailureType;
using domain::JobOutcome;
using domain::ModelType;
using domain::kinds::Compile;
using domain::kinds::Inference;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::snapdragon;
using testing::this_cpu;

class CompileJob : public testing::JobFolderTest {};

TEST_F(CompileJob, compiles_to_onnx_and_says_that_this_is_the_default) {
  tiny::write(model(), tiny::conv_net(true));
  Compile compile;
  compile.input_specs = {{"picture", tensor::Dtype::kFloat32, {2, 3, 16, 16}, std::nullopt}};
  set_job(compile, this_cpu());
  spec_.options.output_names = {"result"};
  const auto outcome = run();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(log_, Contains(HasSubstr("no --target_runtime was given")));
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_file, "target.onnx");
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_inputs.at(0).spec.name, "picture");
  EXPECT_EQ(std::get<Compile::Result>(outcome.result).target_outputs.at(0).spec.shape, (tensor::Shape{2, 4, 8, 8}));
  ASSERT_THAT(std::get<Compile::Result>(outcome.result).agreement, SizeIs(1));
  EXPECT_LT(std::get<Compile::Result>(outcome.result).agreement[0].max_abs, 1e-5);
  if (!fs::exists(datasets::testing::python_program())) return;
  run_python(R"(
import sys, onnxruntime as ort
s = ort.InferenceSession(sys.argv[1])
assert [(i.name, i.shape) for i in s.get_inputs()] == [("picture", [2, 3, 16, 16])]
assert [o.name for o in s.get_outputs()] == ["result"]
)",
             {out("target.onnx")});
}

TEST_F(CompileJob, compiles_a_trace_of_pytorch_to_what_pytorch_computes) {
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

TEST_F(CompileJob, compiles_external_data_to_one_folder_in_a_zip) {
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
  set_job(Compile{}, this_cpu());
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

TEST_F(CompileJob, a_source_that_onnxruntime_refuses_is_an_invalid_model_whatever_the_target) {
  for (const char* name : {"cycle", "undefined_value", "unknown_domain"}) {
    clear();
    fs::copy_file(fmt::format("tests/golden/compile/{}.onnx", name), model(), fs::copy_options::overwrite_existing);
    set_job(Compile{}, this_cpu());
    const auto outcome = run();
    EXPECT_FALSE(outcome.succeeded) << name;
    EXPECT_EQ(outcome.failure_type, FailureType::kModelInvalid) << outcome.failure_reason;
  }
}

TEST_F(CompileJob, a_result_that_differs_from_its_source_is_kept_with_a_warning) {
  need_npu();
  if (IsSkipped()) return;
  fs::copy_file("tests/golden/compile/q_fp16_overflow.onnx", model(), fs::copy_options::overwrite_existing);
  set_job(Compile{}, snapdragon());
  spec_.options.target_runtime = "qnn_context_binary";
  std::optional<JobOutcome> kept;
  tools_.store = [&](const JobOutcome& so_far) {
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

TEST_F(CompileJob, compiles_for_the_npu_and_runs_what_it_made) {
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
    set_job(Compile{}, snapdragon());
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
    EXPECT_TRUE(result.profile->place().is_emulated);
    EXPECT_THAT(result.profile->figures().inference.times_us, IsEmpty()) << "an emulator's time is not a device's";
    EXPECT_EQ(result.profile->figures().inference_median_us, 0U);
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

TEST_F(CompileJob, says_which_operator_the_npu_refuses) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::determinant_net());
  set_job(Compile{}, snapdragon());
  spec_.options.target_runtime = "qnn_context_binary";
  const auto outcome = run();
  EXPECT_EQ(outcome.failure_type, FailureType::kQnnToolError);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("Det"));
}

TEST_F(CompileJob, fails_a_spec_that_does_not_fit_with_expected_and_found) {
  tiny::write(model(), tiny::conv_net());
  Compile compile;
  compile.input_specs = {{"image", tensor::Dtype::kFloat32, {1, 3, 99, 16}, std::nullopt}};
  set_job(compile, this_cpu());
  const auto outcome = run();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_THAT(outcome.failure_reason, ::testing::AllOf(HasSubstr("image"), HasSubstr("99"), HasSubstr("16")));
}

}  // namespace
}  // namespace slipway::hub::executor
