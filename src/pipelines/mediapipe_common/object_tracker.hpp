#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "pipelines/mediapipe_common/region_tracker.hpp"
#include "pipelines/mediapipe_common/rules.hpp"

namespace slipway::pipelines::mediapipe {

template <typename Object>
[[nodiscard]] Object object_of(const Proposal& proposal) {
  Object object;
  object.region = proposal.region;
  object.track_id = proposal.track_id;
  if (proposal.detection == nullptr) return object;
  object.box = proposal.detection->box;
  object.score = proposal.detection->score;
  object.has_keypoints = true;
  std::copy_n(proposal.detection->keypoints.begin(), object.keypoints.size(), object.keypoints.begin());
  return object;
}

/// Follows objects from frame to frame by their landmarks.
///
/// One frame: detections when needs_detector(), propose(), the landmark network on each proposed object, update().
/// @tparam Graph  gives Object, region_of(const Detection&, Rules) and next_region(const Object&)
/// @thread one object belongs to one thread
template <typename Graph>
class ObjectTracker {
 public:
  using Object = typename Graph::Object;

  /// @param most  1 or more
  ObjectTracker(std::size_t most, bool smooth) : tracks_(most), smooth_(smooth) {}

  [[nodiscard]] bool needs_detector() const { return tracks_.needs_detector(); }

  /// The objects that this frame may hold, each with its region: the tracked ones, then detections (best first) whose
  /// regions overlap no other by more than 0.5 (IoU of the regions as if not turned).
  void propose(std::span<const Detection> detections, std::vector<Object>& objects) {
    objects.clear();
    const auto region_of = [](const Detection& detection) { return Graph::region_of(detection, Rules::kMediapipe); };
    propose_regions(detections.first(std::min(detections.size(), tracks_.most())), region_of, proposals_);
    tracks_.add_tracks(proposals_);
    for (const Proposal& proposal : proposals_) objects.push_back(object_of<Object>(proposal));
  }

  /// Takes what the landmark network found: drops tracked objects that are lost, numbers new ones, keeps the regions of
  /// the next frame, and smooths landmarks when asked to.
  /// @param time_s  of the frame
  void update(double time_s, std::vector<Object>& objects) {
    std::erase_if(objects, [](const Object& object) { return !object.has_keypoints && !object.has_landmarks; });
    tracks_.begin_update();
    for (Object& object : objects) {
      if (!object.has_landmarks) continue;
      RegionTracker::Track& track = tracks_.follow(object.track_id, Graph::next_region(object));
      object.track_id = track.id;
      const Box around = box_of(object.landmarks);
      if (smooth_) track.smooth(time_s, around, object.landmarks);
      if (object.has_keypoints) continue;
      object.box = around;
      object.score = object.presence;
    }
    tracks_.end_update();
  }

  /// Forgets all tracks; numbers go on.
  void reset() { tracks_.reset(); }

 private:
  RegionTracker tracks_;
  std::vector<Proposal> proposals_;
  bool smooth_;
};

}  // namespace slipway::pipelines::mediapipe
