#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <numbers>
#include <vector>

#include <sndfile.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/file_size_limit.hpp"
#include "media/audio_reader.hpp"
#include "media/audio_source.hpp"
#include "media/audio_writer.hpp"
#include "media/resample.hpp"
#include "media/testing/golden.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::media {
namespace {

using ::testing::HasSubstr;

struct Stereo {
  std::vector<float> left;
  std::vector<float> right;
};

Stereo tone(std::size_t frames, double rate = 44100) {
  Stereo s;
  for (std::size_t i = 0; i < frames; ++i) {
    const double t = static_cast<double>(i) / rate;
    s.left.push_back(static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * t)));
    s.right.push_back(static_cast<float>(0.25 * std::sin(2 * std::numbers::pi * 880 * t)));
  }
  return s;
}

Stereo read_all(const std::filesystem::path& path, int rate = 44100, std::size_t piece = 1000) {
  Stereo s;
  auto source = StereoSource::open(path, rate);
  EXPECT_TRUE(source.has_value()) << source.error().message;
  while (source) {
    const auto read = source->read(piece, s.left, s.right);
    EXPECT_TRUE(read.has_value()) << read.error().message;
    if (!read || *read == 0) break;
  }
  return s;
}

// Cosine of the angle between a signal and a tone of the frequency, whatever its phase.
double likeness(const std::vector<float>& signal, double frequency, double rate = 44100) {
  double sine = 0, cosine = 0, power = 0;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    const double angle = 2 * std::numbers::pi * frequency * static_cast<double>(i) / rate;
    sine += signal[i] * std::sin(angle);
    cosine += signal[i] * std::cos(angle);
    power += static_cast<double>(signal[i]) * signal[i];
  }
  return std::sqrt((sine * sine + cosine * cosine) * 2 / (power * static_cast<double>(signal.size())));
}

class Audio : public ::testing::Test {
 protected:
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  Stereo write_and_read(AudioEncoding encoding, const Stereo& sound) const {
    const auto file = path("x" + std::string(audio_extension(encoding)));
    auto writer = AudioWriter::create(file, 44100, encoding, 100000);
    EXPECT_TRUE(writer.has_value()) << writer.error().message;
    EXPECT_TRUE(writer->write(sound.left, sound.right).has_value());
    EXPECT_TRUE(writer->finish().has_value());
    return read_all(file);
  }
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("audio").value();
};

TEST_F(Audio, reads_what_ffmpeg_wrote_in_every_format) {
  for (const char* name : {"tone.mp3", "tone.m4a", "tone.flac"}) {
    const Stereo s = read_all(std::string("tests/golden/media/") + name);
    EXPECT_NEAR(static_cast<double>(s.left.size()), 22050, 2400) << name;
    EXPECT_GT(likeness(s.left, 440), 0.95) << name;
    EXPECT_GT(likeness(s.right, 880), 0.95) << name;
  }
}

TEST_F(Audio, copies_mono_to_both_sides_and_resamples_8_khz) {
  const Stereo s = read_all("tests/golden/media/tone_8000_mono.wav");
  EXPECT_NEAR(static_cast<double>(s.left.size()), 22050, 50);
  EXPECT_EQ(s.left, s.right);
  EXPECT_GT(likeness(s.left, 440), 0.85);  // both tones are in the mix
}

TEST_F(Audio, float_wav_comes_back_bit_for_bit) {
  Stereo sound = tone(10001);
  sound.left[5] = 1.75F;  // beyond full scale is kept
  const Stereo back = write_and_read(AudioEncoding::kWavFloat, sound);
  EXPECT_EQ(back.left, sound.left);
  EXPECT_EQ(back.right, sound.right);
}

