#include "pipelines/demucs/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "media/audio_source.hpp"
#include "media/draw.hpp"
#include "media/image_file.hpp"
#include "media/labels.hpp"
#include "media/stft.hpp"

namespace slipway::pipelines::demucs {

using base::Result;
using media::Colour;
using media::Image;
using media::Stft;

namespace {

// Pixels.
constexpr int kWidth = 1280;
constexpr int kLeft = 100;
constexpr int kColumns = kWidth - kLeft - 20;
constexpr int kWaveTop = 40;
constexpr int kWaveHeight = 180;
constexpr int kSpectrumTop = kWaveTop + kWaveHeight + 16;
constexpr int kRows = 360;
constexpr int kHeight = kSpectrumTop + kRows + 36;
constexpr int kTextSize = 17;

constexpr double kLowestHertz = 30;
constexpr double kHighestHertz = 20000;
constexpr double kLowestDecibels = -100;
// Frames of the spectrogram that are transformed at a time.
constexpr std::size_t kBlockFrames = 64;
constexpr std::size_t kBlock = kBlockFrames * Stft::kHop;
// A sine of amplitude 1 in the middle of a bin: half the sum of the window, scaled by 1/64.
constexpr double kFullScalePower = 16.0 * 16.0;

constexpr Colour kPaper = {24, 24, 24};
constexpr Colour kPanel = {8, 8, 14};
constexpr Colour kGrid = {64, 64, 72};
constexpr Colour kExtremes = {64, 128, 200};
constexpr Colour kPower = {160, 208, 255};
constexpr Colour kInk = {224, 224, 224};

void fill_box(Image& image, int x1, int y1, int x2, int y2, Colour colour) {
  for (int y = y1; y < y2; ++y) {
    for (int x = x1; x < x2; ++x) std::copy(colour.begin(), colour.end(), image.row(y) + 3 * x);
  }
}

/// Dark blue through red and orange to a light yellow; brightness rises all the way, so that grey prints read alike.
Colour heat(double share) {
  constexpr std::array<std::array<double, 3>, 6> kStops = {{
      {4, 4, 16},
      {50, 14, 94},
      {138, 34, 106},
      {214, 70, 66},
      {250, 154, 12},
      {252, 252, 180},
  }};
  const double at = std::clamp(share, 0.0, 1.0) * (kStops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
  const double part = at - static_cast<double>(below);
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = static_cast<std::uint8_t>(kStops[below][c] * (1 - part) + kStops[below + 1][c] * part + 0.5);
  }
  return colour;
}

double hertz_of_row(double row) {
  return kHighestHertz * std::pow(kLowestHertz / kHighestHertz, row / (kRows - 1));
}

int row_of_hertz(double hertz) {
  return static_cast<int>(
      std::lround(std::log(hertz / kHighestHertz) / std::log(kLowestHertz / kHighestHertz) * (kRows - 1)));
}

/// What the pixels of one image stand for, gathered while the sound streams by.
class Columns {
 public:
  Columns(std::int64_t frames, int sample_rate) : frames_(frames), power_(kColumns * kRows), counts_(kColumns) {
    bins_per_hertz_ = static_cast<double>(Stft::kPoints) / sample_rate;
  }

  void add_samples(std::int64_t first, std::span<const float> left, std::span<const float> right) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      const std::int64_t at = first + static_cast<std::int64_t>(i);
      const std::size_t begin = column_of(at), end = std::max(begin + 1, column_of(at + 1));
      for (std::size_t c = begin; c < std::min<std::size_t>(end, kColumns); ++c) {
        Wave& wave = waves_[c];
        wave.lowest = std::min({wave.lowest, left[i], right[i]});
        wave.highest = std::max({wave.highest, left[i], right[i]});
        wave.squares += (double{left[i]} * left[i] + double{right[i]} * right[i]) / 2;
        ++wave.count;
      }
    }
  }

  /// @param spectrogram  [2][re | im][2048][stft_frames]
  /// @param frame        which of stft_frames; it stands for the samples [first, first + kHop)
  void add_frame(std::int64_t first, std::span<const float> spectrogram, std::size_t stft_frames, std::size_t frame) {
    std::array<double, Stft::kBins> bins{};
    for (std::size_t part = 0; part < 4; ++part) {
      const float* values = spectrogram.data() + part * Stft::kBins * stft_frames + frame;
      for (std::size_t k = 0; k < Stft::kBins; ++k) {
        const double value = values[k * stft_frames];
        bins[k] += value * value / 2;
      }
    }
    std::array<double, kRows> rows{};
    for (int row = 0; row < kRows; ++row) rows[static_cast<std::size_t>(row)] = power_of_row(bins, row);
    const std::size_t begin = column_of(first);
    const std::size_t end = std::clamp<std::size_t>(column_of(first + std::int64_t{Stft::kHop}), begin + 1, kColumns);
    for (std::size_t c = begin; c < end; ++c) {
      for (std::size_t row = 0; row < kRows; ++row) power_[c * kRows + row] += rows[row];
      ++counts_[c];
    }
  }

