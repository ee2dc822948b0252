#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "hub/domain/job_rules.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;
using base::testing::value_of;
using tensor::Dtype;
using ::testing::HasSubstr;

Device snapdragon(const std::string& name = "Samsung Galaxy S24", int soc_model = 57, int htp_arch = 75) {
  Device device;
  device.name = name;
  device.os = "14";
  device.chip = {.name = "sm8650",
                 .soc_model = soc_model,
                 .htp_arch = htp_arch,
                 .supports_fp16 = true,
                 .supports_weight_sharing = true};
  return device;
}

Device tablet() {
  Device device = snapdragon("Samsung Galaxy Tab S7", 21, 66);
  device.chip.name = "sm8250-ab";
  return device;
}

Device machine() {
  Device device;
  device.name = "AMD EPYC";
  device.presence = DevicePresence::kAttached;
  return device;
}

ModelTensor input(const std::string& name, Dtype dtype, tensor::Shape shape) {
  return {.spec = {.name = name, .dtype = dtype, .shape = std::move(shape), .quantization = {}}, .graph_name = ""};
}

Model face_model() {
  Model model;
  model.id = "m1";
  model.upload = UploadState::kComplete;
  model.inspection.emplace().format = "onnx";
  model.inspection->inputs = {input("image", Dtype::kFloat32, {-1, 3, 256, 256}), input("size", Dtype::kInt64, {2})};
  return model;
}

tensor::TensorSpec spec(const std::string& name, Dtype dtype, tensor::Shape shape) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .quantization = {}};
}

Dataset face_data() {
  Dataset dataset;
  dataset.id = "d1";
  dataset.inspection.emplace().format = "hdf5 dataset";
  dataset.inspection->entries = {
      {.name = "image", .dtype = Dtype::kFloat32, .shapes = {{1, 3, 256, 256}}, .sample_count = 2},
      {.name = "size", .dtype = Dtype::kInt64, .shapes = {{2}}, .sample_count = 2}};
  return dataset;
}

// A submission with what the hub would have looked up about it.
struct Asked : JobFacts {
  JobPayload payload;
  Model& model() { return models.at(0).model; }
  std::optional<Origin>& origin() { return models.at(0).origin; }
};

Result<Verdict> judge(const Asked& asked) {
  return domain::judge(asked.payload, asked);
}

Asked compile_for(const Device& device, const std::string& options) {
  Asked asked;
  asked.payload = kinds::Compile{};
  asked.options = parse_options(kinds::Compile::kEntry, options).value();
  asked.models = {{.model = face_model(), .origin = {}}};
  asked.devices = {device};
  asked.frameworks = {{.name = "QAIRT", .api_version = "2.50", .api_tags = {"default"}, .full_version = "2.50.0"}};
  asked.offers = offers_of({machine()}, asked.frameworks);
  return asked;
}

Asked run_on(const Device& device, const std::string& options, bool with_data) {
  Asked asked = compile_for(device, "");
  kinds::Profile profile;
  profile.is_profiling = true;
  asked.payload = profile;
  asked.options = parse_options(kinds::Profile::kEntry, options).value();
  if (with_data) asked.dataset = face_data();
  return asked;
}

Origin made_by(CompileTarget target, const Device& device) {
  return {.job_id = "j1", .source_model_id = "msource", .target = target, .device = device};
}

void expect_refused(const Asked& facts, Code code, const std::string& says) {
  const auto verdict = judge(facts);
  ASSERT_FALSE(verdict) << "expected: " << says;
  EXPECT_EQ(verdict.error().code, code) << verdict.error().message;
  EXPECT_THAT(verdict.error().message, HasSubstr(says));
}

TEST(JudgeCompile, takes_onnx_for_every_device_and_any_agent) {
  for (const Device& device : {snapdragon(), tablet(), machine()}) {
    const auto verdict = value_of(judge(compile_for(device, "--target_runtime onnx")));
    EXPECT_EQ(verdict.fails_as, FailureType::kUnspecified);
    EXPECT_EQ(verdict.needs, "");
  }
}