TEST_F(Audio, integer_encodings_scale_by_full_scale_less_one_and_clamp) {
  const Stereo sound{{0.5F, -1.0F, 3.0F, 0.0F}, {-0.25F, 1.0F, -2.0F, 1e-6F}};
  for (const auto& [encoding, scale, unit] : {std::tuple{AudioEncoding::kWav16, 32767.0, 32768.0},
                                              {AudioEncoding::kFlac16, 32767.0, 32768.0},
                                              {AudioEncoding::kWav24, 8388607.0, 8388608.0},
                                              {AudioEncoding::kFlac24, 8388607.0, 8388608.0}}) {
    const Stereo back = write_and_read(encoding, sound);
    ASSERT_EQ(back.left.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      const double expected = std::trunc(std::clamp(sound.left[i], -1.0F, 1.0F) * static_cast<float>(scale)) / unit;
      EXPECT_NEAR(back.left[i], expected, 1e-9) << i;
    }
  }
}

TEST_F(Audio, a_writer_that_dies_leaves_nothing) {
  {
    auto writer = AudioWriter::create(path("stem.wav"), 44100, AudioEncoding::kWavFloat, 100000);
    ASSERT_TRUE(writer.has_value());
    const Stereo s = tone(1000);
    ASSERT_TRUE(writer->write(s.left, s.right).has_value());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Audio, a_full_disk_is_an_error_and_leaves_no_stem) {
  for (const AudioEncoding encoding : {AudioEncoding::kWavFloat, AudioEncoding::kFlac16}) {
    Stereo noise;
    std::uint32_t seed = 1;
    for (int i = 0; i < 100000; ++i) {
      seed = seed * 1664525U + 1013904223U;
      noise.left.push_back(static_cast<float>(seed) / 4294967296.0F);
      noise.right.push_back(-noise.left.back());
    }
    {
      const base::testing::FileSizeLimit limit(64U << 10U);
      auto writer = AudioWriter::create(path("stem"), 44100, encoding, 100000);
      ASSERT_TRUE(writer);
      EXPECT_TRUE(!writer->write(noise.left, noise.right) || !writer->finish());
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  }
}

TEST_F(Audio, a_wav_file_that_may_pass_4_gib_is_rf64) {
  for (const std::int64_t frames : {std::int64_t{1000}, std::int64_t{600'000'000}}) {
    auto writer = AudioWriter::create(path("x.wav"), 44100, AudioEncoding::kWavFloat, frames);
    ASSERT_TRUE(writer.has_value());
    const Stereo s = tone(1000);
    ASSERT_TRUE(writer->write(s.left, s.right).has_value() && writer->finish().has_value());
    EXPECT_EQ(base::read_file(path("x.wav"), 1 << 20)->substr(0, 4), frames > 1000 ? "RF64" : "RIFF");
    EXPECT_EQ(read_all(path("x.wav")).left, s.left);
  }
}

TEST_F(Audio, a_cut_mp3_gives_what_is_there_and_says_so) {
  auto bytes = base::read_file("tests/golden/media/tone.flac", 1 << 20);
  ASSERT_TRUE(bytes.has_value());
  std::ofstream(path("cut.flac"), std::ios::binary)
      .write(bytes->data(), static_cast<std::streamsize>(bytes->size() / 2));
  auto source = StereoSource::open(path("cut.flac"), 44100);
  ASSERT_TRUE(source.has_value()) << source.error().message;
  Stereo s;
  while (true) {
    const auto read = source->read(4096, s.left, s.right);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    if (*read == 0) break;
  }
  EXPECT_GT(s.left.size(), 1000U);
  EXPECT_LT(s.left.size(), 22000U);
  ASSERT_FALSE(source->warnings().empty());

  bytes = base::read_file("tests/golden/media/tone.mp3", 1 << 20);
  ASSERT_TRUE(bytes.has_value());
  std::ofstream(path("cut.mp3"), std::ios::binary)
      .write(bytes->data(), static_cast<std::streamsize>(bytes->size() * 2 / 3));
  EXPECT_GT(read_all(path("cut.mp3")).left.size(), 1000U);
}

TEST_F(Audio, what_is_not_audio_is_refused_with_the_path) {
  std::ofstream(path("text.mp3")) << "this is not music";
  const auto text = AudioReader::open(path("text.mp3"));
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(text.error().message, HasSubstr("text.mp3"));
  const auto missing = AudioReader::open(path("missing.wav"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, base::Code::kNotFound);
}

TEST_F(Audio, mixes_six_channels_down_as_ffmpeg_does_and_says_so) {
  SF_INFO info{};
  info.samplerate = 44100;
  info.channels = 6;
  info.format = SF_FORMAT_WAVEX | SF_FORMAT_FLOAT;
  SNDFILE* file = sf_open(path("six.wav").c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  std::vector<float> frames;
  for (int i = 0; i < 100; ++i) {
    for (int c = 0; c < 6; ++c) frames.push_back(static_cast<float>(c) / 8);
  }
  sf_writef_float(file, frames.data(), 100);
  sf_close(file);
  auto source = StereoSource::open(path("six.wav"), 44100);
  ASSERT_TRUE(source.has_value()) << source.error().message;
  Stereo s;
  ASSERT_EQ(source->read(1000, s.left, s.right).value(), 100U);
  // Front, centre and side of each: the last two by the square root of a half; the deep one is left out.
  const double half = std::numbers::sqrt2 / 2;
  EXPECT_NEAR(s.left[50], 0 + half * 0.25 + half * 0.5, 1e-6);
  EXPECT_NEAR(s.right[50], 0.125 + half * 0.25 + half * 0.625, 1e-6);
  EXPECT_THAT(source->warnings(), ::testing::ElementsAre(HasSubstr("6 channels (")));
}

TEST_F(Audio, resampling_tones_equals_scipy) {
  constexpr int kTones = 40, kFrom = 8000, kTo = 44100;
  const auto phases = testing::lcg(0x0F1E2D3C, kTones);
  std::vector<float> second(kFrom), resampled;
  for (int i = 0; i < kFrom; ++i) {
    double sum = 0;
    for (int tone = 0; tone < kTones; ++tone) {
      sum += std::sin(std::numbers::pi * (2.0 * (1 + 80 * tone) * i / kFrom + phases[static_cast<std::size_t>(tone)]));
    }
    second[static_cast<std::size_t>(i)] = static_cast<float>(sum / kTones);
  }
  auto resampler = Resampler::create(kFrom, kTo, 1);
  ASSERT_TRUE(resampler->push(second, resampled).has_value() && resampler->finish(resampled).has_value());
  ASSERT_EQ(resampled.size(), kTo);
  const auto reference = tensor::testing::floats_of("tests/golden/media/scipy_44100.f32");
  ASSERT_EQ(reference.size(), (kTo + 15) / 16);
  tensor::testing::LargestDifference worst;
  // The second has nothing before and after it, the reference goes round: the ends differ.
  for (std::size_t i = 125; i + 125 < reference.size(); ++i) worst.add(resampled[16 * i], reference[i]);
  EXPECT_LT(worst.value(), 1e-5);
}

TEST_F(Audio, resampling_in_pieces_equals_resampling_at_once) {
  const Stereo s = tone(20000, 48000);
  std::vector<float> interleaved;
  for (std::size_t i = 0; i < s.left.size(); ++i) {
    interleaved.push_back(s.left[i]);
    interleaved.push_back(s.right[i]);
  }
  std::vector<float> whole, pieces;
  auto at_once = Resampler::create(48000, 44100, 2);
  ASSERT_TRUE(at_once->push(interleaved, whole).has_value() && at_once->finish(whole).has_value());
  auto bit_by_bit = Resampler::create(48000, 44100, 2);
  for (std::size_t i = 0; i < interleaved.size(); i += 734) {
    const std::size_t count = std::min<std::size_t>(734, interleaved.size() - i);
    ASSERT_TRUE(bit_by_bit->push(std::span(interleaved).subspan(i, count), pieces).has_value());
  }
  ASSERT_TRUE(bit_by_bit->finish(pieces).has_value());
  EXPECT_EQ(whole, pieces);
  EXPECT_NEAR(static_cast<double>(whole.size()) / 2, 18375, 2);
  tensor::testing::LargestDifference worst;
  for (std::size_t i = 2000; i < 16000; ++i) {
    worst.add(whole[2 * i], 0.5 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / 44100));
  }
  EXPECT_LT(worst.value(), 1e-5);
}

}  // namespace
}  // namespace slipway::media
