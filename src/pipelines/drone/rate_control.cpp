#include "pipelines/drone/rate_control.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::drone {

Rates choose_rates(double detect_ms, double segment_ms, double budget_ms) {
  Rates rates;
  if (budget_ms <= 0) return rates;
  const double left_ms = budget_ms - detect_ms;
  if (left_ms <= 0) {
    rates.segment_every = kSlowestSegmentation;
    rates.detect_every = std::clamp(static_cast<int>(std::ceil(detect_ms / budget_ms)), 1, kSlowestDetection);
    return rates;
  }
  const double wanted = std::ceil(std::min(segment_ms / left_ms, 1.0 * kSlowestSegmentation));
  rates.segment_every = std::clamp(static_cast<int>(wanted), 1, kSlowestSegmentation);
  return rates;
}

void RateControl::add_frame(double frame_ms, bool did_detect, bool was_segmenting, bool finished_segments) {
  if (did_detect && !was_segmenting) detect_ms_.add(frame_ms);
  if (did_detect) lowest_detect_ms_ = lowest_detect_ms_ > 0 ? std::min(lowest_detect_ms_, frame_ms) : frame_ms;
  if (!was_segmenting) return;
  if (did_detect) beside_detect_ms_.add(frame_ms);
  beside_ms_ += frame_ms;
  beside_frames_ += did_detect ? 1 : 0;
  if (!finished_segments) return;
  const double alone_ms = detect_ms_.count() > 0 ? detect_ms_.value() : lowest_detect_ms_;
  segment_ms_.add(std::max(0.0, beside_ms_ - beside_frames_ * alone_ms));
  beside_ms_ = 0;
  beside_frames_ = 0;
}

Rates RateControl::rates() const {
  if (detect_ms_.count() > 0) return choose_rates(detect_ms_.value(), segment_ms_.value(), budget_ms_);
  // No frame had detection alone yet. When those with both are over the budget, segmentation waits until one had: a
  // segmentation that lasts many frames would otherwise begin again as soon as it ends.
  Rates rates;
  if (budget_ms_ > 0 && beside_detect_ms_.value() > budget_ms_) rates.segment_every = kSlowestSegmentation;
  return rates;
}

}  // namespace slipway::pipelines::drone
