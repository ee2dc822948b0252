#include "pipelines/mediapipe_hand/signature.hpp"

#include <algorithm>
#include <array>

namespace slipway::pipelines::mediapipe_hand {
namespace {

constexpr std::int64_t kLandmarkValues = 3 * static_cast<std::int64_t>(kLandmarkCount);

/// The two outputs with this many values; the one whose name holds `second` is the second.
bool find_pair(const std::vector<tensor::TensorSpec>& outputs, std::int64_t values, std::string_view second,
               std::array<std::size_t, 2>& pair) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (mediapipe::values_of(outputs[i].shape) != values) continue;
    if (count == pair.size()) return false;
    pair[count++] = i;
  }
  if (count != pair.size()) return false;
  if (outputs[pair[0]].name.find(second) != std::string::npos) std::swap(pair[0], pair[1]);
  return true;
}

}  // namespace

const mediapipe::DetectorFamily& detector_family() {
  static const mediapipe::DetectorFamily kFamily = {"palm", kKeypointCount, {{192, {{8, 2}, {16, 6}}, {0, 1}, 0.5F}}};
  return kFamily;
}

base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const mediapipe::Quantizations& quantization, int batch) {
  LandmarkSignature signature;
  SLIPWAY_TRY(signature.read(inputs, outputs, "224", quantization, batch));
  std::array<std::size_t, 2> points{}, flags{};
  if (!find_pair(signature.outputs, kLandmarkValues, "world", points) ||
      !find_pair(signature.outputs, 1, "handedness", flags)) {
    return base::fail(base::Code::kInvalidArgument,
                      "outputs: expected two of {} values (landmarks in the crop and in metres) and two of one "
                      "(presence and handedness), found {}: not the hand landmark network",
                      kLandmarkValues, list_of(outputs));
  }
  signature.landmarks = points[0];
  signature.world = points[1];
  signature.presence = flags[0];
  signature.handedness = flags[1];
  return signature;
}

}  // namespace slipway::pipelines::mediapipe_hand
