#include "quantize/encoding.hpp"

#include <random>

#include "quantize/range_scheme.hpp"
#include "quantize/statistics.hpp"
#include "quantize/weights.hpp"
#include <gtest/gtest.h>

namespace slipway::quantize {
namespace {

TEST(Encoding, covers_a_range_and_holds_zero_exactly) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> ends(-40, 40);
  for (const auto type :
       {ActivationType::kUint8, ActivationType::kInt8, ActivationType::kUint16, ActivationType::kInt16}) {
    for (int i = 0; i < 1000; ++i) {
      const auto [lowest, highest] = std::minmax({ends(random), ends(random)});
      const Encoding encoding = encoding_of({lowest, highest}, type);
      const Range held = encoding.range();
      const double half_step = static_cast<double>(encoding.scale) / 2 * (1 + 1e-5);
      EXPECT_LE(held.lowest, lowest + half_step) << type_name(type);
      EXPECT_GE(held.highest, highest - half_step) << type_name(type);
      EXPECT_LE(held.lowest, 0);
      EXPECT_GE(held.highest, 0);
      EXPECT_TRUE(type != ActivationType::kInt16 || encoding.zero_point == 0);
    }
  }
}

TEST(Encoding, of_zero_alone_is_a_number_that_can_be_divided_by) {
  EXPECT_EQ(encoding_of({0, 0}, ActivationType::kUint8), (Encoding{ActivationType::kUint8, 1, 0}));
  EXPECT_EQ(encoding_of({0, 0}, ActivationType::kInt8).zero_point, -128);
  EXPECT_GT(encoding_of({0, 1e-38}, ActivationType::kUint8).scale, 0);
}

TEST(Weights, are_within_half_a_step_of_what_they_were) {
  std::mt19937 random(11);
  std::normal_distribution<float> numbers(0, 0.1F);
  const tensor::Shape shape = {5, 3, 2, 2};
  for (const auto axis :
       {std::optional<std::int64_t>(0), std::optional<std::int64_t>(1), std::optional<std::int64_t>()}) {
    std::vector<float> weights(60);
    for (float& weight : weights) weight = numbers(random) * 100;
    const ChannelOrder order(shape, axis);
    const auto quantized = quantize_weights(weights, shape, axis);
    ASSERT_EQ(quantized.scales.size(), order.channels);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float scale = quantized.scales[order.channel_of(i)];
      EXPECT_NEAR(weights[i], static_cast<float>(quantized.numbers[i]) * scale, scale / 2 * 1.0001F);
    }
  }
}

TEST(Weights, get_steps_that_leave_room_for_a_bias) {
  const std::vector<float> weights = {1e-9F, 1};
  const std::vector<double> smallest = {0.5, 0.001};
  const auto quantized = quantize_weights(weights, {2, 1}, 0, smallest);
  EXPECT_FLOAT_EQ(quantized.scales[0], 0.5F);
  EXPECT_FLOAT_EQ(quantized.scales[1], 1.0F / 127);
}

TEST(Statistics, do_not_depend_on_how_the_numbers_were_divided) {
  std::mt19937 random(3);
  std::normal_distribution<float> numbers(1, 3);
  std::vector<float> all(5000);
  for (float& number : all) number = numbers(random);
  all[17] = 0;
  TensorStatistics whole(true), parts(true);
  whole.add(all);
  for (std::size_t i = 0; i < all.size(); i += 500) parts.add(std::span(all).subspan(i, 500));
  EXPECT_EQ(whole.range(), parts.range());
  EXPECT_EQ(whole.zeros(), 1U);
  EXPECT_EQ(parts.zeros(), 1U);
  std::uint64_t sum = 0;
  for (const auto count : parts.histogram().counts()) sum += count;
  EXPECT_EQ(sum, 4999U);
}

TEST(Statistics, tell_the_means_of_channels) {
  ChannelMeans means;
  means.add(std::vector<float>{1, 2, 10, 20, 3, 4, 30, 40}, {2, 2, 2}, 1);
  means.add(std::vector<float>{0, 0, 0, 0}, {1, 2, 2}, 1);
  means.add(std::vector<float>{7, 7, 7}, {1, 3, 1}, 1);  // of another number of channels
  EXPECT_EQ(means.means(), (std::vector<double>{10.0 / 6, 100.0 / 6}));
}

TEST(Statistics, count_what_is_not_finite_and_leave_it_out) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  TensorStatistics statistics(true);
  statistics.add(std::vector<float>{1, kInfinity, std::numeric_limits<float>::quiet_NaN(), -2, -kInfinity});
  EXPECT_EQ(statistics.count(), 2U);
  EXPECT_EQ(statistics.not_finite(), 3U);
  EXPECT_EQ(statistics.range(), (Range{-2, 1}));
}

/// A bell with a few numbers far out.
TensorStatistics bell_with_outliers() {
  std::mt19937 random(5);
  std::normal_distribution<float> numbers(0, 1);
  std::vector<float> all(200000);
  for (float& number : all) number = numbers(random);
  all[0] = 60;
  all[1] = -50;
  TensorStatistics statistics(true);
  statistics.add(all);
  return statistics;
}

TEST(RangeScheme, of_min_max_is_all_that_was_seen) {
  const auto statistics = bell_with_outliers();
  EXPECT_EQ(choose_range(statistics, RangeScheme::kMinMax, ActivationType::kUint8).range, (Range{-50, 60}));
}

TEST(RangeScheme, of_the_others_leaves_outliers_of_a_bell_out_and_has_less_error) {
  const auto statistics = bell_with_outliers();
  const double whole = expected_error(statistics, {-50, 60}, ActivationType::kUint8);
  for (const auto scheme : {RangeScheme::kMseMinimizer, RangeScheme::kAuto}) {
    const auto chosen = choose_range(statistics, scheme, ActivationType::kUint8);
    EXPECT_LT(expected_error(statistics, chosen.range, ActivationType::kUint8), whole) << scheme_name(scheme);
    EXPECT_GT(chosen.range.lowest, -50) << scheme_name(scheme);
  }
  const auto best = choose_range(statistics, RangeScheme::kMseMinimizer, ActivationType::kUint8);
  EXPECT_LE(expected_error(statistics, best.range, ActivationType::kUint8),
            expected_error(statistics, choose_range(statistics, RangeScheme::kPercentile, ActivationType::kUint8).range,
                           ActivationType::kUint8));
}

TEST(RangeScheme, of_percentile_leaves_a_ten_thousandth_out_at_either_end) {
  const Range range = choose_range(bell_with_outliers(), RangeScheme::kPercentile, ActivationType::kUint8).range;
  // 3.72 standard deviations; bins are 60 / 2048 wide, or twice as wide.
  EXPECT_NEAR(range.highest, 3.72, 0.4);
  EXPECT_NEAR(range.lowest, -3.72, 0.4);
}

TEST(RangeScheme, of_entropy_leaves_outliers_out_at_8_bits_and_nothing_at_16) {
  const auto statistics = bell_with_outliers();
  EXPECT_LT(choose_range(statistics, RangeScheme::kEntropy, ActivationType::kUint8).range.highest, 60);
  EXPECT_EQ(choose_range(statistics, RangeScheme::kEntropy, ActivationType::kUint16).range, (Range{-50, 60}));
}

TEST(RangeScheme, that_is_unknown_is_refused_with_those_that_there_are) {
  const auto scheme = scheme_of_name("max_min");
  ASSERT_FALSE(scheme);
  EXPECT_NE(scheme.error().message.find("min_max, percentile, entropy, mse_minimizer, auto"), std::string::npos);
}

}  // namespace
}  // namespace slipway::quantize
