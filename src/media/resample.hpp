#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"

namespace slipway::media {

/// Changes the sample rate of interleaved floats as they stream by (soxr, very high quality).
/// @thread one object belongs to one thread
class Resampler {
 public:
  /// @error kInvalidArgument: a rate or the number of channels is not positive, or soxr's own reason
  [[nodiscard]] static base::Result<Resampler> create(int from_rate, int to_rate, int channels);
  Resampler(Resampler&&) noexcept;
  Resampler& operator=(Resampler&&) noexcept;
  ~Resampler();

  /// Takes all of `interleaved` and appends what is ready to `out`.
  [[nodiscard]] base::Result<void> push(std::span<const float> interleaved, std::vector<float>& out);
  /// Appends the rest; call once, after the last push.
  [[nodiscard]] base::Result<void> finish(std::vector<float>& out);

 private:
  struct State;
  explicit Resampler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::media
