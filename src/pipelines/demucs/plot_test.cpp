#include "pipelines/demucs/plot.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "media/audio_writer.hpp"

namespace slipway::pipelines::demucs {
namespace {

constexpr int kRate = 44100;

class Plot : public ::testing::Test {
 protected:
  void SetUp() override { folder_.emplace(base::TemporaryFolder::create("plot").value()); }

  std::filesystem::path write(const std::vector<float>& wave) {
    const auto file = folder_->path() / "sound.wav";
    auto writer = media::AudioWriter::create(file, kRate, media::AudioEncoding::kWavFloat, 1000000).value();
    EXPECT_TRUE(writer.write(wave, wave).has_value() && writer.finish().has_value());
    return file;
  }

  static media::Image plot(const std::filesystem::path& sound, std::size_t frames) {
    auto image = plot_sound(sound, "test", {kRate, static_cast<std::int64_t>(frames), 1.0});
    EXPECT_TRUE(image.has_value()) << image.error().message;
    return std::move(*image);
  }

  static int brightness(const media::Image& image, int x, int y) {
    return image.row(y)[3 * x] + image.row(y)[3 * x + 1] + image.row(y)[3 * x + 2];
  }

  /// The brightest row of the spectrogram's panel in a column of the image.
  static int brightest_row(const media::Image& image, int x) {
    int best = 236;
    for (int y = 236; y < 596; ++y) {
      if (brightness(image, x, y) > brightness(image, x, best)) best = y;
    }
    return best - 236;
  }

  std::optional<base::TemporaryFolder> folder_;
};

std::vector<float> sine(double hertz, std::size_t frames) {
  std::vector<float> wave(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    wave[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / kRate));
  }
  return wave;
}

TEST_F(Plot, shows_a_sine_at_its_pitch_and_time) {
  // Three seconds: 100 Hz, silence, 5000 Hz.
  std::vector<float> wave = sine(100, 3 * kRate);
  const auto high = sine(5000, kRate);
  std::fill(wave.begin() + kRate, wave.begin() + 2 * kRate, 0.0F);
  std::ranges::copy(high, wave.begin() + 2 * kRate);
  const media::Image image = plot(write(wave), wave.size());
  ASSERT_EQ(image.width(), 1280);
  const auto row_of = [](double hertz) { return 359 * std::log(hertz / 20000) / std::log(30.0 / 20000); };
  EXPECT_NEAR(brightest_row(image, 100 + 1160 / 6), row_of(100), 3);
  EXPECT_NEAR(brightest_row(image, 100 + 1160 * 5 / 6), row_of(5000), 2);
  // -6 dBFS of a range of 100 dB is near the top of the scale, silence at its bottom.
  EXPECT_GT(brightness(image, 100 + 1160 * 5 / 6, 236 + static_cast<int>(std::lround(row_of(5000)))), 400);
  for (int y = 236; y < 596; y += 7) EXPECT_LT(brightness(image, 100 + 1160 / 2, y), 60) << y;
  // The waveform reaches half of its panel, 40 to 220, where there is sound.
  EXPECT_GT(brightness(image, 100 + 1160 / 6, 130 - 40), 300);
  EXPECT_LT(brightness(image, 100 + 1160 / 6, 130 - 50), 100);
  EXPECT_LT(brightness(image, 100 + 1160 / 2, 130 - 20), 100);
}

TEST_F(Plot, draws_sounds_of_any_length) {
  for (const std::size_t frames : {1U, 2U, 777U, 65535U, 65536U, 65537U, 200001U}) {
    const auto file = write(sine(1000, frames));
    const media::Image image = plot(file, frames);
    if (frames > 1000) {
      for (const int x : {100, 101, 680, 1250}) {
        EXPECT_GT(brightness(image, x, 236 + 165), 200) << frames << " at " << x;
      }
    }
  }
}

TEST_F(Plot, finds_the_peak) {
  std::vector<float> wave(100000, 0.25F);
  wave[99999] = -1.5F;
  EXPECT_EQ(peak_of(write(wave), kRate).value(), 1.5F);
}

}  // namespace
}  // namespace slipway::pipelines::demucs
