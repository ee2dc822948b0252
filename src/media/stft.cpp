#include "media/stft.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <thread>
#include <utility>
#include <vector>

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/tx.h>
}

namespace slipway::media {

using base::Code;
using base::fail;
using base::Result;

namespace {

// Frames worked on together: 16 floats are a cache line of a spectrogram row, and 16 frames fit the second-level cache.
constexpr std::size_t kBlock = 16;
constexpr std::size_t kTile = 8;  // bins whose lines stay in the first-level cache while frames are gathered
constexpr std::size_t kRow = Stft::kPoints + 64;  // not a power of two: rows of a block fall into different cache sets

struct AlignedFree {
  void operator()(float* pointer) const { av_free(pointer); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedFree>;

AlignedFloats aligned_floats(std::size_t count) {
  auto* data = static_cast<float*>(av_malloc(count * sizeof(float)));
  SLIPWAY_CHECK(data != nullptr, "memory for the buffers of a transform");
  std::memset(data, 0, count * sizeof(float));
  return AlignedFloats(data);
}

struct Transform {
  AVTXContext* context = nullptr;
  av_tx_fn run = nullptr;
  Transform() = default;
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;
  ~Transform() { av_tx_uninit(&context); }
  [[nodiscard]] bool init(bool inverse, float scale) {
    return av_tx_init(&context, &run, AV_TX_FLOAT_RDFT, inverse ? 1 : 0, static_cast<int>(Stft::kPoints), &scale, 0) >=
           0;
  }
};

// What one thread needs.
struct Lane {
  Transform forward;
  Transform inverse;
  AlignedFloats block = aligned_floats(kBlock * kRow);
  AlignedFloats windowed = aligned_floats(Stft::kPoints);
  AlignedFloats padded;  // a segment with its reflected ends
};

constexpr float kEnvelope = 1.5F;  // sum of the squared windows at any sample of the segment

}  // namespace

struct Stft::State {
  std::size_t samples = 0;
  std::size_t frames = 0;
  std::array<float, kPoints> window{};
  std::vector<std::unique_ptr<Lane>> lanes;

  [[nodiscard]] std::size_t padded_samples() const { return (frames + 3) * kHop; }

  // Calls work(lane, index) for every index below count, channel by channel over the threads.
  template <typename Work>
  void spread(std::size_t count, Work work) {
    const std::size_t used = std::min(lanes.size(), count);
    std::vector<std::jthread> threads;
    threads.reserve(used);
    for (std::size_t lane = 1; lane < used; ++lane) {
      threads.emplace_back([&, lane] {
        for (std::size_t i = lane; i < count; i += used) work(*lanes[lane], i);
      });
    }
    for (std::size_t i = 0; i < count; i += used) work(*lanes[0], i);
  }

  void pad(const float* wave, float* padded) const {
    const auto last = static_cast<std::ptrdiff_t>(samples) - 1;
    for (std::size_t i = 0; i < kPad; ++i) padded[i] = wave[kPad - i];
    std::memcpy(padded + kPad, wave, samples * sizeof(float));
    const std::size_t right = padded_samples() - kPad - samples;
    for (std::size_t i = 0; i < right; ++i)
      padded[kPad + samples + i] = wave[last - 1 - static_cast<std::ptrdiff_t>(i)];
  }

  void forward_channel(Lane& lane, const float* wave, float* out) const {
    pad(wave, lane.padded.get());
    float* real = out;
    float* imaginary = out + kBins * frames;
    for (std::size_t first = 0; first < frames; first += kBlock) {
      const std::size_t count = std::min(kBlock, frames - first);
      for (std::size_t f = 0; f < count; ++f) {
        const float* in = lane.padded.get() + (first + f) * kHop;
        float* windowed = lane.windowed.get();
        for (std::size_t i = 0; i < kPoints; ++i) windowed[i] = in[i] * window[i];
        lane.forward.run(lane.forward.context, lane.block.get() + f * kRow, lane.windowed.get(), sizeof(float));
      }
      for (std::size_t tile = 0; tile < kBins; tile += kTile) {
        for (std::size_t k = tile; k < tile + kTile; ++k) {
          for (std::size_t f = 0; f < count; ++f) {
            real[k * frames + first + f] = lane.block[f * kRow + 2 * k];
            imaginary[k * frames + first + f] = lane.block[f * kRow + 2 * k + 1];
          }
        }
      }
    }
  }

