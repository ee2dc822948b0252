#pragma once

#include <span>
#include <vector>

#include "pipelines/mediapipe_common/one_euro.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {

/// Follows faces from frame to frame: where a face's landmarks were says where the next frame is to be looked at, and
/// the detector is asked only when there are fewer faces than wanted.
///
/// One frame: detections when needs_detector(), propose(), the landmark network on each proposed face, update().
/// @thread one object belongs to one thread
/// @source FaceLandmarkFront's graph (PreviousLoopback, AssociationNormRect with 0.5)
class Tracker {
 public:
  /// @param most_faces  1 or more
  Tracker(std::size_t most_faces, bool smooth) : most_faces_(most_faces), smooth_(smooth) {}

  [[nodiscard]] bool needs_detector() const { return tracks_.size() < most_faces_; }

  /// The faces that this frame may hold, each with its region: the tracked ones, then detections (best first) whose
  /// regions overlap no other by more than 0.5 (IoU of the regions as if not turned).
  void propose(std::span<const mediapipe::Detection> detections, Rules rules, std::vector<Face>& faces) const;

  /// Takes what the landmark network found: drops tracked faces that are lost, numbers new ones, keeps the regions of
  /// the next frame, and smooths landmarks when asked to.
  /// @param time_s  of the frame
  void update(double time_s, std::vector<Face>& faces);

  /// Forgets all tracks; numbers go on.
  void reset() { tracks_.clear(); }

 private:
  struct Track {
    int id = 0;
    mediapipe::Region region;  // in the next frame
    mediapipe::OneEuroFilter filter{mediapipe::OneEuroSettings{}};
  };

  std::size_t most_faces_;
  bool smooth_;
  int next_id_ = 0;
  std::vector<Track> tracks_, followed_;
};

/// Detections as faces with regions, of which none overlaps a later one by more than 0.5.
void propose_faces(std::span<const mediapipe::Detection> detections, Rules rules, std::vector<Face>& faces);

}  // namespace slipway::pipelines::mediapipe_face
