#include "media/internal/pixel_rows.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace slipway::media::internal {
namespace {

std::vector<std::uint8_t> noise(std::size_t bytes) {
  std::mt19937 random(5);
  std::vector<std::uint8_t> values(bytes);
  for (auto& value : values) value = static_cast<std::uint8_t>(random());
  return values;
}

// Each step rounded by itself, as the NumPy reading does: volatile keeps the compiler from fusing.
float rounded(float value) {
  volatile float stored = value;
  return stored;
}

TEST(WeighRow, gives_the_same_bits_as_one_pixel_at_a_time_at_every_length) {
  const std::array<std::int32_t, 3> weights = {2125, 7154, 721};
  for (std::size_t pixels = 0; pixels < 70; ++pixels) {
    const auto rgb = noise(3 * pixels);  // exactly as long: reading beyond is caught by AddressSanitizer
    std::vector<float> out(pixels + 1, -7);
    weigh_row(rgb.data(), pixels, weights, 1e-4F / 255, 0.25F, rgb.data(), out.data());
    for (std::size_t x = 0; x < pixels; ++x) {
      const int sum = 2125 * rgb[3 * x] + 7154 * rgb[3 * x + 1] + 721 * rgb[3 * x + 2];
      EXPECT_EQ(out[x], rounded(rounded(static_cast<float>(sum) * (1e-4F / 255)) + 0.25F)) << pixels << " " << x;
    }
    EXPECT_EQ(out[pixels], -7);
  }
}

TEST(WeighRow, takes_every_weight_that_fits_its_digits) {
  const auto rgb = noise(std::size_t{3} * 64);
  for (const std::int32_t weight : {0, 1, 63, 64, 127, 128, 8191, 16319}) {
    std::vector<float> out(64);
    weigh_row(rgb.data(), out.size(), {0, weight, 1}, 1, 0, rgb.data(), out.data());
    for (std::size_t x = 0; x < out.size(); ++x) {
      EXPECT_EQ(out[x], static_cast<float>(rgb[3 * x + 1] * weight + rgb[3 * x + 2])) << weight << " " << x;
    }
  }
}

TEST(PickPixels, copies_the_columns_that_were_named_and_no_others) {
  for (const std::int32_t width : {1, 20, 43, 300, 5000}) {
    const auto rgb = noise(3 * static_cast<std::size_t>(width));  // exactly as long
    for (const std::int32_t step : {1, 2, 3, 5, 42, 43, 900}) {
      std::vector<std::int32_t> columns;
      for (std::int32_t x = width / 7; x < width; x += step) columns.push_back(x);
      if (width > 2 && columns.back() != width - 1) columns.push_back(width - 1);
      std::vector<PixelGroup> groups;
      group_pixels(columns, groups);
      std::vector<std::uint8_t> out(3 * columns.size() + kSpareBytes);
      pick_pixels(rgb.data(), rgb.size(), groups, rgb.data(), out.data());
      for (std::size_t i = 0; i < 3 * columns.size(); ++i) {
        ASSERT_EQ(out[i], rgb[3 * static_cast<std::size_t>(columns[i / 3]) + i % 3])
            << width << " " << step << " " << i;
      }
    }
  }
}

TEST(ResampleRow, gives_the_same_bits_as_one_column_at_a_time_for_every_scale) {
  std::mt19937 random(6);
  std::uniform_real_distribution<float> real(0, 1);
  for (const std::size_t source : {1U, 2U, 37U, 100U, 199U, 640U}) {
    std::vector<float> row(source + kSpareValues);
    std::generate_n(row.begin(), source, [&] { return real(random); });
    for (const std::size_t count : {1U, 16U, 33U, 100U, 317U}) {
      std::vector<std::int32_t> left(count);
      std::vector<float> weight(count), out(count + 1, -7);
      for (std::size_t x = 0; x < count; ++x) {
        left[x] = static_cast<std::int32_t>(x * source / count);
        weight[x] = static_cast<std::size_t>(left[x]) + 1 < source ? real(random) : 0;
      }
      resample_row(row.data(), left.data(), weight.data(), count, out.data());
      for (std::size_t x = 0; x < count; ++x) {
        const float* pair = row.data() + left[x];
        const float expected = rounded(rounded(pair[0] * rounded(1 - weight[x])) + rounded(pair[1] * weight[x]));
        EXPECT_EQ(out[x], expected) << source << " " << count;
      }
      EXPECT_EQ(out[count], -7);
    }
  }
}

TEST(QuantizeRow, rounds_halves_to_even_and_saturates) {
  const std::vector<float> real = {0.5F, 1.5F, 2.5F, -0.5F, 200.4F, 1e30F, -1e30F, INFINITY, -INFINITY, 126.6F};
  std::vector<std::int8_t> stored(real.size());
  quantize_row(real.data(), real.size(), 1, 0, stored.data());
  EXPECT_EQ(stored, (std::vector<std::int8_t>{0, 2, 2, 0, 127, 127, -128, 127, -128, 127}));
  std::vector<std::uint16_t> wide(real.size());
  quantize_row(real.data(), real.size(), 1, 1000, wide.data());
  EXPECT_EQ(wide[4], 1200);
  EXPECT_EQ(wide[5], 65535);
  EXPECT_EQ(wide[6], 0);
}

}  // namespace
}  // namespace slipway::media::internal
