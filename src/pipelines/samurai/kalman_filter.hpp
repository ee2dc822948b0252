#pragma once

#include <array>

#include "pipelines/common/box.hpp"

namespace slipway::pipelines::samurai {

/// A Kalman filter over one box with constant velocity, one step a frame, in double precision.
///
/// State: centre x, centre y, aspect (width / height), height, and their velocities. Noise scales with the height.
/// Nothing couples the four quantities, neither motion nor noise, so the 8×8 covariance is four 2×2 blocks and the
/// gain needs no matrix to be solved.
/// @thread one object belongs to one thread
/// @source model-facts: SAMURAI's rules; python/reference/samurai
class KalmanFilter {
 public:
  /// Starts anew at a box, at rest.
  void initiate(const Box& box);

  /// One frame on.
  void predict();

  /// Takes a measured box in.
  void update(const Box& box);

  /// The box of the present state.
  [[nodiscard]] Box box() const;

  /// x, y, aspect, height, then their velocities.
  [[nodiscard]] std::array<double, 8> mean() const;
  /// The covariance's diagonal, in the same order.
  [[nodiscard]] std::array<double, 8> covariance_diagonal() const;

 private:
  /// One quantity and its velocity, with the covariance of the two.
  struct Axis {
    double value = 0, velocity = 0;
    double value_variance = 0, covariance = 0, velocity_variance = 0;
  };
  std::array<Axis, 4> axes_;
};

}  // namespace slipway::pipelines::samurai
