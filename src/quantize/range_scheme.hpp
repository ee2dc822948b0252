#pragma once

#include "quantize/options.hpp"
#include "quantize/statistics.hpp"

namespace slipway::quantize {

/// A range for a tensor, and which scheme gave it (kAuto names the one that it chose).
struct ChosenRange {
  Range range;
  RangeScheme scheme = RangeScheme::kMinMax;
};

/// The range of a tensor by a scheme. Schemes other than min_max need the histogram, and more than one number in it.
[[nodiscard]] ChosenRange choose_range(const TensorStatistics& statistics, RangeScheme scheme, ActivationType type);

/// The mean squared error of a tensor that is stored in this range, as far as its histogram tells.
/// @param clipping_weight  by which the error of what lies outside counts more
[[nodiscard]] double expected_error(const TensorStatistics& statistics, const Range& range, ActivationType type,
                                    double clipping_weight = 1);

}  // namespace slipway::quantize
