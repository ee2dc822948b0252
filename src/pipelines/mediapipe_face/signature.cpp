#include "pipelines/mediapipe_face/signature.hpp"

#include <optional>

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr std::int64_t kLandmarkValues = 3 * static_cast<std::int64_t>(kLandmarkCount);

}  // namespace

const mediapipe::DetectorFamily& detector_family() {
  // MediaPipe's own networks see −1 … 1; the 256-pixel one has that inside.
  static const mediapipe::DetectorFamily kFamily = {"face",
                                                    kKeypointCount,
                                                    {{128, {{8, 2}, {16, 6}}, {-1, 1}, 0.5F},
                                                     {192, {{4, 1}}, {-1, 1}, 0.6F},
                                                     {256, {{16, 2}, {32, 6}}, {0, 1}, 0.5F}}};
  return kFamily;
}

base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const Quantizations& quantization, int batch) {
  LandmarkSignature signature;
  SLIPWAY_TRY(signature.read(inputs, outputs, "192", quantization, batch));
  std::optional<std::size_t> landmarks, flag;
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const std::int64_t values = mediapipe::values_of(signature.outputs[i].shape);
    if (values == kLandmarkValues) landmarks = i;
    if (values == 1) flag = i;
  }
  if (!landmarks || !flag) {
    return base::fail(base::Code::kInvalidArgument,
                      "outputs: expected {} landmark values and one for the face's presence, found {}: not the face "
                      "landmark network",
                      kLandmarkValues, list_of(outputs));
  }
  signature.landmarks = *landmarks;
  signature.flag = *flag;
  const bool is_in_columns = signature.outputs[*landmarks].shape.back() == 3;
  signature.unit = is_in_columns ? LandmarkUnit::kCropFraction : LandmarkUnit::kCropPixels;
  signature.flag_is_logit = !is_in_columns;
  return signature;
}

}  // namespace slipway::pipelines::mediapipe_face
