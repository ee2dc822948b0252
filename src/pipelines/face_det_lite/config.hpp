#pragma once

#include <map>
#include <optional>
#include <string>

#include "media/fit.hpp"
#include "media/image_to_tensor.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::face_det_lite {

inline constexpr int kStride = 8;          ///< input pixels a heatmap cell
inline constexpr int kSidesDivideBy = 32;  ///< the network halves five times
inline constexpr int kMostPeaks = 2000;
inline constexpr float kAppScoreMin = 0.55F;
inline constexpr double kEvaluatorIouMax = 0.2;

/// The choices a user has.
struct Config {
  media::Channels channels = media::Channels::kLuma;  ///< kBlue is the rule of versions before 0.37
  media::Fit fit = media::Fit::kLetterbox;
  float score_min = kAppScoreMin;  ///< in [0, 1]
  std::optional<double> iou_max;   ///< nothing: no suppression beyond the 3×3 peaks, as in the app
  int batch = 1;                   ///< images a run of the network
  std::map<std::string, tensor::Quantization> quantization;  ///< of integer inputs and outputs, by name
};

}  // namespace slipway::pipelines::face_det_lite
