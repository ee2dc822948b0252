#pragma once

#include <array>
#include <optional>

#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Follows one person: where the auxiliary landmarks are says where the next frame is to be looked at.
/// @thread one object belongs to one thread
/// @cost allocates nothing per frame while the person stays
/// @source PoseLandmarkFiltering's and PoseLandmarksToRoi's graphs
class Follower {
 public:
  explicit Follower(bool smooth) : smooth_(smooth) {}

  /// Where the person is to be looked for; nothing: the detector has to say it.
  [[nodiscard]] const std::optional<mediapipe::Region>& region() const { return region_; }

  /// Takes what the landmark network found: gives the person a number, keeps the region of the next frame, smooths
  /// landmarks and visibility when asked to. A pose without landmarks ends the track.
  void update(double time_s, Pose& pose);

  /// No one was seen, or the next frame belongs to another sequence. Numbers go on.
  void lose();

 private:
  bool smooth_;
  int next_id_ = 0;
  int id_ = -1;
  std::optional<mediapipe::Region> region_;
  mediapipe::OneEuroFilter landmark_filter_{mediapipe::OneEuroSettings{}};
  mediapipe::OneEuroFilter auxiliary_filter_{mediapipe::OneEuroSettings{.min_cutoff = 0.01, .beta = 10}};
  mediapipe::OneEuroFilter world_filter_{mediapipe::OneEuroSettings{.min_cutoff = 0.1, .beta = 40}};
  std::array<float, kLandmarkCount> visibility_{};
};

}  // namespace slipway::pipelines::mediapipe_pose
