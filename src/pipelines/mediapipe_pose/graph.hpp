#pragma once

#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"
#include "pipelines/mediapipe_common/rules.hpp"
#include "pipelines/mediapipe_pose/follower.hpp"
#include "pipelines/mediapipe_pose/pipeline.hpp"
#include "pipelines/mediapipe_pose/signature.hpp"

namespace slipway::pipelines::mediapipe_pose {

/// Moves a landmark to the middle of its heatmap's values within 4 cells, where the map is sure enough (0.5).
///
/// @param heatmap  logits [64, 64, 39], row by row
/// @param index    of the landmark
/// @param at       in cells of the map; unchanged outside the map
/// @source RefineLandmarksFromHeatmapCalculator as the package 0.10.21 runs it (its graph says a kernel of 7)
[[nodiscard]] media::Point refine(const RealValues& heatmap, std::size_t index, media::Point at);

/// The rules of poses.
/// @source PoseLandmarkCpu's graph; python/reference/mediapipe_pose
struct PoseKind::Graph {
  using Config = mediapipe_pose::Config;
  using Detections = mediapipe_pose::Detections;
  using Object = Pose;
  using Signature = LandmarkSignature;
  using Tracker = Follower;

  static const mediapipe::DetectorFamily& detector_family() { return mediapipe_pose::detector_family(); }
  static std::vector<Pose>& objects(Detections& found) { return found.poses; }

  static base::Result<void> check(const Config& /*config*/) { return {}; }
  static mediapipe::Rules rules(const Config& /*config*/) { return mediapipe::Rules::kMediapipe; }
  static std::size_t most_of_picture(const Config& config, bool has_landmarks);
  static std::size_t most_tracked(const Config& /*config*/) { return 1; }

  [[nodiscard]] static mediapipe::Region region_of(const mediapipe::Detection& person, mediapipe::Rules /*rules*/) {
    return circle_region(person.keypoints[0], person.keypoints[1], kRegionScale);
  }

  static mediapipe::CropRules crop_rules(const Config& /*config*/) { return {}; }
  static base::Result<LandmarkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const mediapipe::Quantizations& quantization, int batch) {
    return read_landmark_signature(inputs, outputs, quantization, batch);
  }
  /// Fills presence, landmarks and visibility; says whether all are finite.
  static base::Result<bool> read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                 Pose& pose);
};

}  // namespace slipway::pipelines::mediapipe_pose
