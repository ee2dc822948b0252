#include "hub/domain/execution_plan.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "hub/domain/inspection.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr const char* kQairtNeed = "qnn";

std::vector<ExecutionTarget> targets_of(const Device& device) {
  if (device.presence == DevicePresence::kAttached) {
    return device.execution_targets.empty() ? std::vector{ExecutionTarget::kCpu} : device.execution_targets;
  }
  if (device.chip.has_htp()) return {ExecutionTarget::kHtpEmulator};
  return {};
}

// Where a device's NPU work is done; nothing: it takes none.
std::optional<ExecutionTarget> npu_of(const std::vector<ExecutionTarget>& targets) {
  const auto found = std::ranges::find_if(targets, [](ExecutionTarget t) { return t != ExecutionTarget::kCpu; });
  return found == targets.end() ? std::nullopt : std::optional(*found);
}

// Why a device takes no NPU work.
std::string no_npu_reason(const Device& device) {
  if (device.chip.has_htp()) return fmt::format("the agent of {} offers its CPU only", device.name);
  if (device.chip.htp_arch > 0) {
    return fmt::format("{} ({}) has a Hexagon v{}, which is older than the first HTP (v68)", device.name,
                       device.chip.name, device.chip.htp_arch);
  }
  return fmt::format("{} has no HTP", device.name);
}

bool same_chip(const Chip& a, const Chip& b) {
  return a.soc_model == b.soc_model && a.htp_arch == b.htp_arch;
}

ExecutionPlan on_npu(ExecutionTarget target, const JobOptions& options) {
  return {.runs_on = target,
          .provider = Provider::kQnn,
          .fallback_allowed = options.allow_cpu,
          .figures = target == ExecutionTarget::kHtp ? Figures::kMeasured : Figures::kEmulated};
}

Result<void> check_names_a_device(const JobFacts& facts) {
  if (!facts.devices.empty()) return {};
  return base::fail(Code::kInvalidArgument, "the job names no device");
}

// What was kept with a model that this hub made, because its format cannot be read back. Of one that is still to be
// made it is known that it will be.
bool has_companion(const SourceModel& source, const char* name) {
  return source.origin && (source.model.upload != UploadState::kComplete || source.model.companions.contains(name));
}
constexpr const char* companion_for_running(ModelType type) {
  return type == ModelType::kQnnDlc ? "source" : "wrapper";
}

// ---- Compile ----

Result<void> check_compile_devices(const JobFacts& facts, CompileTarget target) {
  for (const Device& device : facts.devices) {
    if (!device.chip.has_htp()) {
      return base::fail(Code::kInvalidArgument,
                        "target {} is made for an NPU, but {}; take --target_runtime onnx, or another device",
                        target_name(target), no_npu_reason(device));
    }
    if (!same_chip(device.chip, facts.devices.front().chip)) {
      return base::fail(Code::kInvalidArgument,
                        "target {} is made for one chip, but {} ({}) and {} ({}) differ; submit one job for each",
                        target_name(target), facts.devices.front().name, facts.devices.front().chip.name, device.name,
                        device.chip.name);
    }
  }
  if (facts.options.compute_unit_given && !facts.options.allow_npu) {
    return base::fail(Code::kInvalidArgument, "target {} is made for the NPU, but --compute_unit leaves it out",
                      target_name(target));
  }
  return {};
}

Result<ExecutionPlan> plan_embedding(const SourceModel& source, const Device& device) {
  const auto& made_for = source.origin->device;
  if (made_for && !same_chip(made_for->chip, device.chip)) {
    return base::fail(
        Code::kInvalidArgument, "model {} is a QNN context binary for {} ({}); compile its source model {} for {}",
        source.model.id, made_for->name, made_for->chip.name, source.origin->source_model_id, device.name);
  }
  return ExecutionPlan{.target = CompileTarget::kPrecompiledQnnOnnx, .converts_first = Conversion::kEmbedBinary};
}

