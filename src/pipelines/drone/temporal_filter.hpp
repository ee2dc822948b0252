#pragma once

#include <cstdint>
#include <vector>

#include "pipelines/drone/distance.hpp"
#include "pipelines/drone/sectors.hpp"
#include "pipelines/drone/surface.hpp"

namespace slipway::pipelines::drone {

/// One object with what surrounds it.
struct SceneObject {
  int track = 0;  ///< the same number in later frames; 0 in single images
  int class_id = 0;
  float score = 0;
  Box box;                  ///< image pixels
  bool is_detected = true;  ///< false: carried over from an earlier frame
  SurfaceShares under{}, around{};
  double free_space = 0;  ///< 0 … 1
  Distance distance;
};

/// Steadies what single frames say.
///
/// A detection continues the track of its class whose box it overlaps most (IoU of 0.3 or more, best pairs first).
/// Boxes, scores, surfaces and free-space scores follow with weight 0.6 for the new frame, sectors with 0.5. A distance
/// class changes only when two frames in a row say so. A track that was seen twice and is missed goes on for 3 frames
/// with its last box, so that one missed detection does not make an obstacle vanish; a frame without detection does not
/// count as missed.
/// @thread one object belongs to one thread
class TemporalFilter {
 public:
  /// Replaces the frame's objects by steadied ones, with tracks.
  /// @param did_detect  false: no detection ran, `objects` is empty and all tracks are carried over
  void steady(std::vector<SceneObject>& objects, bool did_detect);

  /// Steadies the scores of the sectors, as many as in the last frame.
  void steady(std::vector<Sector>& sectors);

  /// Forgets everything: another video begins.
  void reset();

 private:
  struct Track {
    SceneObject object;
    int hits = 1;
    int missed = 0;
    DistanceClass proposed = DistanceClass::kUnknown;  ///< of the last frame, when it differs
  };
  struct Pair {
    double iou;
    std::size_t track, object;
  };
  void follow(Track& track, const SceneObject& found) const;
  void match(const std::vector<SceneObject>& objects);

  std::vector<Track> tracks_;  ///< by number
  // Of one frame; their memory is used again.
  std::vector<Pair> pairs_;
  std::vector<char> has_object_, has_track_;
  int next_track_ = 1;
  std::vector<double> sector_scores_;
};

}  // namespace slipway::pipelines::drone
