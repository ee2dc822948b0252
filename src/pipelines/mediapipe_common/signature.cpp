#include "pipelines/mediapipe_common/signature.hpp"

#include <algorithm>
#include <optional>

#include <fmt/ranges.h>

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

std::int64_t values_of(const tensor::Shape& shape) {
  return tensor::element_count(shape).value_or(-1);
}

base::Result<PictureTensor> read_picture(const std::vector<TensorSpec>& inputs, std::string_view sizes,
                                         const Quantizations& quantization, int batch) {
  constexpr int kLongestSide = 256;
  const auto refuse = [&] {
    return base::fail(Code::kInvalidArgument,
                      "expected one input, an RGB picture [N, S, S, 3] or [N, 3, S, S] with S {}; found {}", sizes,
                      list_of(inputs));
  };
  if (inputs.size() != 1 || inputs[0].shape.size() != 4) return refuse();
  const std::int64_t found = inputs[0].shape[0];
  if (found != -1 && found != batch) {
    return base::fail(
        Code::kInvalidArgument,
        "input '{}': expected a batch of {} or a free one, found {}: ask for a batch of {}, or export the "
        "network with `--batch {}` or `--batch dynamic`",
        inputs[0].name, batch, tensor::to_string(inputs[0].dtype, inputs[0].shape), found, batch);
  }
  SLIPWAY_ASSIGN(PictureTensor picture, read_picture_input(inputs, 3, 1, 0, 0, quantization, batch));
  if (picture.width != picture.height || picture.width > kLongestSide) return refuse();
  return picture;
}

base::Result<std::vector<TensorSpec>> read_outputs(const std::vector<TensorSpec>& outputs,
                                                   const Quantizations& quantization, int batch) {
  SLIPWAY_ASSIGN(std::vector<TensorSpec> of_one, outputs_of_one(outputs, batch));
  for (TensorSpec& spec : of_one) SLIPWAY_TRY(complete_quantization(spec, "output", quantization));
  return of_one;
}

base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                        const std::vector<TensorSpec>& inputs,
                                                        const std::vector<TensorSpec>& outputs,
                                                        const Quantizations& quantization, int batch) {
  std::vector<int> sizes;
  for (const DetectorKind& kind : family.kinds) sizes.push_back(kind.size);
  const std::string size_list = fmt::format("{}", fmt::join(sizes, " or "));
  DetectorSignature signature;
  SLIPWAY_ASSIGN(signature.input, read_picture(inputs, size_list, quantization, batch));
  const auto known = std::ranges::find(family.kinds, signature.input.width, &DetectorKind::size);
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
  SLIPWAY_ASSIGN(signature.outputs, read_outputs(outputs, quantization, batch));
  signature.heads = find_heads(signature.outputs, {total}, row_values);
  if (signature.heads.empty()) signature.heads = find_heads(signature.outputs, parts, row_values);
  if (signature.heads.empty()) {
    return base::fail(
        Code::kInvalidArgument,
        "outputs: expected [{}, {}, {}] coordinates and [{}, {}, 1] logits, whole or in parts of {} rows, "
        "found {}: not a {} detector of {} pixels",
        batch, total, row_values, batch, total, fmt::join(parts, " + "), list_of(outputs), family.noun, known->size);
  }
  return signature;
}

}  // namespace slipway::pipelines::mediapipe