// ---- Profile and inference ----

bool is_made_for_npu(const SourceModel& source) {
  return (source.origin && is_qnn_target(source.origin->target)) ||
         (source.model.inspection && holds_context_binary(*source.model.inspection));
}

Result<Conversion> conversion_of(const SourceModel& source) {
  const Model& model = source.model;
  switch (model.type) {
    case ModelType::kOnnx:
      return Conversion::kNone;
    case ModelType::kQnnContextBinary:
    case ModelType::kQnnDlc:
      if (has_companion(source, companion_for_running(model.type))) {
        return model.type == ModelType::kQnnDlc ? Conversion::kCompileSource : Conversion::kWrapBinary;
      }
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
Result<void> check_made_for(const SourceModel& source, const Device& device, bool has_npu) {
  if (!is_made_for_npu(source)) return {};
  if (!has_npu) {
    const std::string what = source.origin ? fmt::format("was compiled to {} for", target_name(source.origin->target))
                                           : "holds a context binary, made for";
    return base::fail(Code::kInvalidArgument, "model {} {} an NPU, but {}", source.model.id, what,
                      no_npu_reason(device));
  }
  if (!source.origin || source.origin->target == CompileTarget::kQnnDlc || !source.origin->device ||
      same_chip(source.origin->device->chip, device.chip)) {
    return {};
  }
  const Device& made_for = *source.origin->device;
  return base::fail(
      Code::kInvalidArgument,
      "model {} was compiled for the chip of {} ({}, HTP v{}); {} has another ({}, HTP v{}). Compile it for "
      "that device",
      source.model.id, made_for.name, made_for.chip.name, made_for.chip.htp_arch, device.name, device.chip.name,
      device.chip.htp_arch);
}

}  // namespace

Result<ExecutionPlan> plan_compile(const JobFacts& facts) {
  SLIPWAY_TRY(check_names_a_device(facts));
  const CompileTarget target = target_of(facts.options);
  if (is_qnn_target(target)) SLIPWAY_TRY(check_compile_devices(facts, target));
  const SourceModel& source = facts.models.front();
  const Device& device = facts.devices.front();
  if (source.model.type == ModelType::kQnnContextBinary && has_companion(source, "wrapper")) {
    return plan_embedding(source, device);
  }
  const bool is_torch =
      source.model.type == ModelType::kTorchScript || source.model.type == ModelType::kTorchExportedProgram;
  if (source.model.type != ModelType::kOnnx && !is_torch) {
    return base::fail(Code::kUnimplemented,
                      "this hub compiles ONNX models and those of PyTorch; {} models ({}) are not carried out yet: "
                      "export the model to ONNX "
                      "and submit that",
                      model_type_text(source.model.type), source.model.id);
  }
  if (source.origin && is_qnn_target(source.origin->target)) {
    return base::fail(Code::kInvalidArgument,
                      "model {} is already compiled for {}; compile its source model {} instead", source.model.id,
                      source.origin->device ? source.origin->device->name : "a device", source.origin->source_model_id);
  }
  ExecutionPlan plan = is_qnn_target(target) ? on_npu(ExecutionTarget::kHtpEmulator, facts.options)
                                             : ExecutionPlan{.fallback_allowed = facts.options.allow_cpu};
  plan.target = target;
  if (is_torch) plan.converts_first = Conversion::kConvertTorch;
  return plan;
}

Result<ExecutionPlan> plan_run(const JobFacts& facts) {
  SLIPWAY_TRY(check_names_a_device(facts));
  const SourceModel& source = facts.models.front();
  const Device& device = facts.devices.front();
  const JobOptions& options = facts.options;
  const auto targets = targets_of(device);
  const auto npu = npu_of(targets);
  SLIPWAY_ASSIGN(const Conversion conversion, conversion_of(source));
  SLIPWAY_TRY(check_made_for(source, device, npu.has_value()));
  if (targets.empty()) {
    return base::fail(Code::kInvalidArgument,
                      "nothing here can run a job for {}: no agent offers it, and there is no HTP to emulate: {}",
                      device.name, no_npu_reason(device));
  }
  const bool wants_qnn = !options.onnx_execution_providers.empty();
  if (wants_qnn && !npu) {
    return base::fail(Code::kInvalidArgument, "--onnx_execution_providers qnn: {}", no_npu_reason(device));
  }
  const bool cpu_will_do =
      std::ranges::find(targets, ExecutionTarget::kCpu) != targets.end() && !wants_qnn && !is_made_for_npu(source);
  ExecutionPlan plan;
  if (npu && options.allow_npu) {
    plan = on_npu(*npu, options);
  } else if (!cpu_will_do || !options.allow_cpu) {
    const std::string usable = !npu ? "only its CPU" : cpu_will_do ? "only its NPU and its CPU" : "only its NPU";
    return base::fail(
        Code::kInvalidArgument,
        "--compute_unit leaves nothing that can run a job for {}: {} can be used here, and no GPU is offered by any "
        "agent",
        device.name, usable);
  }
  plan.converts_first = conversion;
  return plan;
}

std::string needs_of(const ExecutionPlan& plan, const Device& device) {
  switch (plan.runs_on) {
    case ExecutionTarget::kHtpEmulator:
      return kQairtNeed;
    case ExecutionTarget::kHtp:
    case ExecutionTarget::kCpu:
      break;
  }
  return "device:" + device.name;
}

std::vector<std::string> offers_of(const std::vector<Device>& devices, const std::vector<Framework>& frameworks) {
  std::vector<std::string> offers;
  bool emulates = std::ranges::find(frameworks, "QAIRT", &Framework::name) != frameworks.end();
  for (const Device& device : devices) {
    offers.push_back("device:" + device.name);
    if (npu_of(targets_of(device))) emulates = false;
  }
  if (emulates) offers.emplace_back(kQairtNeed);
  return offers;
}

Result<void> check_offered(const ExecutionPlan& plan, const JobFacts& facts) {
  if (plan.runs_on != ExecutionTarget::kHtpEmulator) return {};
  if (std::ranges::find(facts.offers, kQairtNeed) != facts.offers.end()) return {};
  return base::fail(Code::kFailedPrecondition,
                    "no agent of this hub offers QAIRT (Qualcomm's compiler and HTP emulator) now, which a job for {} "
                    "needs; start an agent with onnxruntime-qnn",
                    facts.devices.front().name);
}

std::string_view target_name(CompileTarget target) {
  switch (target) {
    case CompileTarget::kOnnx:
      return "onnx";
    case CompileTarget::kPrecompiledQnnOnnx:
      return "precompiled_qnn_onnx";
    case CompileTarget::kQnnContextBinary:
      return "qnn_context_binary";
    case CompileTarget::kQnnDlc:
      return "qnn_dlc";
  }
  return "onnx";
}

CompileTarget target_of(const JobOptions& options) {
  for (const auto target :
       {CompileTarget::kPrecompiledQnnOnnx, CompileTarget::kQnnContextBinary, CompileTarget::kQnnDlc}) {
    if (options.target_runtime == target_name(target)) return target;
  }
  return CompileTarget::kOnnx;
}

ModelType model_type_of(CompileTarget target) {
  switch (target) {
    case CompileTarget::kOnnx:
    case CompileTarget::kPrecompiledQnnOnnx:
      return ModelType::kOnnx;
    case CompileTarget::kQnnContextBinary:
      return ModelType::kQnnContextBinary;
    case CompileTarget::kQnnDlc:
      return ModelType::kQnnDlc;
  }
  return ModelType::kOnnx;
}

bool is_qnn_target(CompileTarget target) {
  return target != CompileTarget::kOnnx;
}

}  // namespace slipway::hub::domain