TEST(JudgeCompile, says_in_the_log_that_the_target_is_onnx_when_none_is_given) {
  EXPECT_THAT(judge(compile_for(snapdragon(), ""))->remarks,
              ::testing::ElementsAre("no --target_runtime given: the target is onnx"));
  EXPECT_TRUE(judge(compile_for(snapdragon(), "--target_runtime onnx"))->remarks.empty());
}

TEST(JudgeCompile, names_in_the_log_what_has_no_effect_on_onnx) {
  EXPECT_THAT(
      judge(compile_for(snapdragon(), "--target_runtime onnx --qnn_graph_name face --qairt_version latest"))->remarks,
      ::testing::ElementsAre(
          "without effect on the target onnx: --qnn_options context_enable_graphs, --qairt_version"));
  EXPECT_THAT(judge(compile_for(snapdragon(), "--target_runtime onnx --compute_unit npu"))->remarks,
              ::testing::ElementsAre("without effect on the target onnx: --compute_unit"));
  EXPECT_TRUE(judge(compile_for(snapdragon(), "--target_runtime qnn_dlc --qairt_version latest"))->remarks.empty());
}

TEST(JudgeCompile, gives_npu_targets_to_an_agent_with_the_compiler) {
  for (const char* target : {"precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"}) {
    const auto verdict = value_of(judge(compile_for(snapdragon(), std::string("--target_runtime ") + target)));
    EXPECT_EQ(verdict.needs, "qnn");
  }
  auto facts = compile_for(snapdragon(), "--target_runtime qnn_dlc");
  facts.offers.clear();
  expect_refused(facts, Code::kFailedPrecondition, "no agent of this hub offers QAIRT");
}

TEST(JudgeCompile, refuses_npu_targets_for_chips_without_an_htp) {
  for (const char* target : {"precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"}) {
    const std::string option = std::string("--target_runtime ") + target;
    expect_refused(compile_for(tablet(), option), Code::kInvalidArgument,
                   "Samsung Galaxy Tab S7 (sm8250-ab) has a Hexagon v66, which is older than the first HTP");
    expect_refused(compile_for(machine(), option), Code::kInvalidArgument, "AMD EPYC has no HTP");
  }
}

TEST(JudgeCompile, refuses_one_npu_job_for_different_chips) {
  auto facts = compile_for(snapdragon(), "--target_runtime qnn_dlc");
  facts.devices.push_back(snapdragon("Samsung Galaxy S23", 43, 73));
  expect_refused(facts, Code::kInvalidArgument, "differ; submit one job for each");
  facts.devices[1] = snapdragon("Samsung Galaxy S24 Ultra");
  EXPECT_TRUE(judge(facts));
}

TEST(JudgeCompile, converts_models_of_pytorch_first) {
  auto facts = compile_for(snapdragon(), "");
  facts.model().type = ModelType::kTorchExportedProgram;
  EXPECT_TRUE(judge(facts)->reason.empty());
  EXPECT_EQ(plan_compile(facts)->converts_first, Conversion::kConvertTorch);
  facts.options = parse_options(kinds::Compile::kEntry, "--target_runtime qnn_dlc").value();
  EXPECT_EQ(plan_compile(facts)->converts_first, Conversion::kConvertTorch);
}

TEST(JudgeCompile, asks_for_the_inputs_that_torchscript_does_not_declare) {
  auto facts = compile_for(snapdragon(), "");
  facts.model().type = ModelType::kTorchScript;
  facts.model().inspection->inputs.clear();
  expect_refused(facts, Code::kInvalidArgument, "give input_specs");
  std::get<kinds::Compile>(facts.payload).input_specs = {spec("image", Dtype::kFloat32, {1, 256, 256, 3})};
  EXPECT_TRUE(judge(facts)->reason.empty());
}

