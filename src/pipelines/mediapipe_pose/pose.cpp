#include "pipelines/mediapipe_pose/pose.hpp"

#include <algorithm>
#include <cmath>

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

mediapipe::Region circle_region(media::Point middle, media::Point around, double scale) {
  const double side = 2 * std::hypot(around.x - middle.x, around.y - middle.y) * scale;
  return {middle, side, side, mediapipe::angle_upright(middle, around)};
}

mediapipe::Region body_region(const Pose& pose, double scale) {
  return circle_region(mediapipe::point_of(pose.auxiliary[0]), mediapipe::point_of(pose.auxiliary[1]), scale);
}

void PoseSmoother::apply(double time_s, bool is_new, bool smooth, mediapipe::OneEuroFilter& landmarks, Pose& pose) {
  constexpr float kVisibilityStep = 0.1F;
  constexpr double kSmallest = 1e-6;
  if (is_new) {
    auxiliary_.reset();
    world_.reset();
  }
  // Speeds are counted in bodies a second, by what this frame saw.
  if (const double size = body_region(pose, 1).width; size >= kSmallest) {
    auxiliary_.apply(time_s, 1 / size, {&pose.auxiliary[0].x, 3 * kAuxiliaryCount});
    if (smooth) landmarks.apply(time_s, 1 / size, {&pose.landmarks[0].x, 3 * kLandmarkCount});
  }
  if (!smooth) return;
  world_.apply(time_s, 1, {&pose.world_landmarks[0].x, 3 * kLandmarkCount});
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    visibility_[i] =
        is_new ? pose.visibility[i] : visibility_[i] + kVisibilityStep * (pose.visibility[i] - visibility_[i]);
    pose.visibility[i] = visibility_[i];
  }
}

MediapipePose::MediapipePose() : Pipeline({.detector = detector_family(), .most_of_image = 1}) {}

base::Result<std::unique_ptr<MediapipePose>> MediapipePose::load(
    const std::shared_ptr<runtime::Environment>& environment, const Models& models,
    const runtime::SessionOptions& options, const Config& config) {
  std::unique_ptr<MediapipePose> pipeline(new MediapipePose());
  SLIPWAY_TRY(pipeline->load_networks(environment, models, options, config));
  return pipeline;
}

base::Result<mediapipe::NetworkSignature> MediapipePose::read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                                        const mediapipe::Quantizations& quantization,
                                                                        int batch) {
  SLIPWAY_ASSIGN(signature_, read_landmark_signature(inputs, outputs, quantization, batch));
  return signature_;
}

base::Result<bool> MediapipePose::read(const mediapipe::Landmarker::Output& output, Pose& pose) const {
  SLIPWAY_ASSIGN(const RealValues presence, output.values(signature_.presence, 1));
  SLIPWAY_ASSIGN(const RealValues values, output.values(signature_.landmarks, kNetworkLandmarks * kNetworkColumns));
  SLIPWAY_ASSIGN(const RealValues heatmap,
                 output.values(signature_.heatmap, kHeatmapSide * kHeatmapSide * kNetworkLandmarks));
  SLIPWAY_ASSIGN(const RealValues world, output.values(signature_.world, kNetworkLandmarks * 3));
  pose.presence = presence[0];
  std::array<Landmark, kLandmarkCount + kAuxiliaryCount> all{};
  const double crop = output.size, cell = crop / static_cast<double>(kHeatmapSide);
  if (!mediapipe::place_landmarks(values, kNetworkColumns, {output.to_image, 1.0, output.scale}, all)) {
    return false;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto value = [&](std::size_t k) { return static_cast<double>(values[kNetworkColumns * i + k]); };
    const media::Point refined = refine(heatmap, i, {value(0) / cell, value(1) / cell});
    const media::Point at = output.to_image.apply({refined.x * cell, refined.y * cell});
    all[i].x = static_cast<float>(at.x);
    all[i].y = static_cast<float>(at.y);
    if (i < kLandmarkCount) pose.visibility[i] = sigmoid(values[kNetworkColumns * i + 3]);
  }
  std::copy_n(all.begin(), kLandmarkCount, pose.landmarks.begin());
  std::copy_n(all.begin() + kLandmarkCount, kAuxiliaryCount, pose.auxiliary.begin());
  return mediapipe::turn_landmarks(world, 3, pose.region.angle, pose.world_landmarks);
}

mediapipe::Region MediapipePose::follow(double time_s, Pose& pose, mediapipe::Tracker::Track& track, bool is_new) {
  smoother_.apply(time_s, is_new, config().smooth, track.filter, pose);
  mediapipe::show_followed(pose, mediapipe::box_of(pose.landmarks));
  return next_region(pose);
}

}  // namespace slipway::pipelines::mediapipe_pose
