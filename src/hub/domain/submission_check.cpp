#include "hub/domain/submission_check.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "hub/domain/inspection.hpp"
#include "hub/domain/option_effects.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

bool is_attached(const Device& device) {
  return device.presence == DevicePresence::kAttached;
}

// Why a device takes no NPU work.
std::string no_htp_reason(const Device& device) {
  if (device.chip.htp_arch > 0) {
    return fmt::format("{} ({}) has a Hexagon v{}, which is older than the first HTP (v68)", device.name,
                       device.chip.name, device.chip.htp_arch);
  }
  return fmt::format("{} has no HTP", device.name);
}

bool has_qairt(const SubmissionFacts& facts) {
  return std::ranges::any_of(facts.frameworks, [](const Framework& f) { return f.name == "QAIRT"; });
}

Result<void> check_qairt_version(const SubmissionFacts& facts) {
  const auto& wanted = facts.options.qairt_version;
  if (!wanted || *wanted == "default" || *wanted == "latest") return {};
  std::vector<std::string> installed;
  for (const Framework& framework : facts.frameworks) {
    if (framework.name == "QAIRT") installed.push_back(framework.api_version);
  }
  if (std::ranges::find(installed, *wanted) != installed.end()) return {};
  return base::fail(Code::kInvalidArgument, "option --qairt_version: {} is not installed here; installed: {}", *wanted,
                    installed.empty() ? "none" : fmt::format("{}", fmt::join(installed, ", ")));
}

// A job that only an agent with Qualcomm's libraries can carry out.
Result<void> require_qairt(const SubmissionFacts& facts, Verdict& verdict) {
  if (!has_qairt(facts)) {
    return base::fail(
        Code::kFailedPrecondition,
        "no agent of this hub offers QAIRT (Qualcomm's compiler and HTP emulator) now, which a job for {} "
        "needs; start an agent with onnxruntime-qnn",
        verdict.device.name);
  }
  verdict.needs = "qnn";
  return {};
}

// What of the QNN provider's settings is given: "--qnn_options context_priority, --qairt_version".
std::string qnn_settings(const JobOptions& options) {
  std::vector<std::string> given;
  for (const auto& [key, value] : options.qnn_options) given.push_back("--qnn_options " + key);
  for (const auto& [key, value] : options.onnx_options) {
    if (key.starts_with("qnn_")) given.push_back("--onnx_options " + key);
  }
  if (options.qairt_version) given.emplace_back("--qairt_version");
  return fmt::format("{}", fmt::join(given, ", "));
}

// ---- Compile ----

bool same_chip(const Chip& a, const Chip& b) {
  return a.soc_model == b.soc_model && a.htp_arch == b.htp_arch;
}

Result<void> check_compile_devices(const SubmissionFacts& facts, std::string_view target) {
  if (!is_qnn_target(target)) return {};
  for (const Device& device : facts.devices) {
    if (!device.chip.has_htp()) {
      return base::fail(Code::kInvalidArgument,
                        "target {} is made for an NPU, but {}; take --target_runtime onnx, or another device", target,
                        no_htp_reason(device));
    }
    if (!same_chip(device.chip, facts.devices.front().chip)) {
      return base::fail(Code::kInvalidArgument,
                        "target {} is made for one chip, but {} ({}) and {} ({}) differ; submit one job for each",
                        target, facts.devices.front().name, facts.devices.front().chip.name, device.name,
                        device.chip.name);
    }
  }
  if (facts.options.compute_unit_given && !facts.options.allow_npu) {
    return base::fail(Code::kInvalidArgument, "target {} is made for the NPU, but --compute_unit leaves it out",
                      target);
  }
  return {};
}

// A context binary "compiled" again is embedded in ONNX: nothing is compiled, so nothing can be asked of it.
Result<Verdict> judge_wrapping(const SubmissionFacts& facts, Verdict verdict) {
  const JobOptions& options = facts.options;
  const auto& runtime = options.target_runtime;
  const bool changes_graph = options.truncate_64bit_io || options.truncate_64bit_tensors ||
                             !options.output_names.empty() || !options.force_channel_last_input.empty() ||
                             !options.force_channel_last_output.empty();
  if (!facts.input_specs.empty() || changes_graph || !qnn_settings(options).empty() ||
      (runtime && *runtime != "onnx" && *runtime != "precompiled_qnn_onnx")) {
    return base::fail(
        Code::kInvalidArgument,
        "model {} is a QNN context binary, which can only be embedded in ONNX as it is: submit it without "
        "options and input specs, or compile its source model {}",
        facts.model.id, facts.producer->model_id);
  }
  if (facts.producer->device && !same_chip(facts.producer->device->chip, verdict.device.chip)) {
    return base::fail(Code::kInvalidArgument,
                      "model {} is a QNN context binary for {} ({}); compile its source model {} for {}",
                      facts.model.id, facts.producer->device->name, facts.producer->device->chip.name,
                      facts.producer->model_id, verdict.device.name);
  }
  verdict.remarks.emplace_back("the context binary is embedded in ONNX as it is");
  return verdict;
}

