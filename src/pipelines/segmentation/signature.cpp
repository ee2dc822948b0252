#include "pipelines/segmentation/signature.hpp"

#include <algorithm>
#include <cstdlib>

#include "pipelines/segmentation/label_map.hpp"

namespace slipway::pipelines::segmentation {

using base::Code;
using tensor::TensorSpec;

base::Result<Signature> read_signature(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& given,
                                       const std::map<std::string, tensor::Quantization>& quantization, int batch) {
  constexpr int kDefaultWidth = 2048, kDefaultHeight = 1024, kDefaultStride = 8;
  Signature signature;
  SLIPWAY_ASSIGN(signature.input, read_image_input(inputs, 3, 1, kDefaultWidth, kDefaultHeight, quantization, batch));
  SLIPWAY_ASSIGN(const std::vector<TensorSpec> outputs, outputs_of_one(given, batch));
  signature.batch = batch;
  const int width = signature.input.width, height = signature.input.height;
  const auto refuse = [&] {
    return base::fail(
        Code::kInvalidArgument,
        "the outputs are {}: expected one map of classes [1, C, h, w] or [1, h, w, C] with 2 … {} classes "
        "and at most {}x{} cells: not a segmentation network",
        list_of(outputs), kMostClasses, height, width);
  };
  if (outputs.size() != 1 || outputs[0].shape.size() != 4) return refuse();
  signature.logits = outputs[0];
  tensor::Shape& shape = signature.logits.shape;
  // Classes come first unless only the other reading has the proportions of the image.
  const auto is_image_like = [&](std::int64_t grid_rows, std::int64_t grid_columns) {
    return grid_rows > 0 && grid_columns > 0 &&
           std::abs(grid_rows * width - grid_columns * height) <= std::max(width, height);
  };
  const bool is_channel_last =
      shape[1] < 0 || (!is_image_like(shape[2], shape[3]) && is_image_like(shape[1], shape[2]));
  signature.layout = is_channel_last ? media::Layout::kNhwc : media::Layout::kNchw;
  std::int64_t& rows = shape[is_channel_last ? 1 : 2];
  std::int64_t& columns = shape[is_channel_last ? 2 : 3];
  const std::int64_t classes = shape[is_channel_last ? 3 : 1];
  if (rows == -1) rows = height / kDefaultStride;
  if (columns == -1) columns = width / kDefaultStride;
  if (classes < 2 || classes > kMostClasses || rows < 1 || columns < 1 || rows > height || columns > width) {
    return refuse();
  }
  SLIPWAY_TRY(complete_quantization(signature.logits, "output", quantization));
  signature.class_count = static_cast<int>(classes);
  signature.rows = static_cast<int>(rows);
  signature.columns = static_cast<int>(columns);
  return signature;
}

}  // namespace slipway::pipelines::segmentation
