#include <algorithm>
#include <unordered_map>

#include "runtime/assignment.hpp"
#include "runtime/lookup_op.hpp"
#include "runtime/openvino.hpp"
#include "runtime/session_state.hpp"
#include "runtime/stdout_guard.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;
using Options = std::unordered_map<std::string, std::string>;

GraphOptimizationLevel level_of(GraphOptimization level) {
  switch (level) {
    case GraphOptimization::kDisabled:
      return ORT_DISABLE_ALL;
    case GraphOptimization::kBasic:
      return ORT_ENABLE_BASIC;
    case GraphOptimization::kExtended:
      return ORT_ENABLE_EXTENDED;
    case GraphOptimization::kAll:
      return ORT_ENABLE_ALL;
  }
  return ORT_ENABLE_ALL;
}

base::Result<const ProviderRow*> row_of(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ProviderRow& row : provider_table()) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  return base::fail(Code::kInvalidArgument, "there is no provider '{}'; the providers are {}", name,
                    fmt::join(names, ", "));
}

base::Result<void> append_qnn(Environment::State& environment, Ort::SessionOptions& session_options,
                              const ProviderRequest& request) {
  SLIPWAY_ASSIGN(const std::vector<Ort::ConstEpDevice> devices, environment.qnn_devices());
  Options options(request.options.begin(), request.options.end());
  // Placement reports the NPU and marks the emulator, so the backend must be the one that is true of.
  if (options.contains("backend_type") ||
      (options.contains("backend_path") && fs::path(options["backend_path"]).filename() != kQnnHtpBackend)) {
    return base::fail(Code::kInvalidArgument,
                      "the qnn provider always runs on {}: backend_path and backend_type cannot be set",
                      kQnnHtpBackend);
  }
  options["backend_path"] = (environment.paths.qnn_folder / kQnnHtpBackend).string();
  if (request.htp) {
    // Both always: for some chips the library falls back to v68 when only the chip is named.
    options["soc_model"] = std::to_string(request.htp->soc_model);
    options["htp_arch"] = std::to_string(request.htp->htp_arch);
  }
  session_options.AppendExecutionProvider_V2(environment.env, {devices.front()}, options);
  return {};
}

void append_cuda(Ort::SessionOptions& session_options, const Options& options) {
  OrtCUDAProviderOptionsV2* raw = nullptr;
  Ort::ThrowOnError(Ort::GetApi().CreateCUDAProviderOptions(&raw));
  const std::unique_ptr<OrtCUDAProviderOptionsV2, void (*)(OrtCUDAProviderOptionsV2*)> cuda(
      raw, [](OrtCUDAProviderOptionsV2* pointer) { Ort::GetApi().ReleaseCUDAProviderOptions(pointer); });
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Ort::ThrowOnError(Ort::GetApi().UpdateCUDAProviderOptions(cuda.get(), keys.data(), values.data(), keys.size()));
  session_options.AppendExecutionProvider_CUDA_V2(*cuda);
}

void append_tensorrt(Ort::SessionOptions& session_options, const Options& options) {
  OrtTensorRTProviderOptionsV2* raw = nullptr;
  Ort::ThrowOnError(Ort::GetApi().CreateTensorRTProviderOptions(&raw));
  const std::unique_ptr<OrtTensorRTProviderOptionsV2, void (*)(OrtTensorRTProviderOptionsV2*)> tensorrt(
      raw, [](OrtTensorRTProviderOptionsV2* pointer) { Ort::GetApi().ReleaseTensorRTProviderOptions(pointer); });
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Ort::ThrowOnError(
      Ort::GetApi().UpdateTensorRTProviderOptions(tensorrt.get(), keys.data(), values.data(), keys.size()));
  session_options.AppendExecutionProvider_TensorRT_V2(*tensorrt);
}

base::Result<void> append_openvino(Environment::State& environment, Ort::SessionOptions& session_options,
                                   const Options& options) {
  const auto lines = [&environment] {
    const std::scoped_lock lock(environment.mutex);
    return environment.log;
  };
  const std::size_t before = lines().size();
  try {
    session_options.AppendExecutionProvider("OpenVINO", options);
  } catch (const Ort::Exception& exception) {
    // The reason goes to the environment's log only.
    const std::vector<std::string> all = lines();
    const std::vector<std::string> reasons(all.begin() + static_cast<std::ptrdiff_t>(std::min(before, all.size())),
                                           all.end());
    return base::fail(Code::kInvalidArgument, "the openvino provider did not start: {}{}{}", exception.what(),
                      reasons.empty() ? "" : ": ", fmt::join(reasons, "; "));
  }
  return {};
}