Result<Verdict> judge_compile(const SubmissionFacts& facts) {
  Verdict verdict;
  verdict.device = facts.devices.front();
  const std::string target = target_of(facts.options);
  SLIPWAY_TRY(check_compile_devices(facts, target));
  if (facts.dataset) {
    return base::fail(Code::kUnimplemented,
                      "calibration data is for --quantize_full_type, which this hub does not carry out yet");
  }
  if (facts.model.type == ModelType::kQnnContextBinary && facts.producer) return judge_wrapping(facts, verdict);
  if (facts.model.type != ModelType::kOnnx) {
    verdict.fails_as = FailureType::kUnsupported;
    verdict.reason = fmt::format(
        "this hub compiles ONNX models; {} models ({}) are not carried out yet: export the model "
        "to ONNX and submit that",
        model_type_text(facts.model.type), facts.model.id);
    return verdict;
  }
  if (facts.producer &&
      is_qnn_target(target_of(parse_options(JobKind::kCompile, facts.producer->options).value_or(JobOptions{})))) {
    return base::fail(Code::kInvalidArgument,
                      "model {} is already compiled for {}; compile its source model {} instead", facts.model.id,
                      facts.producer->device ? facts.producer->device->name : "a device", facts.producer->model_id);
  }
  if (is_qnn_target(target)) SLIPWAY_TRY(require_qairt(facts, verdict));
  if (!facts.options.target_runtime) verdict.remarks.emplace_back("no --target_runtime given: the target is onnx");
  const OptionSituation situation{.is_compile = true, .target = target, .device = verdict.device.name};
  for (auto& remark : options_without_effect(facts.options, situation)) verdict.remarks.push_back(std::move(remark));
  return verdict;
}

// ---- Profile and inference ----

Result<void> check_runnable_type(const Model& model) {
  switch (model.type) {
    case ModelType::kOnnx:
      return {};
    case ModelType::kQnnContextBinary:
    case ModelType::kQnnDlc:
      if (!model.producer_job_id.empty()) return {};
      return base::fail(Code::kUnimplemented,
                        "model {} is a {} that this hub did not make; nothing here can read one back. Upload the ONNX "
                        "model and compile it here",
                        model.id, model_type_text(model.type));
    case ModelType::kTflite:
      return base::fail(Code::kUnimplemented, "model {} is TFLite, which this hub does not run yet; run an ONNX model",
                        model.id);
    case ModelType::kTorchScript:
    case ModelType::kAimetOnnx:
    case ModelType::kTorchExportedProgram:
      break;
  }
  return base::fail(Code::kInvalidArgument, "model {} is {}; it must be compiled before it can run", model.id,
                    model_type_text(model.type));
}

// A model made for one chip runs on that chip only. A DLC is compiled again from its source, so any HTP will do.
Result<void> check_made_for(const SubmissionFacts& facts, const Device& device) {
  if (!facts.producer || facts.producer->kind != JobKind::kCompile) return {};
  const auto options = parse_options(JobKind::kCompile, facts.producer->options);
  const std::string target = options ? target_of(*options) : "onnx";
  if (!is_qnn_target(target)) return {};
  if (!device.chip.has_htp()) {
    return base::fail(Code::kInvalidArgument, "model {} was compiled to {} for an NPU, but {}", facts.model.id, target,
                      no_htp_reason(device));
  }
  if (target == "qnn_dlc" || !facts.producer->device || same_chip(facts.producer->device->chip, device.chip)) return {};
  const Device& made_for = *facts.producer->device;
  return base::fail(
      Code::kInvalidArgument,
      "model {} was compiled for the chip of {} ({}, HTP v{}); {} has another ({}, HTP v{}). Compile it for "
      "that device",
      facts.model.id, made_for.name, made_for.chip.name, made_for.chip.htp_arch, device.name, device.chip.name,
      device.chip.htp_arch);
}

