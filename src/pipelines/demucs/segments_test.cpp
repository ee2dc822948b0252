#include "pipelines/demucs/segments.hpp"

#include <random>

#include <gtest/gtest.h>

namespace slipway::pipelines::demucs {
namespace {

std::vector<float> noise(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(generator()) / 4294967296.0F - 0.5F;
  return values;
}

TEST(SegmentGrid, gives_the_offsets_of_a_twenty_second_song) {
  // demucs on 882000 samples: offsets 0, 257985, 515970, 773955; the last chunk of 108045 is centred in its window.
  const SegmentGrid grid = SegmentGrid::of_song(882000, 343980, 0.25);
  EXPECT_EQ(grid.stride, 257985);
  EXPECT_EQ(grid.count(), 4);
  EXPECT_EQ(grid.chunk_length(2), 343980);
  EXPECT_EQ(grid.chunk_length(3), 108045);
  EXPECT_EQ(grid.chunk_offset(3), (343980 - 108045) / 2);
  EXPECT_EQ(grid.window_start(3), 773955 - (343980 - 108045) / 2);
}

TEST(SegmentGrid, windows_never_move_back) {
  for (const double overlap : {0.0, 0.25, 0.9}) {
    for (const std::int64_t length : {1, 999, 1000, 1001, 12345}) {
      const SegmentGrid grid = SegmentGrid::shifted(length, 1000, overlap, 500, 123);
      for (std::int64_t k = 1; k < grid.count(); ++k) EXPECT_GE(grid.window_start(k), grid.window_start(k - 1));
    }
  }
}

TEST(Triangle, rises_to_one_in_the_middle_of_even_and_odd_lengths) {
  EXPECT_EQ(triangle(4), (std::vector<float>{0.5F, 1.0F, 1.0F, 0.5F}));
  EXPECT_EQ(triangle(5), (std::vector<float>{1.0F / 3, 2.0F / 3, 1.0F, 2.0F / 3, 1.0F / 3}));
}

TEST(OverlapAdd, taken_in_pieces_equals_the_sum_over_the_whole_song) {
  for (const double overlap : {0.0, 0.25, 0.7}) {
    constexpr std::int64_t kLength = 5003;
    const SegmentGrid grid = SegmentGrid::shifted(kLength, 1000, overlap, 300, 100);
    OverlapAdd streamed(grid, 2);
    const auto weight = triangle(1000);
    const auto size = static_cast<std::size_t>(grid.length);
    std::vector<float> sums(2 * size), weights(size), out(2 * kLength);
    std::int64_t read_until = 0;
    for (std::int64_t k = 0; k < grid.count(); ++k) {
      const auto window = noise(2000, static_cast<unsigned>(k));
      for (std::int64_t i = 0; i < grid.chunk_length(k); ++i) {
        const auto at = static_cast<std::size_t>(k * grid.stride + i);
        for (std::size_t row = 0; row < 2; ++row) {
          sums[row * size + at] += weight[static_cast<std::size_t>(i)] *
                                   window[row * 1000 + static_cast<std::size_t>(grid.chunk_offset(k) + i)];
        }
        weights[at] += weight[static_cast<std::size_t>(i)];
      }
      streamed.add(window);
      const std::int64_t finished = streamed.finished_until();
      if (finished <= read_until) continue;
      const auto count = static_cast<std::size_t>(finished - read_until);
      std::vector<float> piece(2 * count);
      streamed.read(read_until, finished, piece);
      for (std::size_t row = 0; row < 2; ++row) {
        for (std::size_t i = 0; i < count; ++i) {
          out[row * kLength + static_cast<std::size_t>(read_until) + i] = piece[row * count + i];
        }
      }
      read_until = finished;
    }
    EXPECT_TRUE(streamed.is_complete());
    ASSERT_EQ(read_until, kLength);
    for (std::size_t row = 0; row < 2; ++row) {
      for (std::size_t i = 0; i < kLength; ++i) {
        const auto at = static_cast<std::size_t>(-grid.first) + i;
        ASSERT_EQ(out[row * kLength + i], sums[row * size + at] / weights[at]) << overlap << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace slipway::pipelines::demucs
