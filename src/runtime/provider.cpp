#include "runtime/provider.hpp"

namespace slipway::runtime {

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
  static const std::vector<ProviderRow> rows = {
      {"cpu", "CPUExecutionProvider", ComputeUnit::kCpu, false, "nothing: every build of ONNX Runtime has it"},
      {"qnn", "QNNExecutionProvider", ComputeUnit::kNpu, true,
       "the plug-in of the onnxruntime-qnn package: `make setup`, or SLIPWAY_QNN=<its folder>"},
      {"xnnpack", "XnnpackExecutionProvider", ComputeUnit::kCpu, false,
       "a build of ONNX Runtime with XNNPACK; name it with SLIPWAY_ONNXRUNTIME"},
      {"openvino", "OpenVINOExecutionProvider", ComputeUnit::kCpu, false,
       "another build of ONNX Runtime (onnxruntime-openvino), hence a process of its own: `tools/setup.sh openvino`, "
       "or "
       "SLIPWAY_OPENVINO=<its folder>"},
      {"cuda", "CUDAExecutionProvider", ComputeUnit::kGpu, false,
       "onnxruntime-gpu with CUDA and cuDNN; name its library with SLIPWAY_ONNXRUNTIME"},
      {"tensorrt", "TensorrtExecutionProvider", ComputeUnit::kGpu, false,
       "onnxruntime-gpu with TensorRT; name its library with SLIPWAY_ONNXRUNTIME"},
      {"coreml", "CoreMLExecutionProvider", ComputeUnit::kNpu, false, "macOS or iOS and ONNX Runtime built for it"},
      {"directml", "DmlExecutionProvider", ComputeUnit::kGpu, false, "Windows and onnxruntime-directml"},
  };
  return rows;
}

}  // namespace slipway::runtime
