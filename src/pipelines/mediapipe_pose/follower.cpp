#include "pipelines/mediapipe_pose/follower.hpp"

#include "pipelines/mediapipe_pose/landmarker.hpp"

namespace slipway::pipelines::mediapipe_pose {

void Follower::update(double time_s, Pose& pose) {
  if (!pose.has_landmarks) return lose();
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

void Follower::lose() {
  id_ = -1;
  region_.reset();
  for (mediapipe::OneEuroFilter* filter : {&landmark_filter_, &auxiliary_filter_, &world_filter_}) filter->reset();
}

}  // namespace slipway::pipelines::mediapipe_pose
