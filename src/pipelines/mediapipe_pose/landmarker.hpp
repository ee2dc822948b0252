#pragma once

#include <array>
#include <memory>

#include "media/image.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"
#include "pipelines/mediapipe_pose/signature.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// The circle around a body as a square that is turned until `around` lies above `middle`, grown by `scale`.
/// @source AlignmentPointsRectsCalculator; python/reference/mediapipe_pose/landmark.py::circle_region
[[nodiscard]] mediapipe::Region circle_region(media::Point middle, media::Point around, double scale);

inline constexpr double kRegionScale = 1.25;  ///< of what the landmark network sees

/// Moves a landmark to the middle of its heatmap's values within 4 cells, where the map is sure enough (0.5).
///
/// @param heatmap  logits [64, 64, 39], row by row
/// @param index    of the landmark
/// @param at       in cells of the map; unchanged outside the map
/// @source RefineLandmarksFromHeatmapCalculator as the package 0.10.21 runs it (its graph says a kernel of 7)
[[nodiscard]] media::Point refine(const RealValues& heatmap, std::size_t index, media::Point at);

/// Finds 33 points in a region of a picture.
/// @thread one object belongs to one thread
class Landmarker {
 public:
  /// @error as runtime::Session::load and read_landmark_signature, with the file's name
  [[nodiscard]] static base::Result<Landmarker> load(std::shared_ptr<runtime::Environment> environment,
                                                     const mediapipe::NetworkFile& file,
                                                     const runtime::SessionOptions& options, float presence_min);

  /// Fills landmarks, presence and has_landmarks (presence at least presence_min) of a pose from pose.region.
  /// Adds to `times`; allocates nothing.
  [[nodiscard]] base::Result<void> run(media::ImageView image, Pose& pose, StageTimes& times);

  [[nodiscard]] runtime::Session& session() const { return network_.session(); }

 private:
  Landmarker(float presence_min, LandmarkSignature signature, mediapipe::RegionNetwork network)
      : presence_min_(presence_min), signature_(std::move(signature)), network_(std::move(network)) {}

  float presence_min_;
  LandmarkSignature signature_;
  mediapipe::RegionNetwork network_;
};

}  // namespace slipway::pipelines::mediapipe_pose