TEST(JudgeCompile, takes_other_frameworks_and_fails_them_in_words) {
  for (const ModelType type : {ModelType::kAimetOnnx, ModelType::kTflite}) {
    auto facts = compile_for(snapdragon(), "");
    facts.model().type = type;
    const auto verdict = judge(facts);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->fails_as, FailureType::kUnsupported);
    EXPECT_THAT(verdict->reason, HasSubstr("this hub compiles ONNX models and those of PyTorch"));
  }
}

TEST(JudgeCompile, checks_the_version_of_qairt) {
  EXPECT_TRUE(judge(compile_for(snapdragon(), "--qairt_version 2.50")));
  EXPECT_TRUE(judge(compile_for(snapdragon(), "--qairt_version default")));
  EXPECT_TRUE(judge(compile_for(snapdragon(), "--qairt_version latest")));
  expect_refused(compile_for(snapdragon(), "--qairt_version 2.31"), Code::kInvalidArgument,
                 "2.31 is not installed here; installed: 2.50");
}

TEST(JudgeCompile, refuses_calibration_data_that_it_would_not_use) {
  auto facts = compile_for(snapdragon(), "");
  facts.dataset = face_data();
  expect_refused(facts, Code::kUnimplemented, "calibration data");
}

TEST(JudgeCompile, refuses_a_target_whose_unit_is_left_out) {
  expect_refused(compile_for(snapdragon(), "--target_runtime qnn_dlc --compute_unit cpu"), Code::kInvalidArgument,
                 "--compute_unit leaves it out");
}

TEST(JudgeCompile, refuses_an_unusable_model_with_its_reason) {
  auto facts = compile_for(snapdragon(), "");
  facts.model().inspection->error = "the file is cut off";
  expect_refused(facts, Code::kInvalidArgument, "model m1 cannot be used: the file is cut off");
}

TEST(JudgeProfile, fails_at_once_for_a_device_that_nobody_offers) {
  for (const Device& device : {snapdragon(), tablet()}) {
    const auto verdict = judge(run_on(device, "", false));
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->fails_as, FailureType::kUnsupported);
    EXPECT_THAT(verdict->reason, HasSubstr("no " + device.name + " is attached to this hub"));
    EXPECT_THAT(verdict->reason, HasSubstr("Attach an agent"));
    EXPECT_THAT(verdict->reason, HasSubstr("upstream hub"));
    EXPECT_THAT(verdict->reason, HasSubstr("--allow_emulation"));
  }
}

TEST(JudgeProfile, is_queued_for_the_emulator_when_that_is_allowed) {
  const auto verdict = judge(run_on(snapdragon(), "--allow_emulation", false));
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->fails_as, FailureType::kUnspecified);
  EXPECT_EQ(verdict->needs, "qnn");
  ASSERT_FALSE(verdict->remarks.empty());
  EXPECT_THAT(verdict->remarks[0], HasSubstr("nothing is measured on the device"));
  expect_refused(run_on(tablet(), "--allow_emulation", false), Code::kInvalidArgument, "there is no HTP to emulate");
}

TEST(JudgeInference, runs_on_an_attached_device_and_nowhere_else) {
  EXPECT_EQ(judge(run_on(machine(), "", true))->needs, "device:AMD EPYC");
  EXPECT_EQ(judge(run_on(machine(), "", false))->needs, "device:AMD EPYC");
}

TEST(JudgeInference, runs_on_the_emulator_for_a_catalogue_device_with_an_htp) {
  const auto verdict = value_of(judge(run_on(snapdragon(), "", true)));
  EXPECT_EQ(verdict.fails_as, FailureType::kUnspecified);
  EXPECT_EQ(verdict.needs, "qnn");
  expect_refused(run_on(tablet(), "", true), Code::kInvalidArgument,
                 "nothing here can run a job for Samsung Galaxy Tab S7");
}

