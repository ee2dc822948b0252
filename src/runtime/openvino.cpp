#include "runtime/openvino.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runtime/provider_setup.hpp"

namespace slipway::runtime {

using base::Code;
using nlohmann::json;

namespace {

constexpr const char* kPrecision = "INFERENCE_PRECISION_HINT";
constexpr const char* kThreads = "INFERENCE_NUM_THREADS";

/// OpenVINO has bf16 kernels from AVX-512 on, natively or by conversion, and takes float32 without a word elsewhere.
bool computes_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") != 0;
#else
  return false;
#endif
}

base::Result<void> check_precision(const json& cpu) {
  if (!cpu.contains(kPrecision)) return {};
  if (cpu[kPrecision] == "f32" || cpu[kPrecision] == "bf16") return {};
  return base::fail(Code::kInvalidArgument, "load_config: expected {} \"f32\" or \"bf16\", found {}", kPrecision,
                    cpu[kPrecision].dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

base::Result<std::unordered_map<std::string, std::string>> openvino_options(const ProviderRequest& request,
                                                                            int threads) {
  std::unordered_map<std::string, std::string> options(request.options.begin(), request.options.end());
  // Placement reports the CPU, so that must be where the nodes run.
  if (options.contains("device_type") && options["device_type"] != "CPU") {
    return base::fail(Code::kInvalidArgument,
                      "the openvino provider runs on the CPU here: device_type '{}' cannot be set",
                      options["device_type"]);
  }
  options["device_type"] = "CPU";
  json config = json::object();
  if (options.contains("load_config")) {
    config = json::parse(options["load_config"], nullptr, /*allow_exceptions=*/false);
    if (!config.is_object() || !config.value("CPU", json::object()).is_object()) {
      return base::fail(
          Code::kInvalidArgument,
          "load_config: expected JSON like {{\"CPU\":{{\"INFERENCE_PRECISION_HINT\":\"bf16\"}}}}, found {}",
          options["load_config"]);
    }
  }
  json& cpu = config["CPU"];
  if (cpu.is_null()) cpu = json::object();
  SLIPWAY_TRY(check_precision(cpu));
  const char* const wanted = request.precision == Precision::kBfloat16 ? "bf16" : "f32";
  // Left to itself OpenVINO computes in bf16 where that is fast: the model's own precision is asked for by name.
  if (!cpu.contains(kPrecision)) cpu[kPrecision] = wanted;
  if (request.precision == Precision::kBfloat16 && cpu[kPrecision] != "bf16") {
    return base::fail(Code::kInvalidArgument, "bf16 was asked for, and load_config asks for {}",
                      cpu[kPrecision].get<std::string>());
  }
  if (cpu[kPrecision] == "bf16" && !computes_bf16()) {
    return base::fail(Code::kUnavailable,
                      "bf16 needs a processor with AVX-512: on this one OpenVINO would compute in float32");
  }
  if (threads > 0 && !cpu.contains(kThreads)) cpu[kThreads] = std::to_string(threads);
  options["load_config"] = config.dump(-1, ' ', false, json::error_handler_t::replace);
  return options;
}

base::Result<void> configure_openvino(const ProviderSetup& setup) {
  SLIPWAY_TRY(check_available(setup.environment, setup.row));
  SLIPWAY_ASSIGN(const auto options, openvino_options(setup.request, setup.threads));
  const auto lines = [&state = setup.environment] {
    const std::scoped_lock lock(state.mutex);
    return state.log;
  };
  const std::size_t before = lines().size();
  try {
    setup.session_options.AppendExecutionProvider("OpenVINO", options);
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

}  // namespace slipway::runtime
