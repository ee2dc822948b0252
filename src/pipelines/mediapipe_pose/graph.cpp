#include "pipelines/mediapipe_pose/graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::pipelines::mediapipe_pose {
namespace {

float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

}  // namespace

media::Point refine(const RealValues& heatmap, std::size_t index, media::Point at) {
  constexpr int kReach = 4, kSide = static_cast<int>(kHeatmapSide);
  constexpr float kSureEnough = 0.5F;
  // Also false for what is not a number.
  if (!(at.x >= 0 && at.x < kSide && at.y >= 0 && at.y < kSide)) return at;
  const int column = static_cast<int>(at.x), row = static_cast<int>(at.y);
  float sum = 0, sum_x = 0, sum_y = 0, largest = 0;
  for (int y = std::max(0, row - kReach); y < std::min(kSide, row + kReach + 1); ++y) {
    for (int x = std::max(0, column - kReach); x < std::min(kSide, column + kReach + 1); ++x) {
      const auto cell = static_cast<std::size_t>(y * kSide + x);
      const float value = sigmoid(heatmap[cell * kNetworkLandmarks + index]);
      sum += value;
      sum_x += value * static_cast<float>(x);
      sum_y += value * static_cast<float>(y);
      largest = std::max(largest, value);
    }
  }
  if (!(largest >= kSureEnough)) return at;
  return {static_cast<double>(sum_x / sum), static_cast<double>(sum_y / sum)};
}

std::size_t PoseKind::Graph::most_of_picture(const Config& /*config*/, bool has_landmarks) {
  return has_landmarks ? 1 : std::numeric_limits<std::size_t>::max();
}

base::Result<bool> PoseKind::Graph::read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                         Pose& pose) {
  SLIPWAY_ASSIGN(const RealValues presence, outputs.values(signature.presence, 1));
  SLIPWAY_ASSIGN(const RealValues values, outputs.values(signature.landmarks, kNetworkLandmarks * kNetworkColumns));
  SLIPWAY_ASSIGN(const RealValues heatmap,
                 outputs.values(signature.heatmap, kHeatmapSide * kHeatmapSide * kNetworkLandmarks));
  SLIPWAY_ASSIGN(const RealValues world, outputs.values(signature.world, kNetworkLandmarks * 3));
  pose.presence = presence[0];
  std::array<Landmark, kLandmarkCount + kAuxiliaryCount> all{};
  const double crop = outputs.size(), cell = crop / static_cast<double>(kHeatmapSide);
  if (!mediapipe::place_landmarks(values, kNetworkColumns, {outputs.to_picture(), 1.0, outputs.scale()}, all)) {
    return false;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto value = [&](std::size_t k) { return static_cast<double>(values[kNetworkColumns * i + k]); };
    const media::Point refined = refine(heatmap, i, {value(0) / cell, value(1) / cell});
    const media::Point at = outputs.to_picture().apply({refined.x * cell, refined.y * cell});
    all[i].x = static_cast<float>(at.x);
    all[i].y = static_cast<float>(at.y);
    if (i < kLandmarkCount) pose.visibility[i] = sigmoid(values[kNetworkColumns * i + 3]);
  }
  std::copy_n(all.begin(), kLandmarkCount, pose.landmarks.begin());
  std::copy_n(all.begin() + kLandmarkCount, kAuxiliaryCount, pose.auxiliary.begin());
  return mediapipe::turn_landmarks(world, 3, pose.region.angle, pose.world_landmarks);
}

}  // namespace slipway::pipelines::mediapipe_pose
