#include "pipelines/mediapipe_pose/signature.hpp"

#include <optional>

namespace slipway::pipelines::mediapipe_pose {
namespace {

constexpr auto kLandmarkValues = static_cast<std::int64_t>(kNetworkLandmarks * kNetworkColumns);
constexpr auto kHeatmapValues = static_cast<std::int64_t>(kHeatmapSide * kHeatmapSide * kNetworkLandmarks);
constexpr auto kWorldValues = static_cast<std::int64_t>(kNetworkLandmarks * 3);

}  // namespace

const mediapipe::DetectorFamily& detector_family() {
  static const mediapipe::DetectorFamily kFamily = {
      "person", kKeypointCount, {{224, {{8, 2}, {16, 2}, {32, 6}}, {-1, 1}, 0.5F}}};
  return kFamily;
}

base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const mediapipe::Quantizations& quantization, int batch) {
  LandmarkSignature signature;
  SLIPWAY_TRY(signature.read(inputs, outputs, "256", quantization, batch));
  const auto find = [&](std::int64_t values) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
      if (mediapipe::values_of(signature.outputs[i].shape) == values) return i;
    }
    return std::nullopt;
  };
  const auto landmarks = find(kLandmarkValues), presence = find(1), heatmap = find(kHeatmapValues),
             world = find(kWorldValues);
  if (!landmarks || !presence || !heatmap || !world) {
    return base::fail(base::Code::kInvalidArgument,
                      "outputs: expected {} landmark values, one for the person's presence, a heatmap [1, {}, {}, {}] "
                      "and {} values in metres, found {}: not the pose landmark network",
                      kLandmarkValues, kHeatmapSide, kHeatmapSide, kNetworkLandmarks, kWorldValues, list_of(outputs));
  }
  signature.landmarks = *landmarks;
  signature.presence = *presence;
  signature.heatmap = *heatmap;
  signature.world = *world;
  return signature;
}

}  // namespace slipway::pipelines::mediapipe_pose
