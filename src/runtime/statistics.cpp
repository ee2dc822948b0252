#include "runtime/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slipway::runtime {
namespace {

/// Linear interpolation between the closest ranks, as numpy.percentile does by default.
double quantile_of_sorted(const std::vector<double>& sorted, double fraction) {
  const double rank = fraction * static_cast<double>(sorted.size() - 1);
  const auto lower = static_cast<std::size_t>(rank);
  const std::size_t upper = std::min(lower + 1, sorted.size() - 1);
  return sorted[lower] + (sorted[upper] - sorted[lower]) * (rank - static_cast<double>(lower));
}

}  // namespace

Statistics statistics_of(std::vector<double> samples_us) {
  Statistics statistics;
  if (samples_us.empty()) return statistics;
  std::ranges::sort(samples_us);
  const auto count = static_cast<double>(samples_us.size());
  statistics.count = static_cast<std::int64_t>(samples_us.size());
  statistics.min_us = samples_us.front();
  statistics.max_us = samples_us.back();
  statistics.median_us = quantile_of_sorted(samples_us, 0.5);
  statistics.p90_us = quantile_of_sorted(samples_us, 0.90);
  statistics.p95_us = quantile_of_sorted(samples_us, 0.95);
  statistics.p99_us = quantile_of_sorted(samples_us, 0.99);
  statistics.mean_us = std::accumulate(samples_us.begin(), samples_us.end(), 0.0) / count;
  double squares = 0;
  for (const double sample : samples_us) squares += (sample - statistics.mean_us) * (sample - statistics.mean_us);
  if (samples_us.size() > 1) statistics.stddev_us = std::sqrt(squares / (count - 1));
  return statistics;
}

bool median_is_stable(std::vector<double> samples_us) {
  if (samples_us.size() < kRunsUntilStable) return false;
  std::ranges::sort(samples_us);
  // The number of samples below the true median is binomial(n, 1/2): mean n/2, standard deviation sqrt(n)/2.
  const auto count = static_cast<double>(samples_us.size());
  const double reach = 1.96 * std::sqrt(count) / 2;
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(count / 2 - reach)));
  const auto upper = std::min(samples_us.size() - 1, static_cast<std::size_t>(std::ceil(count / 2 + reach)));
  const double median = quantile_of_sorted(samples_us, 0.5);
  constexpr double kTolerance = 0.01;
  return samples_us[lower] >= median * (1 - kTolerance) && samples_us[upper] <= median * (1 + kTolerance);
}

}  // namespace slipway::runtime
