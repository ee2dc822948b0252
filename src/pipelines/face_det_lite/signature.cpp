#include "pipelines/face_det_lite/signature.hpp"

#include <optional>

#include "pipelines/common/image_signature.hpp"
#include "pipelines/face_det_lite/config.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

using base::Code;
using tensor::TensorSpec;

/// The layout in which `shape` has this many channels of rows × columns.
std::optional<media::Layout> layout_of(const tensor::Shape& shape, std::int64_t batch, std::int64_t channels,
                                       std::int64_t rows, std::int64_t columns) {
  if (tensor::shape_accepts(shape, {batch, channels, rows, columns})) return media::Layout::kNchw;
  if (tensor::shape_accepts(shape, {batch, rows, columns, channels})) return media::Layout::kNhwc;
  return std::nullopt;
}

base::Result<Head> find_head(const std::vector<TensorSpec>& outputs, std::string_view role, std::int64_t channels,
                             const Signature& signature,
                             const std::map<std::string, tensor::Quantization>& quantization) {
  const std::int64_t rows = signature.height / kStride, columns = signature.width / kStride;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto layout = layout_of(outputs[i].shape, signature.batch, channels, rows, columns);
    if (!layout) continue;
    Head head{i, outputs[i], *layout};
    SLIPWAY_TRY(complete_quantization(head.spec, "output", quantization));
    return head;
  }
  return base::fail(
      Code::kInvalidArgument,
      "no {} output: expected one of [{}, {}, {}, {}] or [{}, {}, {}, {}], found {}: not a face_det_lite network", role,
      signature.batch, channels, rows, columns, signature.batch, rows, columns, channels, list_of(outputs));
}

}  // namespace

base::Result<Signature> read_signature(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs,
                                       const std::map<std::string, tensor::Quantization>& quantization, int batch) {
  constexpr int kDefaultWidth = 640, kDefaultHeight = 480;
  SLIPWAY_ASSIGN(const ImageTensor image,
                 read_image_input(inputs, 1, kSidesDivideBy, kDefaultWidth, kDefaultHeight, quantization, batch));
  Signature signature;
  signature.input = image.spec;
  signature.batch = batch;
  signature.width = image.width;
  signature.height = image.height;
  SLIPWAY_ASSIGN(signature.heatmap, find_head(outputs, "heatmap", 1, signature, quantization));
  SLIPWAY_ASSIGN(signature.box, find_head(outputs, "box", 4, signature, quantization));
  SLIPWAY_ASSIGN(signature.landmark, find_head(outputs, "landmark", 10, signature, quantization));
  return signature;
}

}  // namespace slipway::pipelines::face_det_lite
