#include "quantize/range_scheme.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace slipway::quantize {
namespace {

struct Row {
  RangeScheme scheme;
  std::string_view name;
};
constexpr std::array kRows = {Row{RangeScheme::kMinMax, "min_max"}, Row{RangeScheme::kPercentile, "percentile"},
                              Row{RangeScheme::kEntropy, "entropy"}, Row{RangeScheme::kMseMinimizer, "mse_minimizer"},
                              Row{RangeScheme::kAuto, "auto"}};

constexpr double kTailShare = 1e-4;
/// A clipped number is wrong by much, and mostly one that the network acts on; found on the networks of the acceptance
/// suite.
constexpr double kAutoClippingWeight = 4;
constexpr double kFinestPart = 1.0 / 64, kSmallestPart = 1.0 / 8;

/// The middles of the bins that hold something, and how much.
template <typename Visit>
void for_each_bin(const Histogram& histogram, const Visit& visit) {
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    if (histogram.counts()[i] > 0) {
      visit(histogram.lower_end(i) + histogram.width() / 2, static_cast<double>(histogram.counts()[i]));
    }
  }
}

Range with_zero(const Range& range) {
  return {std::min(range.lowest, 0.0), std::max(range.highest, 0.0)};
}

Range percentile_range(const TensorStatistics& statistics) {
  const Histogram& histogram = statistics.histogram();
  const Range whole = statistics.range();
  const double tail = kTailShare * static_cast<double>(statistics.count());
  Range range = whole;
  double below = 0, above = 0;
  for (std::size_t i = 0; i < Histogram::kBinsPerSide; ++i) {
    below += static_cast<double>(histogram.counts()[i]);
    if (below > tail) {
      range.lowest = std::max(whole.lowest, histogram.lower_end(i));
      break;
    }
    range.lowest = std::max(whole.lowest, histogram.lower_end(i + 1));
  }
  for (std::size_t i = histogram.counts().size(); i-- > Histogram::kBinsPerSide;) {
    above += static_cast<double>(histogram.counts()[i]);
    if (above > tail) {
      range.highest = std::min(whole.highest, histogram.lower_end(i + 1));
      break;
    }
    range.highest = std::min(whole.highest, histogram.lower_end(i));
  }
  return with_zero(range);
}

/// Of the ranges that are the whole one with either side made shorter, the one of the least cost: each side in turn,
/// until neither moves.
template <typename Cost>
Range shortened(const Range& whole, const Cost& cost) {
  Range best = whole;
  double least = cost(best);
  for (bool is_changed = true; is_changed;) {
    is_changed = false;
    for (double Range::*const side : {&Range::highest, &Range::lowest}) {
      if (whole.*side == 0) continue;
      for (double part = 1; part >= kSmallestPart; part -= kFinestPart) {
        Range candidate = best;
        candidate.*side = whole.*side * part;
        const double found = cost(candidate);
        if (found < least) {
          least = found;
          best = candidate;
          is_changed = true;
        }
      }
    }
  }
  return best;
}

/// How much of the distribution is lost when its bins are joined to steps: the Kullback-Leibler divergence of the
/// clipped distribution and the same rounded to steps.
double divergence(const TensorStatistics& statistics, const Range& range, ActivationType type) {
  const Histogram& histogram = statistics.histogram();
  const Encoding encoding = encoding_of(range, type);
  const Range held = encoding.range();
  const auto steps = static_cast<std::size_t>(1LL << bits_of(type));
  std::vector<double> sums(steps, 0), filled(steps, 0);
  std::vector<std::pair<std::size_t, double>> clipped;  // step, count
  const auto step_of = [&](double number) {
    const double step = std::nearbyint((number - held.lowest) / static_cast<double>(encoding.scale));
    return static_cast<std::size_t>(std::clamp(step, 0.0, static_cast<double>(steps - 1)));
  };
  double total = 0;
  for_each_bin(histogram, [&](double middle, double count) {
    const bool is_inside = middle >= held.lowest && middle <= held.highest;
    const std::size_t step = step_of(middle);
    total += count;
    if (is_inside) {
      sums[step] += count;
      filled[step] += 1;
    }
    if (!clipped.empty() && clipped.back().first == step && !is_inside) {
      clipped.back().second += count;  // what is outside is added to the outermost bin
    } else {
      clipped.emplace_back(step, count);
    }
  });
  double sum = 0;
  for (const auto& [step, count] : clipped) {
    const double p = count / total;
    const double q = filled[step] > 0 ? sums[step] / filled[step] / total : 0;
    sum += p * std::log(p / std::max(q, 1e-12));
  }
  return sum;
}

}  // namespace

std::string_view scheme_name(RangeScheme scheme) {
  return std::ranges::find(kRows, scheme, &Row::scheme)->name;
}

base::Result<RangeScheme> scheme_of_name(std::string_view name) {
  const auto* const row = std::ranges::find(kRows, name, &Row::name);
  if (row != kRows.end()) return row->scheme;
  std::vector<std::string_view> names;
  for (const Row& each : kRows) names.push_back(each.name);
  return base::fail(base::Code::kInvalidArgument, "there is no range scheme '{}'; expected {}", name,
                    fmt::join(names, ", "));
}

double expected_error(const TensorStatistics& statistics, const Range& range, ActivationType type,
                      double clipping_weight) {
  if (statistics.count() == 0) return 0;
  const Encoding encoding = encoding_of(range, type);
  const Range held = encoding.range();
  const double step = static_cast<double>(encoding.scale);
  // Zeros are stored exactly; numbers between two steps are wrong by half a step at most, evenly spread.
  const double rounding = step * step / 12;
  double sum = 0;
  for_each_bin(statistics.histogram(), [&](double middle, double count) {
    const double outside = std::max({held.lowest - middle, middle - held.highest, 0.0});
    sum += count * (outside > step / 2 ? clipping_weight * outside * outside : rounding);
  });
  return sum / static_cast<double>(statistics.count());
}

ChosenRange choose_range(const TensorStatistics& statistics, RangeScheme scheme, ActivationType type) {
  const Range whole = with_zero(statistics.range());
  if (scheme == RangeScheme::kMinMax || statistics.histogram().is_empty() || whole.width() == 0)
    return {whole, RangeScheme::kMinMax};
  const auto minimize = [&](double clipping_weight) {
    return shortened(whole,
                     [&](const Range& range) { return expected_error(statistics, range, type, clipping_weight); });
  };
  switch (scheme) {
    case RangeScheme::kMinMax:
      break;
    case RangeScheme::kPercentile:
      return {percentile_range(statistics), scheme};
    case RangeScheme::kEntropy: {
      // With more steps than bins every range says all of the distribution.
      if (bits_of(type) > 8) break;
      return {shortened(whole, [&](const Range& range) { return divergence(statistics, range, type); }), scheme};
    }
    case RangeScheme::kMseMinimizer:
      return {minimize(1), scheme};
    case RangeScheme::kAuto: {
      ChosenRange best{whole, RangeScheme::kMinMax};
      double least = expected_error(statistics, whole, type, kAutoClippingWeight);
      for (const ChosenRange& candidate : {ChosenRange{percentile_range(statistics), RangeScheme::kPercentile},
                                           ChosenRange{minimize(kAutoClippingWeight), RangeScheme::kMseMinimizer}}) {
        const double error = expected_error(statistics, candidate.range, type, kAutoClippingWeight);
        if (error >= least) continue;
        least = error;
        best = candidate;
      }
      return best;
    }
  }
  return {whole, RangeScheme::kMinMax};
}

}  // namespace slipway::quantize
