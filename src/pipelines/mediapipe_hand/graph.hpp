#pragma once

#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/object_tracker.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"
#include "pipelines/mediapipe_common/rules.hpp"
#include "pipelines/mediapipe_hand/pipeline.hpp"
#include "pipelines/mediapipe_hand/signature.hpp"

namespace slipway::pipelines::mediapipe_hand {

/// The rules of hands.
/// @source HandLandmarkTrackingCpu's graph; python/reference/mediapipe_hand
struct HandKind::Graph {
  using Config = mediapipe_hand::Config;
  using Detections = mediapipe_hand::Detections;
  using Object = Hand;
  using Signature = LandmarkSignature;
  using Tracker = mediapipe::ObjectTracker<Graph>;

  static const mediapipe::DetectorFamily& detector_family() { return mediapipe_hand::detector_family(); }
  static std::vector<Hand>& objects(Detections& found) { return found.hands; }

  static base::Result<void> check(const Config& config);
  static mediapipe::Rules rules(const Config& /*config*/) { return mediapipe::Rules::kMediapipe; }
  static std::size_t most_of_picture(const Config& config, bool has_landmarks);
  static std::size_t most_tracked(const Config& config);

  /// By the palm: the fingers point up, half a palm further up, 2.6 times as large.
  /// @source PalmDetectionDetectionToRoi's graph; python/reference/mediapipe_hand/landmark.py::palm_region
  [[nodiscard]] static mediapipe::Region region_of(const mediapipe::Detection& palm, mediapipe::Rules rules);
  /// The same by the landmarks of the frame before: around the wrist and the inner joints, which keep still, turned
  /// with the hand, twice as large.
  /// @source HandLandmarkLandmarksToRoi's graph; python/reference/mediapipe_hand/landmark.py::next_region
  [[nodiscard]] static mediapipe::Region next_region(const Hand& hand);

  static mediapipe::CropRules crop_rules(const Config& /*config*/) { return {}; }
  static base::Result<LandmarkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const mediapipe::Quantizations& quantization, int batch) {
    return read_landmark_signature(inputs, outputs, quantization, batch);
  }
  /// Fills presence, handedness and landmarks; says whether all are finite.
  static base::Result<bool> read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                 Hand& hand);
};

}  // namespace slipway::pipelines::mediapipe_hand
