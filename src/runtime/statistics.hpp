#pragma once

#include <vector>

#include "runtime/profiling.hpp"

namespace slipway::runtime {

/// Runs after which a measurement may be called stable.
inline constexpr std::size_t kRunsUntilStable = 20;

/// True when the 95 % confidence interval of the median (from order statistics, so no distribution is assumed) lies
/// within ±1 % of it, after kRunsUntilStable samples or more.
[[nodiscard]] bool median_is_stable(std::vector<double> samples_us);

}  // namespace slipway::runtime