TEST(JudgeInference, names_in_the_log_what_has_no_effect) {
  const std::string options =
      "--qnn_options context_priority=HIGH --onnx_options intra_op_num_threads=1;qnn_htp_performance_mode=burst";
  EXPECT_THAT(judge(run_on(machine(), options, true))->remarks,
              ::testing::ElementsAre("without effect on the CPU of AMD EPYC: --qnn_options context_priority, "
                                     "--onnx_options qnn_htp_performance_mode"));
  EXPECT_THAT(judge(run_on(snapdragon(), options, true))->remarks,
              ::testing::Contains("without effect on the HTP emulator: --onnx_options qnn_htp_performance_mode"));
  EXPECT_THAT(judge(run_on(machine(), "--dequantize_outputs false", true))->remarks,
              ::testing::ElementsAre("without effect as outputs keep the types of the graph: --dequantize_outputs"));
  EXPECT_TRUE(judge(run_on(machine(), "--onnx_options intra_op_num_threads=1", true))->remarks.empty());
}

TEST(JudgeInference, refuses_units_that_are_not_there) {
  expect_refused(run_on(machine(), "--compute_unit npu", true), Code::kInvalidArgument, "only its CPU can be used");
  expect_refused(run_on(snapdragon(), "--compute_unit cpu", true), Code::kInvalidArgument, "only its NPU can be used");
  expect_refused(run_on(machine(), "--onnx_execution_providers qnn", true), Code::kInvalidArgument, "has no HTP");
  EXPECT_TRUE(judge(run_on(machine(), "--compute_unit cpu", true)));
  EXPECT_TRUE(judge(run_on(snapdragon(), "--compute_unit npu", true)));
}

TEST(JudgeCompile, embeds_a_context_binary_as_it_is_for_its_own_chip) {
  auto facts = compile_for(snapdragon(), "");
  facts.model().type = ModelType::kQnnContextBinary;
  facts.model().inspection.reset();
  facts.origin() = made_by(CompileTarget::kQnnContextBinary, snapdragon());
  facts.model().companions["wrapper"].filename = "wrapper.onnx";
  const auto verdict = value_of(judge(facts));
  EXPECT_EQ(verdict.fails_as, FailureType::kUnspecified);

  auto other_chip = facts;
  other_chip.devices = {snapdragon("SA8255P ADP", 52, 73)};
  expect_refused(other_chip, Code::kInvalidArgument, "compile its source model msource");
  auto other_target = facts;
  other_target.options = parse_options(kinds::Compile::kEntry, "--target_runtime qnn_dlc").value();
  expect_refused(other_target, Code::kInvalidArgument, "without options");
  for (const char* options : {"--output_names a", "--truncate_64bit_io", "--qnn_graph_name face"}) {
    auto with_options = facts;
    with_options.options = parse_options(kinds::Compile::kEntry, options).value();
    expect_refused(with_options, Code::kInvalidArgument, "without options");
  }
}

TEST(JudgeInference, refuses_types_that_it_cannot_run) {
  auto facts = run_on(machine(), "", false);
  facts.model().type = ModelType::kQnnDlc;
  expect_refused(facts, Code::kUnimplemented, "is a QNN DLC that this hub did not make");
  facts.model().type = ModelType::kQnnContextBinary;
  expect_refused(facts, Code::kUnimplemented, "did not make");
  facts.model().type = ModelType::kTflite;
  expect_refused(facts, Code::kUnimplemented, "TFLite");
  facts.model().type = ModelType::kTorchScript;
  expect_refused(facts, Code::kInvalidArgument, "must be compiled before it can run");
}