base::Result<void> append_provider(Environment::State& environment, Ort::SessionOptions& session_options,
                                   const ProviderRequest& request, int threads) {
  SLIPWAY_ASSIGN(const ProviderRow* row, row_of(request.name));
  if (request.precision != Precision::kFloat32 && row->name != "openvino") {
    return base::fail(
        Code::kInvalidArgument,
        "bf16 is what the openvino provider computes in on request; the {} provider runs a model as it is", row->name);
  }
  if (request.htp && row->name != "qnn") {
    return base::fail(Code::kInvalidArgument, "a Snapdragon chip was named, which only the qnn provider takes, not {}",
                      row->name);
  }
  if (row->name == "cpu") {
    if (request.options.empty()) return {};
    return base::fail(Code::kInvalidArgument, "the cpu provider has no options, got '{}'",
                      request.options.begin()->first);
  }
  if (row->name == "qnn") return append_qnn(environment, session_options, request);
  if (std::ranges::find(environment.carried, row->execution_provider) == environment.carried.end()) {
    return base::fail(Code::kUnavailable, "the {} provider is not in {}; it needs {}", row->name,
                      environment.paths.onnxruntime.string(), row->needs);
  }
  Options options(request.options.begin(), request.options.end());
  if (row->name == "openvino") {
    SLIPWAY_ASSIGN(options, openvino_options(request, threads));
    SLIPWAY_TRY(append_openvino(environment, session_options, options));
  } else if (row->name == "cuda") {
    append_cuda(session_options, options);
  } else if (row->name == "tensorrt") {
    append_tensorrt(session_options, options);
  } else {
    // ONNX Runtime knows these by short names of its own.
    const std::string name = row->name == "xnnpack" ? "XNNPACK" : row->name == "coreml" ? "CoreML" : "DML";
    session_options.AppendExecutionProvider(name, options);
  }
  return {};
}

}  // namespace

base::Result<Ort::SessionOptions> make_session_options(Environment::State& environment, const SessionOptions& options,
                                                       SessionLog& log) {
  if (options.intra_op_threads < 0 || options.inter_op_threads < 0) {
    return base::fail(Code::kInvalidArgument, "a number of threads is 0 (ONNX Runtime's choice) or more, got {}",
                      std::min(options.intra_op_threads, options.inter_op_threads));
  }
  Ort::SessionOptions made;
  Ort::ThrowOnError(Ort::GetApi().SetUserLoggingFunction(made, SessionLog::receive, &log));
  // QNN gives the reasons of its refusals in its verbose lines only.
  const bool wants_reasons = options.provider.name == "qnn" && options.record_placement;
  made.SetLogSeverityLevel(wants_reasons ? ORT_LOGGING_LEVEL_VERBOSE : ORT_LOGGING_LEVEL_WARNING);
  if (options.intra_op_threads > 0) made.SetIntraOpNumThreads(options.intra_op_threads);
  if (options.inter_op_threads > 0) made.SetInterOpNumThreads(options.inter_op_threads);
  if (options.parallel_execution) made.SetExecutionMode(ORT_PARALLEL);
  if (!options.enable_memory_pattern) made.DisableMemPattern();
  if (!options.enable_cpu_memory_arena) made.DisableCpuMemArena();
  if (!options.allow_spinning) {
    made.AddConfigEntry("session.intra_op.allow_spinning", "0");
    made.AddConfigEntry("session.inter_op.allow_spinning", "0");
  }
  if (!options.spin_between_runs) made.AddConfigEntry("session.force_spinning_stop", "1");
  made.SetGraphOptimizationLevel(level_of(options.graph_optimization));
  if (options.fallback == Fallback::kForbid && options.provider.name != "cpu") {
    made.AddConfigEntry("session.disable_cpu_ep_fallback", "1");
  }
  if (options.record_placement && can_read_assignment(*environment.base)) made.AddConfigEntry(kRecordAssignment, "1");
  for (const auto& [key, value] : options.config_entries) made.AddConfigEntry(key.c_str(), value.c_str());
  add_lookup_op(made);
  // After the entries: a library may read them.
  for (const fs::path& library : options.custom_op_libraries) made.RegisterCustomOpsLibrary(library.c_str());
  if (!options.profile_prefix.empty()) made.EnableProfiling(options.profile_prefix.c_str());
  SLIPWAY_TRY(append_provider(environment, made, options.provider, options.intra_op_threads));
  return made;
}

}  // namespace slipway::runtime
