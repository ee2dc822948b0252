#include "pipelines/samurai/kalman_filter.hpp"

namespace slipway::pipelines::samurai {
namespace {

constexpr double kPositionNoise = 1.0 / 20;   // of the height
constexpr double kVelocityNoise = 1.0 / 160;  // of the height
constexpr double kAspectNoise = 1e-2;
constexpr double kAspectVelocityNoise = 1e-5;
constexpr double kMeasuredAspectNoise = 1e-1;
constexpr std::size_t kAspect = 2, kHeight = 3;

constexpr double square(double value) {
  return value * value;
}

/// Centre x, centre y, aspect, height. A box without height (no mask) counts as one pixel high.
std::array<double, 4> measurement_of(const Box& box) {
  const double height = box.y2 == box.y1 ? 1 : box.y2 - box.y1;
  return {(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2, (box.x2 - box.x1) / height, height};
}

}  // namespace

void KalmanFilter::initiate(const Box& box) {
  const auto measured = measurement_of(box);
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const bool is_aspect = i == kAspect;
    axes_[i] = {
        .value = measured[i],
        .velocity = 0,
        .value_variance = square(is_aspect ? kAspectNoise : 2 * kPositionNoise * measured[kHeight]),
        .covariance = 0,
        .velocity_variance = square(is_aspect ? kAspectVelocityNoise : 10 * kVelocityNoise * measured[kHeight])};
  }
}

void KalmanFilter::predict() {
  const double height = axes_[kHeight].value;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const bool is_aspect = i == kAspect;
    Axis& axis = axes_[i];
    axis.value += axis.velocity;
    axis.value_variance +=
        2 * axis.covariance + axis.velocity_variance + square(is_aspect ? kAspectNoise : kPositionNoise * height);
    axis.covariance += axis.velocity_variance;
    axis.velocity_variance += square(is_aspect ? kAspectVelocityNoise : kVelocityNoise * height);
  }
}

void KalmanFilter::update(const Box& box) {
  const auto measured = measurement_of(box);
  const double height = axes_[kHeight].value;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    Axis& axis = axes_[i];
    const double spread = axis.value_variance + square(i == kAspect ? kMeasuredAspectNoise : kPositionNoise * height);
    if (!(spread > 0)) continue;
    const double value_gain = axis.value_variance / spread;
    const double velocity_gain = axis.covariance / spread;
    const double surprise = measured[i] - axis.value;
    axis.value += surprise * value_gain;
    axis.velocity += surprise * velocity_gain;
    axis.value_variance -= value_gain * spread * value_gain;
    axis.covariance -= value_gain * spread * velocity_gain;
    axis.velocity_variance -= velocity_gain * spread * velocity_gain;
  }
}

Box KalmanFilter::box() const {
  const double x = axes_[0].value, y = axes_[1].value, height = axes_[kHeight].value;
  const double width = axes_[kAspect].value * height;
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

std::array<double, 8> KalmanFilter::mean() const {
  std::array<double, 8> mean{};
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    mean[i] = axes_[i].value;
    mean[i + axes_.size()] = axes_[i].velocity;
  }
  return mean;
}

std::array<double, 8> KalmanFilter::covariance_diagonal() const {
  std::array<double, 8> diagonal{};
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    diagonal[i] = axes_[i].value_variance;
    diagonal[i + axes_.size()] = axes_[i].velocity_variance;
  }
  return diagonal;
}

}  // namespace slipway::pipelines::samurai
