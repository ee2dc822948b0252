#pragma once

#include <span>
#include <vector>

#include "pipelines/mediapipe_common/region_tracker.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {

/// Follows faces from frame to frame by their landmarks.
///
/// One frame: detections when needs_detector(), propose(), the landmark network on each proposed face, update().
/// @thread one object belongs to one thread
class Tracker {
 public:
  /// @param most_faces  1 or more
  Tracker(std::size_t most_faces, bool smooth) : tracks_(most_faces), smooth_(smooth) {}

  [[nodiscard]] bool needs_detector() const { return tracks_.needs_detector(); }

  /// The faces that this frame may hold, each with its region: the tracked ones, then detections (best first) whose
  /// regions overlap no other by more than 0.5 (IoU of the regions as if not turned).
  void propose(std::span<const mediapipe::Detection> detections, std::vector<Face>& faces);

  /// Takes what the landmark network found: drops tracked faces that are lost, numbers new ones, keeps the regions of
  /// the next frame, and smooths landmarks when asked to.
  /// @param time_s  of the frame
  void update(double time_s, std::vector<Face>& faces);

  /// Forgets all tracks; numbers go on.
  void reset() { tracks_.reset(); }

 private:
  mediapipe::RegionTracker tracks_;
  std::vector<mediapipe::Proposal> proposals_;
  bool smooth_;
};

/// Detections as faces with regions; with kMediapipe none overlaps a later one by more than 0.5.
/// @param proposals  scratch; its memory is reused
void propose_faces(std::span<const mediapipe::Detection> detections, Rules rules,
                   std::vector<mediapipe::Proposal>& proposals, std::vector<Face>& faces);

}  // namespace slipway::pipelines::mediapipe_face