Result<void> check_units(const JobOptions& options, const Device& device) {
  const bool has_npu = device.chip.has_htp();
  if (!options.onnx_execution_providers.empty() && !has_npu) {
    return base::fail(Code::kInvalidArgument, "--onnx_execution_providers qnn: {}", no_htp_reason(device));
  }
  const bool can_run = has_npu ? options.allow_npu || (is_attached(device) && options.allow_cpu) : options.allow_cpu;
  if (can_run) return {};
  return base::fail(
      Code::kInvalidArgument,
      "--compute_unit leaves nothing that can run a job for {}: {} here, and no GPU is offered by any agent",
      device.name, has_npu ? "only its NPU can be used" : "only its CPU can be used");
}

Result<Verdict> judge_inference(const SubmissionFacts& facts) {
  Verdict verdict;
  verdict.device = facts.devices.front();
  const Device& device = verdict.device;
  if (facts.devices.size() != 1) {
    return base::fail(Code::kInvalidArgument, "a profile or inference job runs on one device, {} are given",
                      facts.devices.size());
  }
  if (!facts.dataset && !facts.is_profiling) {
    return base::fail(Code::kInvalidArgument, "an inference job needs a dataset with inputs, or profiling");
  }
  SLIPWAY_TRY(check_runnable_type(facts.model));
  SLIPWAY_TRY(check_made_for(facts, device));
  SLIPWAY_TRY(check_units(facts.options, device));
  const OptionSituation situation{.device = device.name,
                                  .is_on_npu = !is_attached(device),
                                  .is_measured = is_attached(device),
                                  .is_profiling = facts.is_profiling || !facts.dataset,
                                  .has_data = facts.dataset.has_value()};
  verdict.remarks = options_without_effect(facts.options, situation);
  if (is_attached(device)) {
    verdict.needs = "device:" + device.name;
    return verdict;
  }
  if (!facts.dataset && !facts.options.allow_emulation) {
    verdict.fails_as = FailureType::kUnsupported;
    verdict.reason = fmt::format(
        "no {} is attached to this hub, so nothing can be measured on one. Attach an agent that offers it, name an "
        "upstream hub that has it, or pass --allow_emulation to see where its layers would run (without times)",
        device.name);
    return verdict;
  }
  if (!device.chip.has_htp()) {
    return base::fail(Code::kInvalidArgument,
                      "nothing here can run a job for {}: no agent offers it, and there is no HTP to emulate: {}",
                      device.name, no_htp_reason(device));
  }
  SLIPWAY_TRY(require_qairt(facts, verdict));
  verdict.remarks.push_back(
      fmt::format("no agent offers {}: it runs on the HTP emulator for {} (soc model {}, HTP v{}); nothing is measured "
                  "on the device",
                  device.name, device.chip.name, device.chip.soc_model, device.chip.htp_arch));
  return verdict;
}

// ---- Specs and data against the model ----

std::string names_text(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

template <typename T, typename Name>
std::vector<std::string> names_of(const std::vector<T>& items, Name name) {
  std::vector<std::string> names;
  for (const T& item : items) names.push_back(name(item));
  return names;
}

std::vector<std::string> input_names(const Model& model) {
  return names_of(model.inspection->inputs, [](const ModelTensor& input) { return input.spec.name; });
}

// Whether data or a spec of `found` may stand for an input of `expected`.
bool dtype_fits(tensor::Dtype expected, tensor::Dtype found, const JobOptions& options) {
  return expected == found ||
         (options.truncate_64bit_io && expected == tensor::Dtype::kInt64 && found == tensor::Dtype::kInt32);
}

Result<void> check_specs(const Model& model, const InputSpecs& specs, const JobOptions& options) {
  const auto& inputs = model.inspection->inputs;
  const auto known = input_names(model);
  const auto given = names_of(specs, [](const tensor::TensorSpec& spec) { return spec.name; });
  if (specs.size() != inputs.size()) {
    return base::fail(Code::kInvalidArgument,
                      "input specs: model {} has {} inputs ({}), but specs for {} are given ({})", model.id,
                      inputs.size(), names_text(known), specs.size(), names_text(given));
  }
  // The model's own names say which input is meant, in any order; new names rename the inputs in theirs. The compiler
  // matches in the same way (compile/onnx_graph/input_specs.hpp).
  const bool is_by_name = std::ranges::is_permutation(given, known);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::size_t at =
        is_by_name ? static_cast<std::size_t>(std::ranges::find(known, given[i]) - known.begin()) : i;
    const tensor::TensorSpec& expected = inputs[at].spec;
    for (const std::int64_t size : specs[i].shape) {
      if (size < 1) {
        return base::fail(Code::kInvalidArgument, "input spec '{}': dimensions must be 1 or more, found {}",
                          specs[i].name, tensor::to_string(specs[i].dtype, specs[i].shape));
      }
    }
    if (!dtype_fits(expected.dtype, specs[i].dtype, options) ||
        !tensor::shape_accepts(expected.shape, specs[i].shape)) {
      return base::fail(Code::kInvalidArgument, "input spec '{}': the model's input '{}' expects {}, found {}",
                        specs[i].name, expected.name, tensor::to_string(expected.dtype, expected.shape),
                        tensor::to_string(specs[i].dtype, specs[i].shape));
    }
  }
  return {};
}

