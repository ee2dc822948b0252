#pragma once

#include <span>
#include <vector>

namespace slipway::pipelines::mediapipe {

/// How a One-Euro filter is set. The defaults are those of MediaPipe's landmark smoothing.
struct OneEuroSettings {
  double frequency = 30;         ///< frames per second, until two times are known
  double min_cutoff = 0.05;      ///< Hz; lower: steadier at rest
  double beta = 80;              ///< higher: less lag in motion
  double derivative_cutoff = 1;  ///< Hz, of the speed
};

/// Smooths many values over time, each by itself: little at speed, much at rest (Casiez et al., 2012).
///
///   dx = (x − x_last) · value_scale / dt, smoothed at derivative_cutoff
///   cutoff = min_cutoff + beta · |dx|;  y = y_last + alpha(cutoff) · (x − y_last)
///   alpha(c) = 1 / (1 + 1 / (2 π c · dt))
/// @thread one object belongs to one thread
/// @source mediapipe OneEuroFilter; python/reference/mediapipe_face/smoothing.py
class OneEuroFilter {
 public:
  explicit OneEuroFilter(const OneEuroSettings& settings) : settings_(settings), frequency_(settings.frequency) {}

  /// Replaces the values by smoothed ones. A time that is not later than the last leaves them as they are.
  /// @param time_s       of this frame
  /// @param value_scale  1 / size of the object, so that speed is counted in objects a second
  void apply(double time_s, double value_scale, std::span<float> values);

  /// The next values are the first.
  void reset();

 private:
  OneEuroSettings settings_;
  double frequency_;
  double last_time_s_ = 0;
  bool has_last_ = false;
  std::vector<double> raw_, smoothed_, speed_;
};

}  // namespace slipway::pipelines::mediapipe
