#include "pipelines/mediapipe_face/signature.hpp"

#include <algorithm>
#include <optional>

#include "pipelines/common/real_values.hpp"
#include "pipelines/mediapipe_face/config.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

using base::Code;
using mediapipe::AnchorLayer;
using tensor::TensorSpec;

constexpr std::int64_t kRowValues = 4 + 2 * static_cast<std::int64_t>(kKeypointCount);
constexpr std::int64_t kLandmarkValues = 3 * static_cast<std::int64_t>(kLandmarkCount);

struct Known {
  Variant variant;
  int size;
  std::vector<AnchorLayer> layers;
};

const std::vector<Known>& known_detectors() {
  static const std::vector<Known> kKnown = {{Variant::kShortRange, 128, {{8, 2}, {16, 6}}},
                                            {Variant::kFullRange, 192, {{4, 1}}},
                                            {Variant::kBack, 256, {{16, 2}, {32, 6}}}};
  return kKnown;
}

std::string list_of(const std::vector<TensorSpec>& specs) {
  std::string text;
  for (const TensorSpec& spec : specs) {
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", spec.name, tensor::to_string(spec.dtype, spec.shape));
  }
  return text.empty() ? "none" : text;
}

/// Adds the quantisation of an integer tensor and refuses dtypes that cannot be read.
base::Result<void> complete(TensorSpec& spec, std::string_view role, const Quantizations& quantization) {
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
  SLIPWAY_TRY(complete(picture.tensor, "input", quantization));
  return picture;
}

/// Elements of a shape whose batch may be dynamic.
std::int64_t values_of(tensor::Shape shape) {
  if (!shape.empty() && shape[0] == -1) shape[0] = 1;
  return tensor::element_count(shape).value_or(-1);
}

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
std::vector<HeadPair> find_heads(const std::vector<TensorSpec>& outputs, const std::vector<std::size_t>& parts) {
  std::vector<HeadPair> heads;
  for (const std::size_t rows : parts) {
    const auto coordinates = find_output(outputs, static_cast<std::int64_t>(rows), kRowValues);
    const auto logits = find_output(outputs, static_cast<std::int64_t>(rows), 1);
    if (!coordinates || !logits) return {};
    heads.push_back({*coordinates, *logits, rows});
  }
  return heads;
}

base::Result<void> complete_all(std::vector<TensorSpec>& outputs, const Quantizations& quantization) {
  for (TensorSpec& spec : outputs) SLIPWAY_TRY(complete(spec, "output", quantization));
  return {};
}

}  // namespace

base::Result<DetectorSignature> read_detector_signature(const std::vector<TensorSpec>& inputs,
                                                        const std::vector<TensorSpec>& outputs,
                                                        const Quantizations& quantization) {
  DetectorSignature signature;
  SLIPWAY_ASSIGN(signature.input, read_picture(inputs, "128, 192 or 256", quantization));
  const auto known = std::ranges::find(known_detectors(), signature.input.size, &Known::size);
  if (known == known_detectors().end()) {
    return base::fail(Code::kInvalidArgument, "input '{}': a face detector sees 128, 192 or 256 pixels, found {}",
                      inputs[0].name, tensor::to_string(inputs[0].dtype, inputs[0].shape));
  }
  signature.variant = known->variant;
  signature.layers = known->layers;
  std::size_t total = 0;
  std::vector<std::size_t> parts;
  for (const AnchorLayer& layer : known->layers) {
    parts.push_back(layer.count(known->size));
    total += parts.back();
  }
  signature.heads = find_heads(outputs, {total});
  if (signature.heads.empty()) signature.heads = find_heads(outputs, parts);
  if (signature.heads.empty()) {
    return base::fail(Code::kInvalidArgument,
                      "outputs: expected [1, {}, {}] coordinates and [1, {}, 1] logits, whole or in parts of {} rows, "
                      "found {}: not a face detector of {} pixels",
                      total, kRowValues, total, fmt::join(parts, " + "), list_of(outputs), known->size);
  }
  signature.outputs = outputs;
  SLIPWAY_TRY(complete_all(signature.outputs, quantization));
  return signature;
}

base::Result<LandmarkSignature> read_landmark_signature(const std::vector<TensorSpec>& inputs,
                                                        const std::vector<TensorSpec>& outputs,
                                                        const Quantizations& quantization) {
  LandmarkSignature signature;
  SLIPWAY_ASSIGN(signature.input, read_picture(inputs, "192", quantization));
  std::optional<std::size_t> landmarks, flag;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::int64_t values = values_of(outputs[i].shape);
    if (values == kLandmarkValues) landmarks = i;
    if (values == 1) flag = i;
  }
  if (!landmarks || !flag) {
    return base::fail(Code::kInvalidArgument,
                      "outputs: expected {} landmark values and one for the face's presence, found {}: not the face "
                      "landmark network",
                      kLandmarkValues, list_of(outputs));
  }
  signature.landmarks = *landmarks;
  signature.flag = *flag;
  const bool is_in_columns = outputs[*landmarks].shape.back() == 3;
  signature.unit = is_in_columns ? LandmarkUnit::kCropFraction : LandmarkUnit::kCropPixels;
  signature.flag_is_logit = !is_in_columns;
  signature.outputs = outputs;
  SLIPWAY_TRY(complete_all(signature.outputs, quantization));
  return signature;
}

}  // namespace slipway::pipelines::mediapipe_face
