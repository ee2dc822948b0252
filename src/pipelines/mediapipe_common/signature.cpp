#include "pipelines/mediapipe_common/signature.hpp"

#include <algorithm>
#include <optional>

#include <fmt/ranges.h>

#include "pipelines/common/picture_signature.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

using base::Code;
using tensor::TensorSpec;

std::optional<std::size_t> find_output(const std::vector<TensorSpec>& outputs, std::int64_t rows,
                                       std::int64_t columns) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const tensor::Shape& shape = outputs[i].shape;
    const bool has_columns = !shape.empty() && shape.back() == columns;
    if (has_columns && values_of(shape) == rows * columns) return i;
  }
  return std::nullopt;
}

/// Pairs with these numbers of rows, if all are there.
std::vector<HeadPair> find_heads(const std::vector<TensorSpec>& outputs, const std::vector<std::size_t>& parts,
                                 std::int64_t row_values) {
  std::vector<HeadPair> heads;
  for (const std::size_t rows : parts) {
    const auto coordinates = find_output(outputs, static_cast<std::int64_t>(rows), row_values);
    const auto logits = find_output(outputs, static_cast<std::int64_t>(rows), 1);
    if (!coordinates || !logits) return {};
    heads.push_back({*coordinates, *logits, rows});
  }
  return heads;
}

}  // namespace

std::int64_t values_of(tensor::Shape shape) {
  if (!shape.empty() && shape[0] == -1) shape[0] = 1;
  return tensor::element_count(shape).value_or(-1);
}

base::Result<PictureSpec> read_picture(const std::vector<TensorSpec>& inputs, std::string_view sizes,
                                       const Quantizations& quantization) {
  const auto refuse = [&] {
    return base::fail(Code::kInvalidArgument,
                      "expected one input, an RGB picture [1, S, S, 3] or [1, 3, S, S] with S {}; found {}", sizes,
                      list_of(inputs));
  };
  if (inputs.size() != 1 || inputs[0].shape.size() != 4) return refuse();
  PictureSpec picture;
  picture.tensor = inputs[0];
  tensor::Shape& shape = picture.tensor.shape;
  if (shape[0] != 1 && shape[0] != -1) return refuse();
  shape[0] = 1;
  picture.layout = shape[3] == 3 ? media::Layout::kNhwc : media::Layout::kNchw;
  if (picture.layout == media::Layout::kNchw && shape[1] != 3) return refuse();
  const std::size_t first = picture.layout == media::Layout::kNhwc ? 1 : 2;
  if (shape[first] != shape[first + 1] || shape[first] < 1 || shape[first] > 256) return refuse();
  picture.size = static_cast<int>(shape[first]);
  SLIPWAY_TRY(complete_quantization(picture.tensor, "input", quantization));
  return picture;
}

base::Result<void> complete_outputs(std::vector<TensorSpec>& outputs, const Quantizations& quantization) {
  for (TensorSpec& spec : outputs) SLIPWAY_TRY(complete_quantization(spec, "output", quantization));
  return {};
}

base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                        const std::vector<TensorSpec>& inputs,
                                                        const std::vector<TensorSpec>& outputs,
                                                        const Quantizations& quantization) {
  std::vector<int> sizes;
  for (const DetectorKind& kind : family.kinds) sizes.push_back(kind.size);
  const std::string size_list = fmt::format("{}", fmt::join(sizes, " or "));
  DetectorSignature signature;
  SLIPWAY_ASSIGN(signature.input, read_picture(inputs, size_list, quantization));
  const auto known = std::ranges::find(family.kinds, signature.input.size, &DetectorKind::size);
  if (known == family.kinds.end()) {
    return base::fail(Code::kInvalidArgument, "input '{}': a {} detector sees {} pixels, found {}", inputs[0].name,
                      family.noun, size_list, tensor::to_string(inputs[0].dtype, inputs[0].shape));
  }
  signature.kind = static_cast<std::size_t>(known - family.kinds.begin());
  const auto row_values = static_cast<std::int64_t>(4 + 2 * family.keypoint_count);
  std::size_t total = 0;
  std::vector<std::size_t> parts;
  for (const AnchorLayer& layer : known->layers) {
    parts.push_back(layer.count(known->size));
    total += parts.back();
  }
  signature.heads = find_heads(outputs, {total}, row_values);
  if (signature.heads.empty()) signature.heads = find_heads(outputs, parts, row_values);
  if (signature.heads.empty()) {
    return base::fail(Code::kInvalidArgument,
                      "outputs: expected [1, {}, {}] coordinates and [1, {}, 1] logits, whole or in parts of {} rows, "
                      "found {}: not a {} detector of {} pixels",
                      total, row_values, total, fmt::join(parts, " + "), list_of(outputs), family.noun, known->size);
  }
  signature.outputs = outputs;
  SLIPWAY_TRY(complete_outputs(signature.outputs, quantization));
  return signature;
}

}  // namespace slipway::pipelines::mediapipe
