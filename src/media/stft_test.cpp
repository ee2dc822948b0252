#include "media/stft.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "media/testing/golden.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::media {
namespace {

using tensor::testing::floats_of;
using testing::lcg;

std::filesystem::path shared_fixtures() {
  const char* named = std::getenv("SLIPWAY_TEST_DATA");
  return std::filesystem::path(named != nullptr ? named : "../shared/data") / "audio/demucs_fixtures";
}

// Largest difference between every `step`-th row of `spectrogram` and the reference's rows.
double forward_difference(const std::vector<float>& wave, std::size_t segment, const std::vector<float>& reference,
                          std::size_t step) {
  auto stft = Stft::create(segment, 2);
  EXPECT_TRUE(stft.has_value());
  std::vector<float> spectrogram(2 * stft->floats_per_channel());
  stft->forward(wave, spectrogram);
  const std::size_t frames = stft->frames();
  std::vector<float> rows;
  for (std::size_t row = 0; row < 4 * Stft::kBins; row += step) {
    rows.insert(rows.end(), &spectrogram[row * frames], &spectrogram[row * frames] + frames);
  }
  return tensor::testing::largest_difference(rows, reference);
}

double inverse_difference(const std::vector<float>& bins, std::size_t segment, const std::vector<float>& reference,
                          std::size_t step) {
  auto stft = Stft::create(segment, 2);
  EXPECT_TRUE(stft.has_value());
  std::vector<float> wave(8 * segment);
  stft->add_inverse(bins, wave);
  return tensor::testing::worst_difference(wave, segment, step, reference);
}

TEST(Stft, forward_equals_demucs_on_a_second_of_noise) {
  EXPECT_LT(
      forward_difference(lcg(0x12345678, 2 * 44100), 44100, floats_of("tests/golden/demucs/stft_forward.f32"), 64),
      1e-6);
}

TEST(Stft, inverse_equals_demucs_on_a_second_of_noise) {
  EXPECT_LT(inverse_difference(lcg(0x87654321, 4 * 4 * 2048 * 44), 44100,
                               floats_of("tests/golden/demucs/stft_inverse.f32"), 16),
            2e-5);
}

// 50001 samples: no whole number of hops.
TEST(Stft, forward_equals_scipy) {
  EXPECT_LT(forward_difference(lcg(0x2468ACE0, 2 * 50001), 50001, floats_of("tests/golden/demucs/scipy_stft.f32"), 64),
            1e-6);
}

TEST(Stft, inverse_equals_scipy_where_overlapping_frames_disagree) {
  auto stft = Stft::create(50001);
  ASSERT_TRUE(stft.has_value());
  std::vector<float> wave(2 * 50001);
  stft->add_inverse(lcg(0x13579BDF, 4 * Stft::kBins * stft->frames()), wave);
  EXPECT_LT(tensor::testing::worst_difference(wave, 50001, 16, floats_of("tests/golden/demucs/scipy_istft.f32")), 2e-5);
}

TEST(Stft, equals_the_shared_fixtures_of_a_full_segment) {
  const auto folder = shared_fixtures();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  constexpr std::size_t kSegment = 343980;
  EXPECT_LT(forward_difference(lcg(0x12345678, 2 * kSegment), kSegment, floats_of(folder / "stft_lcg_f32.bin"), 32),
            1e-6);
  EXPECT_LT(
      inverse_difference(lcg(0x87654321, 4 * 4 * 2048 * 336), kSegment, floats_of(folder / "istft_lcg_f32.bin"), 8),
      2e-5);
  std::ifstream wav(folder / "../demucs_test.wav", std::ios::binary);
  wav.seekg(44);
  std::vector<std::int16_t> pcm(2 * kSegment);
  wav.read(reinterpret_cast<char*>(pcm.data()), static_cast<std::streamsize>(pcm.size() * 2));
  std::vector<float> song(2 * kSegment);
  for (std::size_t i = 0; i < kSegment; ++i) {
    song[i] = static_cast<float>(pcm[2 * i]) / 32768.0F;
    song[kSegment + i] = static_cast<float>(pcm[2 * i + 1]) / 32768.0F;
  }
  EXPECT_LT(forward_difference(song, kSegment, floats_of(folder / "stft_demucs_test_f32.bin"), 16), 2e-6);
}

TEST(Stft, inverse_of_forward_gives_the_wave_back_at_odd_lengths) {
  for (const std::size_t segment : {std::size_t{4096}, std::size_t{5001}, std::size_t{44100}, std::size_t{65537}}) {
    auto stft = Stft::create(segment);
    ASSERT_TRUE(stft.has_value());
    const auto wave = lcg(7, segment);
    std::vector<float> bins(stft->floats_per_channel());
    std::vector<float> back(segment);
    stft->forward(wave, bins);
    stft->add_inverse(bins, back);
    // White noise has little in the one bin that is dropped, and the frames at the ends are left out.
    tensor::testing::LargestDifference worst;
    for (std::size_t i = 2 * Stft::kPoints; i + 2 * Stft::kPoints < segment; ++i) worst.add(back[i], wave[i]);
    if (segment > 4 * Stft::kPoints) {
      EXPECT_LT(worst.value(), 0.1) << segment;
    }
  }
}

TEST(Stft, does_not_depend_on_the_number_of_threads) {
  const auto wave = lcg(3, 2 * 50000);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    auto stft = Stft::create(50000, threads);
    ASSERT_TRUE(stft.has_value());
    results.emplace_back(2 * stft->floats_per_channel());
    stft->forward(wave, results.back());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Stft, refuses_a_segment_shorter_than_a_window) {
  const auto stft = Stft::create(4095);
  ASSERT_FALSE(stft.has_value());
  EXPECT_EQ(stft.error().code, base::Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipway::media
