#include "pipelines/face_det_lite/signature.hpp"

#include <optional>

#include "pipelines/common/real_values.hpp"
#include "pipelines/face_det_lite/config.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

using base::Code;
using tensor::TensorSpec;

/// Adds the quantisation of an integer tensor and refuses dtypes that cannot be read.
base::Result<void> complete(TensorSpec& spec, std::string_view role,
                            const std::map<std::string, tensor::Quantization>& quantization) {
  if (spec.dtype == tensor::Dtype::kFloat32) return {};
  if (!is_quantized_dtype(spec.dtype)) {
    return base::fail(Code::kInvalidArgument, "{} '{}': expected float32, uint8, int8, uint16 or int16, found {}", role,
                      spec.name, tensor::to_string(spec.dtype, spec.shape));
  }
  if (const auto found = quantization.find(spec.name); found != quantization.end()) spec.quantization = found->second;
  if (!spec.quantization) {
    return base::fail(
        Code::kInvalidArgument,
        "{} '{}' is {}: its scale and zero point are needed; neither the model nor a model.yaml says them", role,
        spec.name, tensor::dtype_name(spec.dtype));
  }
  return {};
}

bool is_picture_side(std::int64_t side) {
  return side >= kSidesDivideBy && side <= 8192 && side % kSidesDivideBy == 0;
}

std::string list_of(const std::vector<TensorSpec>& specs) {
  std::string text;
  for (const TensorSpec& spec : specs) {
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", spec.name, tensor::to_string(spec.dtype, spec.shape));
  }
  return text.empty() ? "none" : text;
}

/// The layout in which `shape` has this many channels of rows × columns.
std::optional<media::Layout> layout_of(const tensor::Shape& shape, std::int64_t channels, std::int64_t rows,
                                       std::int64_t columns) {
  if (tensor::shape_accepts(shape, {1, channels, rows, columns})) return media::Layout::kNchw;
  if (tensor::shape_accepts(shape, {1, rows, columns, channels})) return media::Layout::kNhwc;
  return std::nullopt;
}

base::Result<Head> find_head(const std::vector<TensorSpec>& outputs, std::string_view role, std::int64_t channels,
                             const Signature& signature,
                             const std::map<std::string, tensor::Quantization>& quantization) {
  const std::int64_t rows = signature.height / kStride, columns = signature.width / kStride;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto layout = layout_of(outputs[i].shape, channels, rows, columns);
    if (!layout) continue;
    Head head{i, outputs[i], *layout};
    SLIPWAY_TRY(complete(head.spec, "output", quantization));
    return head;
  }
  return base::fail(
      Code::kInvalidArgument,
      "no {} output: expected one of [1, {}, {}, {}] or [1, {}, {}, {}], found {}: not a face_det_lite network", role,
      channels, rows, columns, rows, columns, channels, list_of(outputs));
}

}  // namespace

base::Result<Signature> read_signature(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs,
                                       const std::map<std::string, tensor::Quantization>& quantization) {
  constexpr std::int64_t kDefaultHeight = 480, kDefaultWidth = 640;
  if (inputs.size() != 1) {
    return base::fail(Code::kInvalidArgument, "expected one input, a grey picture [1, 1, 480, 640]; found {}",
                      list_of(inputs));
  }
  Signature signature;
  signature.input = inputs[0];
  tensor::Shape& shape = signature.input.shape;
  const auto refuse = [&] {
    return base::fail(
        Code::kInvalidArgument,
        "input '{}': expected a grey picture [1, 1, H, W] or [1, H, W, 1] with sides that divide by {}, found {}",
        inputs[0].name, kSidesDivideBy, tensor::to_string(inputs[0].dtype, inputs[0].shape));
  };
  if (shape.size() != 4 || (shape[0] != 1 && shape[0] != -1)) return refuse();
  const bool is_channel_last = shape[3] == 1;
  if (!is_channel_last && shape[1] != 1) return refuse();
  shape[0] = 1;
  std::int64_t& height = shape[is_channel_last ? 1 : 2];
  std::int64_t& width = shape[is_channel_last ? 2 : 3];
  if (height == -1) height = kDefaultHeight;
  if (width == -1) width = kDefaultWidth;
  if (!is_picture_side(height) || !is_picture_side(width)) return refuse();
  SLIPWAY_TRY(complete(signature.input, "input", quantization));
  signature.width = static_cast<int>(width);
  signature.height = static_cast<int>(height);
  SLIPWAY_ASSIGN(signature.heatmap, find_head(outputs, "heatmap", 1, signature, quantization));
  SLIPWAY_ASSIGN(signature.box, find_head(outputs, "box", 4, signature, quantization));
  SLIPWAY_ASSIGN(signature.landmark, find_head(outputs, "landmark", 10, signature, quantization));
  return signature;
}

}  // namespace slipway::pipelines::face_det_lite
