#pragma once

#include <array>
#include <memory>
#include <vector>

#include "media/draw.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"
#include "pipelines/mediapipe_pose/signature.hpp"

namespace slipway::pipelines::mediapipe_pose {

using mediapipe::Landmark;
using mediapipe::Models;

/// The choices a user has. Without score_min: 0.5. One person is found, the one the detector is surest of; without
/// landmarks everyone. As MediaPipe's Pose it smooths landmarks and visibility unless told otherwise.
struct Config : mediapipe::PipelineConfig {
  Config() { smooth = true; }
};

/// One person, in pixels of the image; the detector's box is the face's.
struct Pose : mediapipe::FoundObject<kKeypointCount, kLandmarkCount> {
  std::array<float, kLandmarkCount> visibility{};          ///< probability that the landmark is seen, not hidden
  std::array<Landmark, kLandmarkCount> world_landmarks{};  ///< metres, about the hips' middle, turned as the image is
  std::array<Landmark, kAuxiliaryCount> auxiliary{};
};
using Detections = mediapipe::Detections<Pose>;

inline constexpr double kRegionScale = 1.25;  ///< of what the landmark network sees

/// The circle around a body as a square that is turned until `around` lies above `middle`, grown by `scale`.
/// @source AlignmentPointsRectsCalculator; python/reference/mediapipe_pose/landmark.py::circle_region
[[nodiscard]] mediapipe::Region circle_region(media::Point middle, media::Point around, double scale);

/// The same of a pose's auxiliary landmarks.
[[nodiscard]] mediapipe::Region body_region(const Pose& pose, double scale);

/// Moves a landmark to the middle of its heatmap's values within 4 cells, where the map is sure enough (0.5).
///
/// @param heatmap  logits [64, 64, 39], row by row
/// @param index    of the landmark
/// @param at       in cells of the map; unchanged outside the map
/// @source RefineLandmarksFromHeatmapCalculator as the package 0.10.21 runs it (its graph says a kernel of 7)
[[nodiscard]] media::Point refine(const RealValues& heatmap, std::size_t index, media::Point at);

/// Smooths one person from frame to frame: landmarks, visibility, and the auxiliary landmarks it is followed by.
/// @thread one object belongs to one thread
/// @source PoseLandmarkFiltering's graph
class PoseSmoother {
 public:
  /// @param landmarks  the filter of the landmarks in the image
  /// @param smooth     false: the auxiliary landmarks alone
  void apply(double time_s, bool is_new, bool smooth, mediapipe::OneEuroFilter& landmarks, Pose& pose);

 private:
  mediapipe::OneEuroFilter auxiliary_{mediapipe::OneEuroSettings{.min_cutoff = 0.01, .beta = 10}};
  mediapipe::OneEuroFilter world_{mediapipe::OneEuroSettings{.min_cutoff = 0.1, .beta = 40}};
  std::array<float, kLandmarkCount> visibility_{};
};

/// Finds people with four key points, and one person's pose with 33 landmarks. MediaPipe's rules.
///
///   auto pipeline = MediapipePose::load(environment, {"mediapipe_pose", {}}, {}, {});
///   Detections found;
///   auto done = (*pipeline)->run(image.view(), found);
/// @source PoseLandmarkCpu's and PoseLandmarksToRoi's graphs; python/reference/mediapipe_pose
class MediapipePose final : public mediapipe::Pipeline<Pose> {
 public:
  using Config = mediapipe_pose::Config;

  /// @error as Pipeline::load_networks
  [[nodiscard]] static base::Result<std::unique_ptr<MediapipePose>> load(
      const std::shared_ptr<runtime::Environment>& environment, const Models& models,
      const runtime::SessionOptions& options, const Config& config);

 private:
  MediapipePose();
  base::Result<mediapipe::NetworkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                           const std::vector<tensor::TensorSpec>& outputs,
                                                           const mediapipe::Quantizations& quantization,
                                                           int batch) override;
  mediapipe::Region region_of(const mediapipe::Detection& person) const override {
    return circle_region(person.keypoints[0], person.keypoints[1], kRegionScale);
  }
  mediapipe::Region next_region(const Pose& pose) const override { return body_region(pose, kRegionScale); }
  base::Result<bool> read(const mediapipe::Landmarker::Output& output, Pose& pose) const override;
  mediapipe::Region follow(double time_s, Pose& pose, mediapipe::Tracker::Track& track, bool is_new) override;

  LandmarkSignature signature_;
  PoseSmoother smoother_;
};

/// Draws boxes, bones and joints; what is likely hidden (visibility below 0.5) is left out.
void draw_poses(media::Image& image, const std::vector<Pose>& poses);

}  // namespace slipway::pipelines::mediapipe_pose
