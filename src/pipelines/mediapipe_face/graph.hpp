#pragma once

#include <limits>

#include "pipelines/mediapipe_common/detection.hpp"
#include "pipelines/mediapipe_common/object_tracker.hpp"
#include "pipelines/mediapipe_common/region_network.hpp"
#include "pipelines/mediapipe_face/pipeline.hpp"
#include "pipelines/mediapipe_face/signature.hpp"

namespace slipway::pipelines::mediapipe_face {

/// The rules of faces.
/// @source model facts of both rules; python/reference/mediapipe_face/landmark.py
struct FaceKind::Graph {
  using Config = mediapipe_face::Config;
  using Detections = mediapipe_face::Detections;
  using Object = Face;
  using Signature = LandmarkSignature;
  using Tracker = mediapipe::ObjectTracker<Graph>;

  static const mediapipe::DetectorFamily& detector_family() { return mediapipe_face::detector_family(); }
  static std::vector<Face>& objects(Detections& found) { return found.faces; }

  static base::Result<void> check(const Config& config);
  static Rules rules(const Config& config) { return config.rules; }
  static std::size_t most_of_picture(const Config& config, bool has_landmarks);
  static std::size_t most_tracked(const Config& config) {
    return static_cast<std::size_t>(config.max_faces.value_or(1));
  }

  /// What the landmark network is to see of a face, by the key points and the box of a detector.
  [[nodiscard]] static mediapipe::Region region_of(const mediapipe::Detection& detection, Rules rules);
  /// The same by the landmarks of the frame before: the box around them, turned until the outer corners of the eyes
  /// are level.
  [[nodiscard]] static mediapipe::Region next_region(const Face& face);

  static mediapipe::CropRules crop_rules(const Config& config);
  static base::Result<LandmarkSignature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                        const Quantizations& quantization, int batch) {
    return read_landmark_signature(inputs, outputs, quantization, batch);
  }
  /// Fills presence and landmarks; says whether all are finite.
  static base::Result<bool> read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                 Face& face);
};

}  // namespace slipway::pipelines::mediapipe_face
