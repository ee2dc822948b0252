#include "runtime/provider.hpp"

#include <algorithm>
#include <memory>

#include "runtime/provider_setup.hpp"

namespace slipway::runtime {
namespace {

using base::Code;

base::Result<std::string> find_available(const Environment& environment, const ProviderRow& row) {
  if (!check_available(environment.state(), row)) return base::fail(Code::kUnavailable, "needs {}", row.needs);
  return fmt::format("ONNX Runtime {}", environment.onnxruntime_version());
}

base::Result<void> configure_cpu(const ProviderSetup& setup) {
  if (setup.request.options.empty()) return {};
  return base::fail(Code::kInvalidArgument, "the cpu provider has no options, got '{}'",
                    setup.request.options.begin()->first);
}

/// For providers that ONNX Runtime knows by a short name of its own.
template <const char* short_name>
base::Result<void> configure_by_name(const ProviderSetup& setup) {
  SLIPWAY_TRY(check_available(setup.environment, setup.row));
  setup.session_options.AppendExecutionProvider(short_name,
                                                {setup.request.options.begin(), setup.request.options.end()});
  return {};
}
constexpr char kXnnpack[] = "XNNPACK", kCoreMl[] = "CoreML", kDirectMl[] = "DML";

/// For providers with options in a struct of their own, which is made, filled from words, and let go.
template <typename Options, auto create, auto update, auto release, auto append>
base::Result<void> configure_by_struct(const ProviderSetup& setup) {
  SLIPWAY_TRY(check_available(setup.environment, setup.row));
  const OrtApi& api = Ort::GetApi();
  Options* raw = nullptr;
  Ort::ThrowOnError((api.*create)(&raw));
  const std::unique_ptr<Options, void (*)(Options*)> options(raw,
                                                             [](Options* each) { (Ort::GetApi().*release)(each); });
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : setup.request.options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Ort::ThrowOnError((api.*update)(options.get(), keys.data(), values.data(), keys.size()));
  Ort::ThrowOnError((api.*append)(setup.session_options, options.get()));
  return {};
}

constexpr auto configure_cuda =
    configure_by_struct<OrtCUDAProviderOptionsV2, &OrtApi::CreateCUDAProviderOptions,
                        &OrtApi::UpdateCUDAProviderOptions, &OrtApi::ReleaseCUDAProviderOptions,
                        &OrtApi::SessionOptionsAppendExecutionProvider_CUDA_V2>;
constexpr auto configure_tensorrt =
    configure_by_struct<OrtTensorRTProviderOptionsV2, &OrtApi::CreateTensorRTProviderOptions,
                        &OrtApi::UpdateTensorRTProviderOptions, &OrtApi::ReleaseTensorRTProviderOptions,
                        &OrtApi::SessionOptionsAppendExecutionProvider_TensorRT_V2>;

}  // namespace

std::string_view compute_unit_name(ComputeUnit unit) {
  switch (unit) {
    case ComputeUnit::kCpu:
      return "CPU";
    case ComputeUnit::kGpu:
      return "GPU";
    case ComputeUnit::kNpu:
      return "NPU";
  }
  return "CPU";
}

const std::vector<ProviderRow>& provider_table() {
  using enum ComputeUnit;
  static const std::vector<ProviderRow> rows = {
      {.name = "cpu",
       .execution_provider = "CPUExecutionProvider",
       .unit = kCpu,
       .needs = "nothing: every build of ONNX Runtime has it",
       .configure = configure_cpu,
       .find = find_available,
       .is_fallback = true},
      {.name = "qnn",
       .execution_provider = "QNNExecutionProvider",
       .unit = kNpu,
       .needs = "the plug-in of the onnxruntime-qnn package: `make setup`, or SLIPWAY_QNN=<its folder>",
       .configure = configure_qnn,
       .find = find_qnn,
       .is_plugin = true,
       .is_emulator = kHtpIsEmulated,
       .accepts_htp = true,
       .refuses_when_verbose = true},
      {.name = "xnnpack",
       .execution_provider = "XnnpackExecutionProvider",
       .unit = kCpu,
       .needs = "a build of ONNX Runtime with XNNPACK; name it with SLIPWAY_ONNXRUNTIME",
       .configure = configure_by_name<kXnnpack>,
       .find = find_available},
      {.name = "openvino",
       .execution_provider = "OpenVINOExecutionProvider",
       .unit = kCpu,
       .needs = "another build of ONNX Runtime (onnxruntime-openvino), hence a process of its own: "
                "`tools/setup.sh openvino`, or SLIPWAY_OPENVINO=<its folder>",
       .configure = configure_openvino,
       .find = find_available,
       .has_own_build = true,
       .accepts_bfloat16 = true},
      {.name = "cuda",
       .execution_provider = "CUDAExecutionProvider",
       .unit = kGpu,
       .needs = "onnxruntime-gpu with CUDA and cuDNN; name its library with SLIPWAY_ONNXRUNTIME",
       .configure = configure_cuda,
       .find = find_available},
      {.name = "tensorrt",
       .execution_provider = "TensorrtExecutionProvider",
       .unit = kGpu,
       .needs = "onnxruntime-gpu with TensorRT; name its library with SLIPWAY_ONNXRUNTIME",
       .configure = configure_tensorrt,
       .find = find_available},
      {.name = "coreml",
       .execution_provider = "CoreMLExecutionProvider",
       .unit = kNpu,
       .needs = "macOS or iOS and ONNX Runtime built for it",
       .configure = configure_by_name<kCoreMl>,
       .find = find_available},
      {.name = "directml",
       .execution_provider = "DmlExecutionProvider",
       .unit = kGpu,
       .needs = "Windows and onnxruntime-directml",
       .configure = configure_by_name<kDirectMl>,
       .find = find_available},
  };
  return rows;
}

base::Result<const ProviderRow*> find_provider(std::string_view name) {
  const auto row = std::ranges::find(provider_table(), name, &ProviderRow::name);
  if (row != provider_table().end()) return &*row;
  std::vector<std::string_view> names;
  for (const ProviderRow& each : provider_table()) names.push_back(each.name);
  return base::fail(Code::kInvalidArgument, "there is no provider '{}'; the providers are {}", name,
                    fmt::join(names, ", "));
}

bool provider_has(std::string_view provider, bool ProviderRow::*property) {
  const auto row = find_provider(provider);
  return row && (*row)->*property;
}

const ProviderRow& htp_provider() {
  return *std::ranges::find_if(provider_table(), &ProviderRow::accepts_htp);
}

base::Result<void> check_available(const Environment::State& environment, const ProviderRow& row) {
  if (std::ranges::find(environment.available, row.execution_provider) != environment.available.end()) return {};
  return base::fail(Code::kUnavailable, "the {} provider is not in {}; it needs {}", row.name,
                    environment.paths.onnxruntime.string(), row.needs);
}

}  // namespace slipway::runtime