TEST(JudgeInference, runs_a_model_made_for_one_chip_on_that_chip_only) {
  auto facts = run_on(snapdragon("Samsung Galaxy S23", 43, 73), "", true);
  facts.origin() = made_by(CompileTarget::kPrecompiledQnnOnnx, snapdragon());
  expect_refused(facts, Code::kInvalidArgument, "was compiled for the chip of Samsung Galaxy S24");
  facts.devices = {machine()};
  expect_refused(facts, Code::kInvalidArgument,
                 "was compiled to precompiled_qnn_onnx for an NPU, but AMD EPYC has no HTP");
  facts.devices = {snapdragon("Samsung Galaxy S24 (Family)")};
  EXPECT_TRUE(judge(facts));
  // A DLC is compiled again from its source.
  facts.devices = {snapdragon("Samsung Galaxy S23", 43, 73)};
  facts.model().type = ModelType::kQnnDlc;
  facts.origin() = made_by(CompileTarget::kQnnDlc, snapdragon());
  expect_refused(facts, Code::kUnimplemented, "nothing here can read one back");
  facts.model().companions["source"].filename = "source.onnx";
  EXPECT_TRUE(judge(facts));
}

TEST(JudgeInference, needs_inputs_or_profiling) {
  auto facts = run_on(machine(), "", false);
  part<kinds::Run>(facts.payload)->is_profiling = false;
  expect_refused(facts, Code::kInvalidArgument, "needs a dataset with inputs, or profiling");
}

struct SpecRow {
  InputSpecs specs;
  std::string options, says;  // empty: taken
};

TEST(CheckAgainstModel, compares_specs_with_the_models_inputs) {
  const auto image = [](tensor::Shape shape, Dtype dtype = Dtype::kFloat32) {
    return spec("image", dtype, std::move(shape));
  };
  const auto size = spec("size", Dtype::kInt64, {2});
  const std::vector<SpecRow> rows = {
      {{image({1, 3, 256, 256}), size}, "", ""},
      {{image({4, 3, 256, 256}), size}, "", ""},
      {{spec("picture", Dtype::kFloat32, {1, 3, 256, 256}), size}, "", ""},  // renames
      {{image({1, 3, 256, 256}), spec("size", Dtype::kInt32, {2})}, "--truncate_64bit_io", ""},
      {{image({1, 3, 256, 256}), spec("size", Dtype::kInt32, {2})},
       "",
       "input spec 'size': the model's input 'size' expects int64[2], found int32[2]"},
      {{image({1, 256, 256, 3}), size},
       "",
       "input spec 'image': the model's input 'image' expects float32[?,3,256,256], found float32[1,256,256,3]"},
      {{image({3, 256, 256}), size}, "", "found float32[3,256,256]"},
      {{image({1, 3, 256, 256}, Dtype::kUint8), size}, "", "found uint8[1,3,256,256]"},
      {{image({0, 3, 256, 256}), size}, "", "dimensions must be 1 or more"},
      {{image({-1, 3, 256, 256}), size}, "", "dimensions must be 1 or more"},
      {{image({1, 3, 256, 256})}, "", "model m1 has 2 inputs (image, size), but specs for 1 are given (image)"},
      {{size, image({1, 3, 256, 256})}, "", ""},  // by name
      {{size, image({1, 3, 255, 256})},
       "",
       "input spec 'image': the model's input 'image' expects float32[?,3,256,256], found float32[1,3,255,256]"},
      {{spec("picture", Dtype::kInt64, {2}), image({1, 3, 256, 256})},
       "",
       "input spec 'picture': the model's input 'image' expects float32[?,3,256,256], found int64[2]"},
  };
  for (const SpecRow& row : rows) {
    const auto options = parse_options(kinds::Compile::kEntry, row.options).value();
    const auto outcome = check_against_model(face_model(), row.specs, std::nullopt, options);
    EXPECT_EQ(outcome.has_value(), row.says.empty()) << row.says << (outcome ? "" : outcome.error().message);
    if (!outcome) {
      EXPECT_EQ(outcome.error().code, Code::kInvalidArgument);
      EXPECT_THAT(outcome.error().message, HasSubstr(row.says));
    }
  }
}

