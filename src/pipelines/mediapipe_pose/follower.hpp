#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// The circle around a body as a square that is turned until `around` lies above `middle`, grown by `scale`.
/// @source AlignmentPointsRectsCalculator; python/reference/mediapipe_pose/landmark.py::circle_region
[[nodiscard]] mediapipe::Region circle_region(media::Point middle, media::Point around, double scale);

inline constexpr double kRegionScale = 1.25;  ///< of what the landmark network sees

/// Follows one person: where the auxiliary landmarks are says where the next frame is to be looked at.
///
/// One frame: detections when needs_detector(), propose(), the landmark network, update().
/// @thread one object belongs to one thread
/// @cost allocates nothing per frame while the person stays
/// @source PoseLandmarkFiltering's and PoseLandmarksToRoi's graphs
class Follower {
 public:
  Follower(std::size_t /*most*/, bool smooth) : smooth_(smooth) {}

  [[nodiscard]] bool needs_detector() const { return !region_; }
  /// Where the person is to be looked for; nothing: the detector has to say it.
  [[nodiscard]] const std::optional<mediapipe::Region>& region() const { return region_; }

  /// The followed person with the region, or else the first of the detections.
  void propose(std::span<const mediapipe::Detection> detections, std::vector<Pose>& poses) const;

  /// Takes what the landmark network found: gives the person a number, keeps the region of the next frame, smooths
  /// landmarks and visibility when asked to. No one, or a pose without landmarks, ends the track; of a followed person
  /// nothing is left then.
  void update(double time_s, std::vector<Pose>& poses);

  /// The next frame belongs to another sequence. Numbers go on.
  void reset();

 private:
  void follow(double time_s, Pose& pose);

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