Result<void> check_dataset(const Model& model, const Dataset& dataset, const JobOptions& options) {
  const auto& inputs = model.inspection->inputs;
  const auto& entries = dataset.inspection->entries;
  const auto expected = input_names(model);
  const auto found = names_of(entries, [](const DatasetEntry& entry) { return entry.name; });
  if (expected != found) {
    return base::fail(Code::kInvalidArgument,
                      "dataset {}: expected one entry for each input of model {}, in its order: {}; found: {}",
                      dataset.id, model.id, names_text(expected), found.empty() ? "none" : names_text(found));
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const tensor::TensorSpec& input = inputs[i].spec;
    if (entries[i].sample_count != entries.front().sample_count || entries[i].sample_count < 1) {
      return base::fail(Code::kInvalidArgument,
                        "dataset {}: input '{}' has {} samples, '{}' has {}; expected the same "
                        "number, 1 or more",
                        dataset.id, entries[i].name, entries[i].sample_count, entries.front().name,
                        entries.front().sample_count);
    }
    for (const tensor::Shape& shape : entries[i].shapes) {
      if (dtype_fits(input.dtype, entries[i].dtype, options) && tensor::shape_accepts(input.shape, shape)) continue;
      return base::fail(Code::kInvalidArgument, "dataset {}: input '{}' expects {}, found {}", dataset.id, input.name,
                        tensor::to_string(input.dtype, input.shape), tensor::to_string(entries[i].dtype, shape));
    }
  }
  return {};
}

}  // namespace

std::string target_of(const JobOptions& options) {
  return options.target_runtime.value_or("onnx");
}

ModelType target_type(std::string_view target_runtime) {
  if (target_runtime == "qnn_context_binary") return ModelType::kQnnContextBinary;
  return target_runtime == "qnn_dlc" ? ModelType::kQnnDlc : ModelType::kOnnx;
}

Result<void> check_against_model(const Model& model, const InputSpecs& specs, const std::optional<Dataset>& dataset,
                                 const JobOptions& options) {
  if (!model.inspection || model.inspection->inputs.empty()) return {};
  if (!specs.empty()) SLIPWAY_TRY(check_specs(model, specs, options));
  if (dataset && dataset->inspection) SLIPWAY_TRY(check_dataset(model, *dataset, options));
  return {};
}

Result<Verdict> judge(const SubmissionFacts& facts) {
  if (facts.devices.empty()) return base::fail(Code::kInvalidArgument, "the job names no device");
  if (facts.model.inspection && !facts.model.inspection->error.empty()) {
    return base::fail(Code::kInvalidArgument, "model {} cannot be used: {}", facts.model.id,
                      facts.model.inspection->error);
  }
  if (facts.dataset && facts.dataset->inspection && !facts.dataset->inspection->error.empty()) {
    return base::fail(Code::kInvalidArgument, "dataset {} cannot be used: {}", facts.dataset->id,
                      facts.dataset->inspection->error);
  }
  SLIPWAY_TRY(check_qairt_version(facts));
  SLIPWAY_ASSIGN(Verdict verdict, facts.kind == JobKind::kCompile ? judge_compile(facts) : judge_inference(facts));
  SLIPWAY_TRY(check_against_model(facts.model, facts.input_specs, facts.dataset, facts.options));
  return verdict;
}

}  // namespace slipway::hub::domain