TEST(CheckAgainstModel, compares_data_with_the_models_inputs) {
  const auto refuse = [](const Dataset& dataset, const std::string& says) {
    const auto outcome = check_against_model(face_model(), {}, dataset, {});
    ASSERT_FALSE(outcome) << says;
    EXPECT_THAT(outcome.error().message, HasSubstr(says));
  };
  EXPECT_TRUE(check_against_model(face_model(), {}, face_data(), {}));

  Dataset dataset = face_data();
  std::swap(dataset.inspection->entries[0], dataset.inspection->entries[1]);
  refuse(dataset, "in its order: image, size; found: size, image");
  dataset = face_data();
  dataset.inspection->entries.pop_back();
  refuse(dataset, "image, size; found: image");
  dataset = face_data();
  dataset.inspection->entries.clear();
  refuse(dataset, "found: none");
  dataset = face_data();
  dataset.inspection->entries[0].dtype = Dtype::kFloat64;
  refuse(dataset, "input 'image' expects float32[?,3,256,256], found float64[1,3,256,256]");
  dataset = face_data();
  dataset.inspection->entries[0].shapes = {{1, 3, 256, 256}, {1, 3, 128, 256}};
  refuse(dataset, "found float32[1,3,128,256]");
  dataset = face_data();
  dataset.inspection->entries[1].sample_count = 3;
  refuse(dataset, "input 'size' has 3 samples, 'image' has 2");
}

TEST(CheckAgainstModel, checks_nothing_where_nothing_is_known) {
  Model model = face_model();
  model.inspection.reset();
  EXPECT_TRUE(check_against_model(model, {spec("x", Dtype::kInt8, {1})}, face_data(), {}));
  model.inspection.emplace().format = "torchscript";
  EXPECT_TRUE(check_against_model(model, {spec("x", Dtype::kInt8, {1})}, face_data(), {}));
}

using kinds::NumberType;

Asked quantize(const std::string& options = "", NumberType activations = NumberType::kInt8,
               NumberType weights = NumberType::kInt8) {
  Asked asked;
  kinds::Quantize payload;
  payload.activations = activations;
  payload.weights = weights;
  asked.payload = payload;
  asked.options = parse_options(kinds::Quantize::kEntry, options).value();
  asked.models = {{.model = face_model(), .origin = {}}};
  asked.dataset = face_data();
  return asked;
}

TEST(JudgeQuantize, takes_a_float_model_and_data_without_a_device_on_any_agent) {
  const auto verdict = value_of(judge(quantize("--range_scheme auto")));
  EXPECT_EQ(verdict.needs, "");
  EXPECT_TRUE(verdict.remarks.empty());
  EXPECT_THAT(judge(quantize())->remarks, testing::ElementsAre("no --range_scheme given: it is min_max"));
}

TEST(JudgeQuantize, refuses_in_words) {
  expect_refused(quantize("", NumberType::kInt8, NumberType::kInt4), Code::kUnimplemented,
                 "weights_dtype: expected INT8, found INT4");
  expect_refused(quantize("", NumberType::kInt4), Code::kUnimplemented,
                 "activations_dtype: expected INT8 or INT16, found INT4");
  expect_refused(quantize("--range_scheme entropy", NumberType::kInt16), Code::kInvalidArgument,
                 "entropy is for activations of INT8");
  Asked without_data = quantize();
  without_data.dataset.reset();
  expect_refused(without_data, Code::kInvalidArgument, "quantize jobs need a dataset");
  Asked other_name = quantize();
  other_name.dataset->inspection->entries[0].name = "picture";
  expect_refused(other_name, Code::kInvalidArgument, "in its order: image, size; found: picture, size");
  Asked done = quantize();
  done.model().inspection->facts["quantised"] = "QDQ";
  expect_refused(done, Code::kInvalidArgument, "quantised already");
  Asked compiled = quantize();
  compiled.origin() = made_by(CompileTarget::kPrecompiledQnnOnnx, snapdragon());
  expect_refused(compiled, Code::kInvalidArgument, "compiled already");
  Asked script = quantize();
  script.model().type = ModelType::kTorchScript;
  expect_refused(script, Code::kInvalidArgument, "is TorchScript; compile it to --target_runtime onnx first");
}

}  // namespace
}  // namespace slipway::hub::domain
