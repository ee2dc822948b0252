#pragma once

#include <cstdint>

#include "pipelines/common/running_median.hpp"

namespace slipway::pipelines::drone {

/// How often the networks run: 1 is every frame, 3 every third.
struct Rates {
  int segment_every = 1;
  int detect_every = 1;
  friend bool operator==(const Rates&, const Rates&) = default;
};
inline constexpr int kSlowestSegmentation = 60;
inline constexpr int kSlowestDetection = 10;

/// The fastest rates whose mean time of a frame stays within the budget; segmentation gives way first, and detection
/// only when it alone is over the budget.
/// @param detect_ms   a frame with detection alone
/// @param segment_ms  what one segmentation adds to the frames that it runs beside
[[nodiscard]] Rates choose_rates(double detect_ms, double segment_ms, double budget_ms);

/// Measures frames and says how often each network is to run.
/// @thread one object belongs to one thread
class RateControl {
 public:
  /// @param budget_ms  of a frame, on average; 0: none, and both networks run on every frame
  explicit RateControl(double budget_ms) : budget_ms_(budget_ms) {}

  /// A frame's time and what ran in it.
  /// @param did_detect         the detector ran
  /// @param was_segmenting     the segmenter ran beside, for at least part of the frame
  /// @param finished_segments  it came to its end
  void add_frame(double frame_ms, bool did_detect, bool was_segmenting, bool finished_segments);

  [[nodiscard]] Rates rates() const;
  [[nodiscard]] double budget_ms() const { return budget_ms_; }

 private:
  double budget_ms_;
  RunningMedian detect_ms_, segment_ms_;
  RunningMedian beside_detect_ms_;  ///< frames with both
  double lowest_detect_ms_ = 0;     ///< until a frame with detection alone was seen
  double beside_ms_ = 0;            ///< time of the frames beside the segmentation under way
  int beside_frames_ = 0;           ///< of these, with detection
};

}  // namespace slipway::pipelines::drone
