#include "pipelines/mediapipe_pose/follower.hpp"

#include <cmath>

#include "pipelines/mediapipe_common/object_tracker.hpp"

namespace slipway::pipelines::mediapipe_pose {

mediapipe::Region circle_region(media::Point middle, media::Point around, double scale) {
  const double side = 2 * std::hypot(around.x - middle.x, around.y - middle.y) * scale;
  return {middle, side, side, mediapipe::angle_upright(middle, around)};
}

void Follower::propose(std::span<const mediapipe::Detection> detections, std::vector<Pose>& poses) const {
  poses.clear();
  if (region_) {
    poses.push_back(mediapipe::object_of<Pose>({*region_, id_, nullptr}));
  } else if (!detections.empty()) {
    const mediapipe::Detection& best = detections.front();
    const mediapipe::Region region = circle_region(best.keypoints[0], best.keypoints[1], kRegionScale);
    poses.push_back(mediapipe::object_of<Pose>({region, -1, &best}));
  }
}

void Follower::update(double time_s, std::vector<Pose>& poses) {
  if (poses.empty() || !poses.front().has_landmarks) {
    reset();
    std::erase_if(poses, [](const Pose& pose) { return !pose.has_keypoints; });
    return;
  }
  Pose& pose = poses.front();
  follow(time_s, pose);
  if (pose.has_keypoints) return;
  pose.box = mediapipe::box_of(pose.landmarks);
  pose.score = pose.presence;
}

void Follower::follow(double time_s, Pose& pose) {
  constexpr float kVisibilityStep = 0.1F;
  constexpr double kSmallest = 1e-6;
  const bool is_new = id_ < 0;
  if (is_new) id_ = next_id_++;
  pose.track_id = id_;
  // Speeds are counted in bodies a second, by what this frame saw.
  const double size =
      circle_region(mediapipe::point_of(pose.auxiliary[0]), mediapipe::point_of(pose.auxiliary[1]), 1).width;
  if (size >= kSmallest) {
    auxiliary_filter_.apply(time_s, 1 / size, {&pose.auxiliary[0].x, 3 * kAuxiliaryCount});
    if (smooth_) landmark_filter_.apply(time_s, 1 / size, {&pose.landmarks[0].x, 3 * kLandmarkCount});
  }
  region_ = circle_region(mediapipe::point_of(pose.auxiliary[0]), mediapipe::point_of(pose.auxiliary[1]), kRegionScale);
  if (!smooth_) return;
  world_filter_.apply(time_s, 1, {&pose.world_landmarks[0].x, 3 * kLandmarkCount});
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    visibility_[i] =
        is_new ? pose.visibility[i] : visibility_[i] + kVisibilityStep * (pose.visibility[i] - visibility_[i]);
    pose.visibility[i] = visibility_[i];
  }
}

void Follower::reset() {
  id_ = -1;
  region_.reset();
  for (mediapipe::OneEuroFilter* filter : {&landmark_filter_, &auxiliary_filter_, &world_filter_}) filter->reset();
}

}  // namespace slipway::pipelines::mediapipe_pose
