#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "media/fit.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::yolov8 {

inline constexpr int kSidesDivideBy = 32;  ///< the network halves five times
inline constexpr int kMostObjects = 300;   ///< reported an image, as Ultralytics does
inline constexpr float kAppScoreMin = 0.45F;
inline constexpr double kAppIouMax = 0.7;
inline constexpr std::uint8_t kUltralyticsPadding = 114;

/// The choices a user has.
struct Config {
  float score_min = kAppScoreMin;          ///< in 0 … 1
  double iou_max = kAppIouMax;             ///< within a class
  std::uint8_t padding = 0;                ///< grey of what the letterbox leaves empty: 0, or 114 as Ultralytics
  int batch = 1;                           ///< images a run of the network
  std::vector<std::int32_t> only_classes;  ///< empty: all
  std::vector<std::string> labels;         ///< empty: the model folder's, or COCO's for 80 classes
  std::map<std::string, tensor::Quantization> quantization;  ///< of integer inputs and outputs, by name
};

}  // namespace slipway::pipelines::yolov8
