#include "hub/domain/kinds/compile/compile.hpp"

#include "hub/domain/job.hpp"
#include "hub/domain/option_effects.hpp"

namespace slipway::hub::domain::kinds {

using base::Code;
using base::Result;

namespace {

// A context binary "compiled" again is embedded in ONNX: nothing is compiled, so nothing can be asked of it.
Result<void> check_embedding(const Compile& payload, const JobFacts& facts) {
  const JobOptions& options = facts.options;
  const auto& runtime = options.target_runtime;
  const bool changes_graph = options.truncate_64bit_io || options.truncate_64bit_tensors ||
                             !options.output_names.empty() || !options.force_channel_last_input.empty() ||
                             !options.force_channel_last_output.empty();
  if (payload.input_specs.empty() && !changes_graph && qnn_settings(options).empty() &&
      (!runtime || *runtime == "onnx" || *runtime == "precompiled_qnn_onnx")) {
    return {};
  }
  const SourceModel& source = facts.models.front();
  return base::fail(
      Code::kInvalidArgument,
      "model {} is a QNN context binary, which can only be embedded in ONNX as it is: submit it without options and "
      "input specs, or compile its source model {}",
      source.model.id, source.origin->source_model_id);
}

}  // namespace

std::vector<std::string> Compile::Result::files() const {
  std::vector<std::string> names;
  if (!target_file.empty()) names.push_back(target_file);
  for (const auto& [key, name] : companion_files) names.push_back(name);
  return names;
}

Result<ExecutionPlan> Compile::plan(const Compile& payload, const JobFacts& facts) {
  SLIPWAY_ASSIGN(const ExecutionPlan plan, plan_compile(facts));
  if (plan.converts_first == Conversion::kEmbedBinary) SLIPWAY_TRY(check_embedding(payload, facts));
  if (facts.models.front().model.type == ModelType::kTorchScript && payload.input_specs.empty()) {
    return base::fail(
        Code::kInvalidArgument,
        "model {} is TorchScript, which declares no inputs: give input_specs, name, shape and type of each "
        "input in order",
        facts.models.front().model.id);
  }
  SLIPWAY_TRY(check_against_model(facts.models.front().model, payload.input_specs, facts.dataset, facts.options));
  return plan;
}

Result<Verdict> Compile::judge(const Compile& payload, const JobFacts& facts) {
  if (facts.devices.empty()) return base::fail(Code::kInvalidArgument, "the job names no device");
  Verdict verdict;
  verdict.device = facts.devices.front();
  if (facts.dataset) {
    return base::fail(Code::kUnimplemented,
                      "calibration data is for --quantize_full_type, which this hub does not carry out yet");
  }
  const auto planned = Compile::plan(payload, facts);
  if (!planned && planned.error().code == Code::kUnimplemented) {
    verdict.fails_as = FailureType::kUnsupported;
    verdict.reason = planned.error().message;
    return verdict;
  }
  SLIPWAY_ASSIGN(const ExecutionPlan plan, planned);
  if (plan.converts_first == Conversion::kEmbedBinary) {
    verdict.remarks.emplace_back("the context binary is embedded in ONNX as it is");
    return verdict;
  }
  // The target onnx is made and compared on any agent's CPU.
  if (is_qnn_target(plan.target)) verdict.needs = needs_of(plan, verdict.device);
  SLIPWAY_TRY(check_offered(plan, facts));
  if (!facts.options.target_runtime) verdict.remarks.emplace_back("no --target_runtime given: the target is onnx");
  const OptionSituation situation{.is_compile = true, .target = plan.target, .device = verdict.device.name};
  for (auto& remark : options_without_effect(facts.options, situation)) verdict.remarks.push_back(std::move(remark));
  return verdict;
}

Result<void> Compile::complete(const Job& job, const Compile& /*payload*/, const Result& result,
                               const ResultFiles& files, Products& products) {
  SLIPWAY_ASSIGN(const JobOptions options, parse_options(kEntry, job.options));
  Model& target = *products.target;
  SLIPWAY_ASSIGN(target.content, file_of(files, result.target_file, "the target model"));
  for (const auto& [key, name] : result.companion_files) {
    SLIPWAY_ASSIGN(const Blob blob, file_of(files, name, "a companion of the target model"));
    target.companions[key] = {.filename = name, .content = blob};
  }
  target.upload = UploadState::kComplete;
  target.is_directory = result.target_is_directory;
  target.metadata = result.target_metadata;
  Inspection& found = target.inspection.emplace();
  found.format = target.type != ModelType::kOnnx ? target_name(target_of(options))
                 : target.is_directory           ? "onnx directory"
                                                 : "onnx";
  found.inputs = result.target_inputs;
  found.outputs = result.target_outputs;
  return {};
}

ModelType Compile::target_type(const JobFacts& facts) {
  return model_type_of(target_of(facts.options));
}

Origin Compile::origin(const Job& job, const Compile& payload) {
  const auto options = parse_options(kEntry, job.options);
  return {.job_id = job.id,
          .source_model_id = payload.model_id,
          .target = options ? target_of(*options) : CompileTarget::kOnnx,
          .device = job.device};
}

}  // namespace slipway::hub::domain::kinds
