#pragma once

#include <span>
#include <vector>

#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/landmark.hpp"
#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {

/// Where a frame may hold an object.
struct Proposal {
  Region region;
  int track_id = -1;                     ///< of the track it goes on from; -1: it was detected
  const Detection* detection = nullptr;  ///< null: it was tracked, the detector did not see it
};

/// Detections with their regions, best first; of two whose regions overlap by more than 0.5 (IoU, as if not turned)
/// the later is kept, as in MediaPipe.
/// @param region_of  from a Detection to its Region
template <typename RegionOf>
void propose_regions(std::span<const Detection> detections, const RegionOf& region_of,
                     std::vector<Proposal>& proposals);

/// Follows objects from frame to frame: where an object's landmarks were says where the next frame is to be looked at,
/// and the detector is asked only when there are fewer objects than wanted.
///
/// One frame: propose_regions() of the detections when needs_detector(), add_tracks(), the landmark network on each
/// proposal, begin_update(), follow() for each object that was seen, end_update().
/// @thread one object belongs to one thread
/// @cost allocates nothing per frame while the objects stay
/// @source FaceLandmarkFront's and HandLandmarkTracking's graphs (PreviousLoopback, AssociationNormRect with 0.5)
class RegionTracker {
 public:
  struct Track {
    int id = 0;
    Region region;  ///< in the next frame
    OneEuroFilter filter{OneEuroSettings{}};

    /// Smooths landmarks, x, y and z of all; speed is counted in sizes of the box around them.
    /// @source LandmarksSmoothingCalculator
    void smooth(double time_s, const Box& around, std::span<Landmark> landmarks);
  };

  /// @param most  1 or more
  explicit RegionTracker(std::size_t most) : most_(most) {}

  [[nodiscard]] std::size_t most() const { return most_; }
  [[nodiscard]] bool needs_detector() const { return tracks_.size() < most_; }

  /// Puts the tracked regions first, drops detected ones that overlap a tracked one, and keeps at most `most`.
  void add_tracks(std::vector<Proposal>& proposals) const;

  void begin_update() { followed_.clear(); }
  /// This object was seen.
  /// @param track_id  as in its proposal; -1 gives it a new number
  /// @param region    where the next frame is to be looked at
  /// @return valid until the next call
  Track& follow(int track_id, const Region& region);
  /// What was not followed is forgotten.
  void end_update() { std::swap(tracks_, followed_); }

  /// Forgets all tracks; numbers go on.
  void reset() { tracks_.clear(); }

 private:
  std::size_t most_;
  int next_id_ = 0;
  std::vector<Track> tracks_, followed_;
};

/// Whether two regions are taken as one object's.
[[nodiscard]] bool is_same_object(const Region& a, const Region& b);

template <typename RegionOf>
void propose_regions(std::span<const Detection> detections, const RegionOf& region_of,
                     std::vector<Proposal>& proposals) {
  proposals.clear();
  for (const Detection& detection : detections) {
    const Proposal proposal{region_of(detection), -1, &detection};
    std::erase_if(proposals, [&](const Proposal& other) { return is_same_object(other.region, proposal.region); });
    proposals.push_back(proposal);
  }
}

}  // namespace slipway::pipelines::mediapipe
