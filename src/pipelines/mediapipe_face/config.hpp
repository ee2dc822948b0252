#pragma once

#include <map>
#include <optional>
#include <string>

#include "tensor/shape.hpp"

namespace slipway::pipelines::mediapipe_face {

/// Whose rules apply around the networks.
enum class Rules {
  kMediapipe,  ///< MediaPipe's graphs: weighted suppression, squares of 1.5 times the face, edges go on, tracking
  kQaiHub,     ///< the app of Qualcomm's package: whole pixels, plain suppression, boxes of 1.1 times, black edges
};

inline constexpr std::size_t kKeypointCount = 6;  ///< right eye, left eye, nose, mouth, right ear, left ear
inline constexpr std::size_t kLandmarkCount = 468;

/// The choices a user has.
struct Config {
  Rules rules = Rules::kMediapipe;
  /// Lowest score of a face, in [0, 1]. Nothing: 0.5, for the full range 0.6, for kQaiHub 0.8.
  std::optional<float> score_min;
  float presence_min = 0.5F;  ///< lowest probability of the landmark network that it sees a face, in [0, 1]
  double iou_max = 0.3;       ///< above it two boxes are of one face
  /// Nothing: every face of a single picture, one of a sequence; with kQaiHub always one.
  std::optional<int> max_faces;
  bool find_landmarks = true;  ///< false: the detector alone
  bool smooth = false;         ///< sequences: One-Euro smoothing, as FaceLandmarker has and FaceMesh has not
  std::map<std::string, tensor::Quantization> detector_quantization;  ///< of integer inputs and outputs, by name
  std::map<std::string, tensor::Quantization> landmark_quantization;
};

}  // namespace slipway::pipelines::mediapipe_face
