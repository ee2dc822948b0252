#pragma once

#include <array>
#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

#include "hub/domain/document.hpp"
#include "hub/domain/job_state.hpp"

/// The fields of each struct that a document holds, listed once for both directions: `fields(archive, value)` calls
/// `archive("name", value.field)` for each. Private to document.cpp and content_walk.hpp.
namespace slipway::hub::domain::internal {

// The enumerations that a document may hold, with every value they may have: numbers from outside are checked.
inline constexpr std::array kModelTypes = {ModelType::kTorchScript,         ModelType::kTflite,    ModelType::kOnnx,
                                           ModelType::kQnnContextBinary,    ModelType::kAimetOnnx, ModelType::kQnnDlc,
                                           ModelType::kTorchExportedProgram};
inline constexpr std::array kFailureTypes = {
    FailureType::kUnspecified,      FailureType::kUnsupported,   FailureType::kInternal,
    FailureType::kRuntimeUnknown,   FailureType::kRuntimeCrash,  FailureType::kOutOfDisk,
    FailureType::kFailedDependency, FailureType::kOutOfMemory,   FailureType::kQnnToolError,
    FailureType::kTimeout,          FailureType::kInvalidInputs, FailureType::kInvalidArgument,
    FailureType::kModelCorrupt,     FailureType::kModelInvalid};
inline constexpr std::array kArtifactTypes = {ArtifactType::kDeviceLog, ArtifactType::kHubLog,
                                              ArtifactType::kProfileTrace, ArtifactType::kNetronArchive,
                                              ArtifactType::kQhasSummary};
inline constexpr std::array kPresences = {DevicePresence::kAttached, DevicePresence::kCatalogue};
inline constexpr std::array kUploadStates = {UploadState::kWaiting, UploadState::kComplete};

constexpr const auto& values_of(ModelType) {
  return kModelTypes;
}
inline std::span<const JobState> values_of(JobState) {
  return all_states();
}
constexpr const auto& values_of(FailureType) {
  return kFailureTypes;
}
constexpr const auto& values_of(ArtifactType) {
  return kArtifactTypes;
}
constexpr const auto& values_of(DevicePresence) {
  return kPresences;
}
constexpr const auto& values_of(UploadState) {
  return kUploadStates;
}

// The enumerations that stand in documents as words.
template <typename Enum>
struct Words;
template <>
struct Words<CompileTarget> {
  static constexpr std::array kTable = {
      std::pair{CompileTarget::kOnnx, "onnx"}, std::pair{CompileTarget::kPrecompiledQnnOnnx, "precompiled_qnn_onnx"},
      std::pair{CompileTarget::kQnnContextBinary, "qnn_context_binary"}, std::pair{CompileTarget::kQnnDlc, "qnn_dlc"}};
};
template <>
struct Words<ExecutionTarget> {
  static constexpr std::array kTable = {std::pair{ExecutionTarget::kCpu, "cpu"},
                                        std::pair{ExecutionTarget::kHtp, "htp"},
                                        std::pair{ExecutionTarget::kHtpEmulator, "htp emulator"}};
};
template <>
struct Words<Provider> {
  static constexpr std::array kTable = {std::pair{Provider::kCpu, "cpu"}, std::pair{Provider::kQnn, "qnn"}};
};
template <>
struct Words<Figures> {
  static constexpr std::array kTable = {std::pair{Figures::kMeasured, "measured"},
                                        std::pair{Figures::kEmulated, "emulated"}};
};
template <>
struct Words<Conversion> {
  static constexpr std::array kTable = {
      std::pair{Conversion::kNone, "none"}, std::pair{Conversion::kWrapBinary, "wrap binary"},
      std::pair{Conversion::kCompileSource, "compile source"}, std::pair{Conversion::kConvertTorch, "convert torch"},
      std::pair{Conversion::kEmbedBinary, "embed binary"}};
};
template <>
struct Words<kinds::NumberType> {
  static constexpr std::array kTable = {std::pair{kinds::NumberType::kInt8, "int8"},
                                        std::pair{kinds::NumberType::kInt16, "int16"},
                                        std::pair{kinds::NumberType::kInt4, "int4"}};
};
template <typename Enum>
concept HasWords = requires { Words<Enum>::kTable; };

// T is `X` when reading and `const X` when writing.
template <typename T, typename X>
concept Is = std::same_as<std::remove_const_t<T>, X>;

template <typename A, Is<Blob> T>
void fields(A& a, T& v) {
  a("sha256", v.sha256);
  a("size_bytes", v.size_bytes);
}
template <typename A, Is<Companion> T>
void fields(A& a, T& v) {
  a("filename", v.filename);
  a("content", v.content);
}
template <typename A, Is<Chip> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("soc_model", v.soc_model);
  a("htp_arch", v.htp_arch);
  a("supports_fp16", v.supports_fp16);
  a("supports_weight_sharing", v.supports_weight_sharing);
}
template <typename A, Is<Device> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("os", v.os);
  a("attributes", v.attributes);
  a("soc_description", v.soc_description);
  a("chip", v.chip);
  a("presence", v.presence);
  a("agent_id", v.agent_id);
  a("execution_targets", v.execution_targets);
}
template <typename A, Is<tensor::Quantization> T>
void fields(A& a, T& v) {
  a("scale", v.scale);
  a("zero_point", v.zero_point);
}
template <typename A, Is<tensor::TensorSpec> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("dtype", v.dtype);
  a("shape", v.shape);
  a("quantization", v.quantization);
  a("has_rank", v.has_rank);
}
template <typename A, Is<ModelTensor> T>
void fields(A& a, T& v) {
  a("spec", v.spec);
  a("graph_name", v.graph_name);
}
template <typename A, Is<DatasetEntry> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("dtype", v.dtype);
  a("shapes", v.shapes);
  a("sample_count", v.sample_count);
}
template <typename A, Is<Inspection> T>
void fields(A& a, T& v) {
  a("format", v.format);
  a("error", v.error);
  a("inputs", v.inputs);
  a("outputs", v.outputs);
  a("entries", v.entries);
  a("facts", v.facts);
}
template <typename A, Is<Model> T>
void fields(A& a, T& v) {
  a("id", v.id);
  a("owner_id", v.owner_id);
  a("name", v.name);
  a("created_us", v.created);
  a("type", v.type);
  a("is_directory", v.is_directory);
  a("upload", v.upload);
  a("content", v.content);
  a("companions", v.companions);
  a("producer_job_id", v.producer_job_id);
  a("inspection", v.inspection);
  a("metadata", v.metadata);
  a("project_id", v.project_id);
}
template <typename A, Is<Dataset> T>
void fields(A& a, T& v) {
  a("id", v.id);
  a("owner_id", v.owner_id);
  a("name", v.name);
  a("created_us", v.created);
  a("expires_us", v.expires);
  a("upload", v.upload);
  a("content", v.content);
  a("producer_job_id", v.producer_job_id);
  a("inspection", v.inspection);
  a("project_id", v.project_id);
}
template <typename A, Is<Artifact> T>
void fields(A& a, T& v) {
  a("type", v.type);
  a("filename", v.filename);
  a("content", v.content);
}
template <typename A, Is<MemoryRange> T>
void fields(A& a, T& v) {
  a("lower_bytes", v.lower_bytes);
  a("upper_bytes", v.upper_bytes);
}
template <typename A, Is<PhaseProfile> T>
void fields(A& a, T& v) {
  a("times_us", v.times_us);
  a("increase", v.increase);
  a("peak", v.peak);
}
template <typename A, Is<LayerProfile> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("op_type", v.op_type);
  a("provider", v.provider);
  a("unit", v.unit);
  a("time_us", v.time_us);
}
template <typename A, Is<ProfileEvidence> T>
void fields(A& a, T& v) {
  RunPlace place = v.place();
  RunFigures figures = v.figures();
  std::vector<LayerProfile> layers = v.layers();
  a("machine", place.machine);
  a("provider", place.provider);
  a("is_emulated", place.is_emulated);
  a("compile", figures.compile);
  a("cold_load", figures.cold_load);
  a("warm_load", figures.warm_load);
  a("inference", figures.inference);
  a("inference_median_us", figures.inference_median_us);
  a("layers", layers);
  a("placement", v.placement);
  a("stable", figures.stable);
  a("runtime_config", v.runtime_config);
  if constexpr (!std::is_const_v<T>) {
    T read(std::move(place));
    read.set_figures(std::move(figures));
    read.set_layers(std::move(layers));
    read.placement = std::move(v.placement);
    read.runtime_config = std::move(v.runtime_config);
    v = std::move(read);
  }
}
template <typename A, Is<OutputAgreement> T>
void fields(A& a, T& v) {
  a("output", v.output);
  a("max_abs", v.max_abs);
  a("relative_max", v.relative_max);
  a("cosine", v.cosine);
  a("psnr_db", v.psnr_db);
  a("snr_db", v.snr_db);
  a("elements", v.elements);
  a("not_comparable", v.not_comparable);
  a("source_nan", v.source_nan);
  a("equal_share", v.equal_share);
  a("is_exact", v.is_exact);
  a("alarm", v.alarm);
}
template <typename A, Is<Estimate> T>
void fields(A& a, T& v) {
  a("nominal_us", v.nominal_us);
  a("lower_us", v.lower_us);
  a("upper_us", v.upper_us);
}
template <typename A, Is<JobOutcome::File> T>
void fields(A& a, T& v) {
  a("type", v.type);
  a("filename", v.filename);
}
template <typename A, Is<JobOutcome> T>
void fields(A& a, T& v) {
  a("succeeded", v.succeeded);
  a("failure_type", v.failure_type);
  a("failure_reason", v.failure_reason);
  a("error_details", v.error_details);
  a.result(v.result);
  a("artifacts", v.artifacts);
  a("warnings", v.warnings);
  a("remarks", v.remarks);
  a("tool_versions", v.tool_versions);
  a("sandbox", v.sandbox);
}
template <typename A, Is<Job> T>
void fields(A& a, T& v) {
  a("id", v.id);
  a.payload("kind", v.payload);
  a("owner_id", v.owner_id);
  a("name", v.name);
  a("options", v.options);
  a("project_id", v.project_id);
  a("device", v.device);
  a("state", v.state);
  a("created_us", v.created);
  a("started_us", v.started);
  a("completed_us", v.completed);
  a("updated_us", v.updated);
  a("artifacts", v.artifacts);
  a("needs", v.needs);
  a("attempt", v.attempt);
  a("agent_id", v.agent_id);
  a("lease_token", v.lease_token);
  a("lease_until_us", v.lease_until);
}
template <typename A, Is<JobOptions> T>
void fields(A& a, T& v) {
  a("target_runtime", v.target_runtime);
  a("output_names", v.output_names);
  a("allow_npu", v.allow_npu);
  a("allow_gpu", v.allow_gpu);
  a("allow_cpu", v.allow_cpu);
  a("compute_unit_given", v.compute_unit_given);
  a("qairt_version", v.qairt_version);
  a("truncate_64bit_io", v.truncate_64bit_io);
  a("truncate_64bit_tensors", v.truncate_64bit_tensors);
  a("force_channel_last_input", v.force_channel_last_input);
  a("force_channel_last_output", v.force_channel_last_output);
  a("quantize_io", v.quantize_io);
  a("qnn_options", v.qnn_options);
  a("compare_limit_s", v.compare_limit);
  a("max_profiler_iterations", v.max_profiler_iterations);
  a("max_profiler_time_s", v.max_profiler_time);
  a("dequantize_outputs", v.dequantize_outputs);
  a("onnx_options", v.onnx_options);
  a("onnx_execution_providers", v.onnx_execution_providers);
  a("allow_emulation", v.allow_emulation);
  a("range_scheme", v.range_scheme);
}
template <typename A, Is<ExecutionPlan> T>
void fields(A& a, T& v) {
  a("target", v.target);
  a("runs_on", v.runs_on);
  a("provider", v.provider);
  a("fallback_allowed", v.fallback_allowed);
  a("figures", v.figures);
  a("converts_first", v.converts_first);
}
template <typename A, Is<JobSpec::InputModel> T>
void fields(A& a, T& v) {
  a("model", v.model);
  a("file", v.file);
  a("companion_files", v.companion_files);
}
template <typename A, Is<JobSpec> T>
void fields(A& a, T& v) {
  a("job", v.job);
  a("options", v.options);
  a("plan", v.plan);
  a("models", v.models);
  a("dataset", v.dataset);
  a("dataset_file", v.dataset_file);
}

}  // namespace slipway::hub::domain::internal
