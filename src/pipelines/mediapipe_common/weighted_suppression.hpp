#pragma once

#include <vector>

#include "pipelines/mediapipe_common/detection.hpp"

namespace slipway::pipelines::mediapipe {

/// Best first: a detection and all that overlap it by more than `iou_max` become their mean, weighted by score; the
/// score is the best one's.
///
/// @param found  sorted by score on return, and otherwise used up
/// @param kept   receives the means; its memory is reused
/// @source NonMaxSuppressionCalculator, algorithm WEIGHTED;
///         python/reference/mediapipe_face/detector.py::suppress_weighted
void suppress_weighted(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept);

/// Best first: drops what overlaps a kept one by more than `iou_max`.
void suppress_greedily(std::vector<Detection>& found, double iou_max, std::vector<Detection>& kept);

}  // namespace slipway::pipelines::mediapipe
