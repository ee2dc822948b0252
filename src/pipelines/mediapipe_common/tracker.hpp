#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_common/ssd.hpp"

namespace slipway::pipelines::mediapipe {

/// Whether two regions are taken as one object's: they overlap by more than 0.5 (IoU, as if not turned).
[[nodiscard]] bool is_same_object(const Region& a, const Region& b);

/// Appends detections as objects with their regions, best first.
/// @param region_of  from a Detection to its Region
/// @param drop_same  of two that are the same object the later is kept, as in MediaPipe
template <typename Object, typename RegionOf>
void append_detected(std::span<const Detection> detections, const RegionOf& region_of, bool drop_same,
                     std::vector<Object>& objects) {
  const auto detected = static_cast<std::ptrdiff_t>(objects.size());
  for (const Detection& detection : detections) {
    const Region region = region_of(detection);
    if (drop_same) {
      const auto is_same = [&](const Object& other) { return is_same_object(other.region, region); };
      objects.erase(std::remove_if(objects.begin() + detected, objects.end(), is_same), objects.end());
    }
    Object& object = objects.emplace_back();
    object.region = region;
    object.box = detection.box;
    object.score = detection.score;
    object.has_keypoints = true;
    std::copy_n(detection.keypoints.begin(), object.keypoints.size(), object.keypoints.begin());
  }
}

/// Follows objects from frame to frame: where an object's landmarks were says where the next frame is to be looked at,
/// and the detector is asked only when there are fewer objects than wanted.
///
/// One frame: detections when needs_detector(), propose(), the landmark network on each object, update().
/// @thread one object belongs to one thread
/// @cost allocates nothing per frame while the objects stay
/// @source FaceLandmarkFront's and HandLandmarkTracking's graphs (PreviousLoopback, AssociationNormRect with 0.5)
class Tracker {
 public:
  struct Track {
    int id = 0;
    Region region{};  ///< in the next frame
    OneEuroFilter filter{OneEuroSettings{}};

    /// Smooths landmarks, x, y and z of all; speed is counted in sizes of the box around them.
    /// @source LandmarksSmoothingCalculator
    void smooth(double time_s, const Box& around, std::span<Landmark> landmarks);
  };

  /// @param most  1 or more
  explicit Tracker(std::size_t most) : most_(most) {}

  [[nodiscard]] bool needs_detector() const { return tracks_.size() < most_; }

  /// The objects that this frame may hold, each with its region: the tracked ones, then detections that are none of
  /// them, `most` in all.
  template <typename Object, typename RegionOf>
  void propose(std::span<const Detection> detections, const RegionOf& region_of, std::vector<Object>& objects) const {
    objects.clear();
    for (const Track& track : tracks_) {
      Object& object = objects.emplace_back();
      object.region = track.region;
      object.track_id = track.id;
    }
    append_detected(detections.first(std::min(detections.size(), most_)), region_of, true, objects);
    const auto is_tracked = [&](const Object& object) {
      return object.has_keypoints && std::ranges::any_of(tracks_, [&](const Track& track) {
               return is_same_object(track.region, object.region);
             });
    };
    std::erase_if(objects, is_tracked);
    if (objects.size() > most_) objects.erase(objects.begin() + static_cast<std::ptrdiff_t>(most_), objects.end());
  }

  /// Takes what the landmark network found: drops tracked objects that are lost, numbers new ones and keeps the regions
  /// of the next frame.
  /// @param follow  Region(Object&, Track&, bool is_new): where the next frame is to be looked at
  template <typename Object, typename Follow>
  void update(const Follow& follow, std::vector<Object>& objects) {
    std::erase_if(objects, [](const Object& object) { return !object.has_keypoints && !object.has_landmarks; });
    followed_.clear();
    for (Object& object : objects) {
      if (!object.has_landmarks) continue;
      const auto before = std::ranges::find(tracks_, object.track_id, &Track::id);
      const bool is_new = object.track_id < 0 || before == tracks_.end();
      followed_.push_back(is_new ? Track{.id = next_id_++} : std::move(*before));
      object.track_id = followed_.back().id;
      followed_.back().region = follow(object, followed_.back(), is_new);
    }
    std::swap(tracks_, followed_);
  }

  /// Forgets all tracks; numbers go on.
  void reset() { tracks_.clear(); }

 private:
  std::size_t most_;
  int next_id_ = 0;
  std::vector<Track> tracks_, followed_;
};

}  // namespace slipway::pipelines::mediapipe