  void draw(Image& image, double full_scale) const {
    const double middle = kWaveTop + kWaveHeight / 2.0;
    const auto height = [&](double value) {
      return std::clamp(value / full_scale, -1.0, 1.0) * (kWaveHeight / 2.0 - 1);
    };
    for (std::size_t c = 0; c < kColumns; ++c) {
      const int x = kLeft + static_cast<int>(c);
      const Wave& wave = waves_[c];
      if (wave.count > 0) {
        const double power = height(std::sqrt(wave.squares / static_cast<double>(wave.count)));
        bar(image, x, middle - height(wave.highest), middle - height(wave.lowest), kExtremes);
        bar(image, x, std::max(middle - power, middle - height(wave.highest)),
            std::min(middle + power, middle - height(wave.lowest)), kPower);
      }
      if (counts_[c] == 0) continue;
      for (std::size_t row = 0; row < kRows; ++row) {
        const double power = power_[c * kRows + row] / static_cast<double>(counts_[c]) / kFullScalePower;
        const Colour colour = heat(1 - 10 * std::log10(power + 1e-30) / kLowestDecibels);
        std::copy(colour.begin(), colour.end(),
                  image.row(kSpectrumTop + static_cast<int>(row)) + std::ptrdiff_t{3} * x);
      }
    }
  }

 private:
  struct Wave {
    float lowest = std::numeric_limits<float>::max();
    float highest = std::numeric_limits<float>::lowest();
    double squares = 0;
    std::int64_t count = 0;
  };

  [[nodiscard]] std::size_t column_of(std::int64_t sample) const {
    return static_cast<std::size_t>(
        std::clamp<double>(static_cast<double>(sample) * kColumns / static_cast<double>(frames_), 0, kColumns));
  }

  static void bar(Image& image, int x, double top, double bottom, Colour colour) {
    const int from = static_cast<int>(std::floor(top));
    fill_box(image, x, from, x + 1, std::max(from + 1, static_cast<int>(std::ceil(bottom))), colour);
  }

  // High rows are means of many bins, low ones lie between two.
  [[nodiscard]] double power_of_row(const std::array<double, Stft::kBins>& bins, int row) const {
    const double low = hertz_of_row(row + 0.5) * bins_per_hertz_, high = hertz_of_row(row - 0.5) * bins_per_hertz_;
    const auto first = static_cast<std::size_t>(std::ceil(low));
    const auto last = static_cast<std::size_t>(std::floor(high));
    if (first >= Stft::kBins) return 0;
    if (first > last) {
      const double at = hertz_of_row(row) * bins_per_hertz_;
      const auto below = std::min(static_cast<std::size_t>(at), Stft::kBins - 2);
      const double part = at - static_cast<double>(below);
      return bins[below] * (1 - part) + bins[below + 1] * part;
    }
    double sum = 0;
    const std::size_t end = std::min(last + 1, Stft::kBins);
    for (std::size_t k = first; k < end; ++k) sum += bins[k];
    return sum / static_cast<double>(end - first);
  }

  std::int64_t frames_;
  double bins_per_hertz_;
  std::array<Wave, kColumns> waves_{};
  std::vector<double> power_;  // [column][row]
  std::vector<std::int64_t> counts_;
};

void label_left(Image& image, int y, const std::string& text) {
  const media::TextExtent extent = media::extent_of(text, kTextSize);
  media::draw_plain_text(image, kLeft - 6 - extent.width, y - extent.height / 2, text, kInk, kTextSize);
}

/// 1, 2 or 5 times a power of ten, or a whole part of a minute, so that a handful of ticks fits `seconds`.
double tick_step(double seconds) {
  constexpr std::array<double, 19> kSteps = {1e-4, 1e-3, 1e-2, 0.02, 0.05, 0.1, 0.2, 0.5, 1,   2,
                                             5,    10,   20,   30,   60,   120, 300, 600, 1800};
  for (const double step : kSteps) {
    if (seconds / step <= 12) return step;
  }
  return 3600 * std::ceil(seconds / 3600 / 12);
}

std::string time_text(double seconds, double step) {
  if (step < 1) return fmt::format("{:.{}f} s", seconds, step < 0.01 ? 4 : 2);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

void draw_axes(Image& image, const PlotOptions& options) {
  const int middle = kWaveTop + kWaveHeight / 2;
  label_left(image, kWaveTop + 8, fmt::format("{:.3g}", options.full_scale));
  label_left(image, middle, "0");
  label_left(image, kWaveTop + kWaveHeight - 8, fmt::format("{:.3g}", -options.full_scale));
  constexpr std::array<std::pair<double, const char*>, 9> kPitches = {{{50, "50 Hz"},
                                                                       {100, "100 Hz"},
                                                                       {200, "200 Hz"},
                                                                       {500, "500 Hz"},
                                                                       {1000, "1 kHz"},
                                                                       {2000, "2 kHz"},
                                                                       {5000, "5 kHz"},
                                                                       {10000, "10 kHz"},
                                                                       {20000, "20 kHz"}}};
  for (const auto& [hertz, text] : kPitches) {
    const int y = kSpectrumTop + row_of_hertz(hertz);
    fill_box(image, kLeft - 5, y, kLeft, y + 1, kInk);
    label_left(image, y, text);
  }
  const double seconds = static_cast<double>(options.frames) / options.sample_rate;
  const double step = tick_step(seconds);
  for (int k = 0; k * step < seconds; ++k) {
    const int x = kLeft + static_cast<int>(k * step / seconds * kColumns);
    fill_box(image, x, kWaveTop + kWaveHeight, x + 1, kWaveTop + kWaveHeight + 6, kInk);
    fill_box(image, x, kSpectrumTop + kRows, x + 1, kSpectrumTop + kRows + 6, kInk);
    media::draw_plain_text(image, x, kSpectrumTop + kRows + 8, time_text(k * step, step), kInk, kTextSize);
  }
}

}  // namespace