  void add_inverse_channel(Lane& lane, const float* spectrogram, float* wave) const {
    float* sum = lane.padded.get();
    std::memset(sum, 0, padded_samples() * sizeof(float));
    const float* real = spectrogram;
    const float* imaginary = spectrogram + kBins * frames;
    for (std::size_t first = 0; first < frames; first += kBlock) {
      const std::size_t count = std::min(kBlock, frames - first);
      for (std::size_t tile = 0; tile < kBins; tile += kTile) {
        for (std::size_t f = 0; f < count; ++f) {
          float* bins = lane.block.get() + f * kRow;
          for (std::size_t k = tile; k < tile + kTile; ++k) {
            bins[2 * k] = real[k * frames + first + f];
            bins[2 * k + 1] = imaginary[k * frames + first + f];
          }
        }
      }
      for (std::size_t f = 0; f < count; ++f) {
        float* bins = lane.block.get() + f * kRow;
        bins[1] = 0;
        bins[2 * kBins] = 0;
        bins[2 * kBins + 1] = 0;
        lane.inverse.run(lane.inverse.context, lane.windowed.get(), bins, sizeof(float));
        float* target = sum + (first + f) * kHop;
        const float* wave_of_frame = lane.windowed.get();
        for (std::size_t i = 0; i < kPoints; ++i) target[i] += wave_of_frame[i] * window[i];
      }
    }
    for (std::size_t i = 0; i < samples; ++i) wave[i] += sum[kPad + i] * (1.0F / kEnvelope);
  }
};

Stft::Stft(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stft::Stft(Stft&&) noexcept = default;
Stft& Stft::operator=(Stft&&) noexcept = default;
Stft::~Stft() = default;

Result<Stft> Stft::create(std::size_t segment_samples, int threads) {
  constexpr std::size_t kMost = std::size_t{44100} * 3600;
  if (segment_samples < kPoints || segment_samples > kMost) {
    return fail(Code::kInvalidArgument, "expected a segment of {} to {} samples, found {}", kPoints, kMost,
                segment_samples);
  }
  auto state = std::make_unique<State>();
  state->samples = segment_samples;
  state->frames = (segment_samples + kHop - 1) / kHop;
  for (std::size_t i = 0; i < kPoints; ++i) {
    state->window[i] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / kPoints));
  }
  for (int k = 0; k < std::max(1, threads); ++k) {
    auto lane = std::make_unique<Lane>();
    lane->padded = aligned_floats(state->padded_samples());
    const float root = std::sqrt(static_cast<float>(kPoints));
    if (!lane->forward.init(false, 1 / root) || !lane->inverse.init(true, 1 / root)) {
      return fail(Code::kUnavailable, "libavutil offers no real transform of {} points", kPoints);
    }
    state->lanes.push_back(std::move(lane));
  }
  return Stft(std::move(state));
}

std::size_t Stft::segment_samples() const {
  return state_->samples;
}
std::size_t Stft::frames() const {
  return state_->frames;
}

void Stft::forward(std::span<const float> wave, std::span<float> spectrogram) {
  const std::size_t channels = wave.size() / state_->samples;
  SLIPWAY_CHECK(wave.size() == channels * state_->samples && spectrogram.size() == channels * floats_per_channel(),
                "a wave and a spectrogram of the same channels");
  state_->spread(channels, [&](Lane& lane, std::size_t c) {
    state_->forward_channel(lane, wave.data() + c * state_->samples, spectrogram.data() + c * floats_per_channel());
  });
}

void Stft::add_inverse(std::span<const float> spectrogram, std::span<float> wave) {
  const std::size_t channels = wave.size() / state_->samples;
  SLIPWAY_CHECK(wave.size() == channels * state_->samples && spectrogram.size() == channels * floats_per_channel(),
                "a wave and a spectrogram of the same channels");
  state_->spread(channels, [&](Lane& lane, std::size_t c) {
    state_->add_inverse_channel(lane, spectrogram.data() + c * floats_per_channel(), wave.data() + c * state_->samples);
  });
}

}  // namespace slipway::media
