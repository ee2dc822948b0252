#include "pipelines/mediapipe_pose/landmarker.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::mediapipe_pose {
namespace {

float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

}  // namespace

mediapipe::Region circle_region(media::Point middle, media::Point around, double scale) {
  const double side = 2 * std::hypot(around.x - middle.x, around.y - middle.y) * scale;
  return {middle, side, side, mediapipe::angle_upright(middle, around)};
}

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

base::Result<Landmarker> Landmarker::load(std::shared_ptr<runtime::Environment> environment,
                                          const mediapipe::NetworkFile& file, const runtime::SessionOptions& options,
                                          float presence_min) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read_landmark_signature(session->inputs(), session->outputs(), file.quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(mediapipe::RegionNetwork network,
                 mediapipe::RegionNetwork::create(std::move(session), signature->input, file, {}));
  return Landmarker(presence_min, std::move(*signature), std::move(network));
}

base::Result<void> Landmarker::run(media::ImageView image, Pose& pose, StageTimes& times) {
  pose.has_landmarks = false;
  pose.presence = 0;
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, network_.run(image, pose.region, times));
  if (outputs == nullptr) return {};
  Stopwatch watch;
  const auto read = [&](std::size_t index, std::size_t values) {
    return mediapipe::read_output(*outputs, signature_.outputs, index, values);
  };
  SLIPWAY_ASSIGN(const RealValues presence, read(signature_.presence, 1));
  SLIPWAY_ASSIGN(const RealValues values, read(signature_.landmarks, kNetworkLandmarks * kNetworkColumns));
  SLIPWAY_ASSIGN(const RealValues heatmap, read(signature_.heatmap, kHeatmapSide * kHeatmapSide * kNetworkLandmarks));
  SLIPWAY_ASSIGN(const RealValues world, read(signature_.world, kNetworkLandmarks * 3));
  pose.presence = presence[0];
  std::array<Landmark, kLandmarkCount + kAuxiliaryCount> all{};
  const double crop = network_.size(), cell = crop / static_cast<double>(kHeatmapSide);
  bool is_finite =
      mediapipe::place_landmarks(values, kNetworkColumns, {network_.to_picture(), 1.0, network_.scale()}, all);
  for (std::size_t i = 0; i < all.size() && is_finite; ++i) {
    const auto value = [&](std::size_t k) { return static_cast<double>(values[kNetworkColumns * i + k]); };
    const media::Point refined = refine(heatmap, i, {value(0) / cell, value(1) / cell});
    const media::Point at = network_.to_picture().apply({refined.x * cell, refined.y * cell});
    all[i].x = static_cast<float>(at.x);
    all[i].y = static_cast<float>(at.y);
    if (i < kLandmarkCount) pose.visibility[i] = sigmoid(values[kNetworkColumns * i + 3]);
  }
  std::copy_n(all.begin(), kLandmarkCount, pose.landmarks.begin());
  std::copy_n(all.begin() + kLandmarkCount, kAuxiliaryCount, pose.auxiliary.begin());
  is_finite = is_finite && mediapipe::turn_landmarks(world, 3, pose.region.angle, pose.world_landmarks);
  pose.has_landmarks = is_finite && pose.presence >= presence_min_;
  times.post_us += watch.lap_us();
  return {};
}

}  // namespace slipway::pipelines::mediapipe_pose