Result<float> peak_of(const std::filesystem::path& sound, int sample_rate) {
  SLIPWAY_ASSIGN(auto source, media::StereoSource::open(sound, sample_rate));
  std::vector<float> left, right;
  float peak = 0;
  while (true) {
    left.clear();
    right.clear();
    SLIPWAY_ASSIGN(const std::size_t read, source.read(kBlock, left, right));
    if (read == 0) return peak;
    for (std::size_t i = 0; i < read; ++i) peak = std::max({peak, std::abs(left[i]), std::abs(right[i])});
  }
}

Result<Image> plot_sound(const std::filesystem::path& sound, std::string_view title, const PlotOptions& options) {
  SLIPWAY_CHECK(options.frames > 0 && options.sample_rate > 0 && options.full_scale > 0, "positive sizes");
  SLIPWAY_ASSIGN(auto source, media::StereoSource::open(sound, options.sample_rate));
  SLIPWAY_ASSIGN(auto stft, Stft::create(kBlock));
  SLIPWAY_ASSIGN(Image image, Image::create(kWidth, kHeight));
  fill_box(image, 0, 0, kWidth, kHeight, kPaper);
  fill_box(image, kLeft, kWaveTop, kLeft + kColumns, kWaveTop + kWaveHeight, kPanel);
  fill_box(image, kLeft, kSpectrumTop, kLeft + kColumns, kSpectrumTop + kRows, heat(0));
  for (const int eighth : {2, 4, 6}) {
    const int y = kWaveTop + kWaveHeight * eighth / 8;
    fill_box(image, kLeft, y, kLeft + kColumns, y + 1, kGrid);
  }

  Columns columns(options.frames, options.sample_rate);
  std::vector<float> left, right, wave(2 * kBlock), spectrogram(2 * stft.floats_per_channel());
  float peak = 0;
  for (std::int64_t first = 0; first < options.frames; first += std::int64_t{kBlock}) {
    left.clear();
    right.clear();
    while (left.size() < kBlock) {
      SLIPWAY_ASSIGN(const std::size_t read, source.read(kBlock - left.size(), left, right));
      if (read == 0) break;
    }
    if (left.empty()) break;
    columns.add_samples(first, left, right);
    for (std::size_t i = 0; i < left.size(); ++i) peak = std::max({peak, std::abs(left[i]), std::abs(right[i])});
    const std::size_t frames = (left.size() + Stft::kHop - 1) / Stft::kHop;
    left.resize(kBlock);
    right.resize(kBlock);
    std::ranges::copy(left, wave.begin());
    std::ranges::copy(right, wave.begin() + std::ptrdiff_t{kBlock});
    stft.forward(wave, spectrogram);
    for (std::size_t t = 0; t < frames; ++t) {
      columns.add_frame(first + static_cast<std::int64_t>(t * Stft::kHop), spectrogram, stft.frames(), t);
    }
  }
  columns.draw(image, options.full_scale);
  draw_axes(image, options);
  const std::string level = peak > 0 ? fmt::format("peak {:.1f} dBFS", 20 * std::log10(peak)) : std::string("silent");
  media::draw_plain_text(
      image, kLeft, 4,
      fmt::format("{}  {}  {}  spectrogram {:.0f} to 0 dBFS", title,
                  time_text(static_cast<double>(options.frames) / options.sample_rate, 1), level, kLowestDecibels),
      kInk, kTextSize);
  return image;
}

Result<void> plot_stems(std::vector<WrittenStem>& stems, int sample_rate, std::int64_t frames) {
  PlotOptions options{sample_rate, frames, 0};
  for (const WrittenStem& stem : stems) {
    SLIPWAY_ASSIGN(const float peak, peak_of(stem.file, sample_rate));
    options.full_scale = std::max<double>(options.full_scale, peak);
  }
  if (options.full_scale <= 0) options.full_scale = 1;
  for (WrittenStem& stem : stems) {
    SLIPWAY_ASSIGN(const Image image, plot_sound(stem.file, stem.name, options));
    const std::filesystem::path file = stem.file.parent_path() / (stem.name + ".png");
    SLIPWAY_TRY(media::write_image(file, image.view()));
    stem.image = file;
  }
  return {};
}

}  // namespace slipway::pipelines::demucs
