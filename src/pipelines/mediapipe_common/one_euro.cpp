#include "pipelines/mediapipe_common/one_euro.hpp"

#include <cmath>
#include <numbers>

namespace slipway::pipelines::mediapipe {

void OneEuroFilter::apply(double time_s, double value_scale, std::span<float> values) {
  if (has_last_ && raw_.size() != values.size()) reset();
  if (!has_last_) {
    has_last_ = true;
    last_time_s_ = time_s;
    raw_.assign(values.begin(), values.end());
    smoothed_ = raw_;
    speed_.assign(values.size(), 0.0);
    return;
  }
  if (!(time_s > last_time_s_)) return;
  frequency_ = 1 / (time_s - last_time_s_);
  last_time_s_ = time_s;
  const auto alpha = [&](double cutoff) { return 1 / (1 + frequency_ / (2 * std::numbers::pi * cutoff)); };
  const double speed_alpha = alpha(settings_.derivative_cutoff);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    const double speed = (value - raw_[i]) * value_scale * frequency_;
    speed_[i] += speed_alpha * (speed - speed_[i]);
    smoothed_[i] += alpha(settings_.min_cutoff + settings_.beta * std::fabs(speed_[i])) * (value - smoothed_[i]);
    raw_[i] = value;
    values[i] = static_cast<float>(smoothed_[i]);
  }
}

void OneEuroFilter::reset() {
  has_last_ = false;
  frequency_ = settings_.frequency;
}

}  // namespace slipway::pipelines::mediapipe
