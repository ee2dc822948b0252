#include "media/resample.hpp"

#include <utility>

#include <soxr.h>

namespace slipway::media {

using base::Code;
using base::fail;
using base::Result;

struct Resampler::State {
  soxr_t soxr = nullptr;
  double ratio = 1;
  std::size_t channels = 1;
  ~State() { soxr_delete(soxr); }
};

Resampler::Resampler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resampler::Resampler(Resampler&&) noexcept = default;
Resampler& Resampler::operator=(Resampler&&) noexcept = default;
Resampler::~Resampler() = default;

Result<Resampler> Resampler::create(int from_rate, int to_rate, int channels) {
  if (from_rate <= 0 || to_rate <= 0 || channels <= 0) {
    return fail(Code::kInvalidArgument, "expected positive rates and channels, found {} Hz, {} Hz, {} channels",
                from_rate, to_rate, channels);
  }
  soxr_error_t error = nullptr;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
  auto state = std::make_unique<State>();
  state->soxr = soxr_create(from_rate, to_rate, static_cast<unsigned>(channels), &error, nullptr, &quality, nullptr);
  if (error != nullptr) return fail(Code::kInvalidArgument, "{} Hz to {} Hz: {}", from_rate, to_rate, error);
  state->ratio = static_cast<double>(to_rate) / from_rate;
  state->channels = static_cast<std::size_t>(channels);
  return Resampler(std::move(state));
}

Result<void> Resampler::push(std::span<const float> interleaved, std::vector<float>& out) {
  const std::size_t channels = state_->channels;
  std::size_t left = interleaved.size() / channels;
  const float* in = interleaved.data();
  while (left > 0) {
    const std::size_t room = static_cast<std::size_t>(static_cast<double>(left) * state_->ratio) + 1024;
    const std::size_t start = out.size();
    out.resize(start + room * channels);
    std::size_t consumed = 0;
    std::size_t made = 0;
    const soxr_error_t error = soxr_process(state_->soxr, in, left, &consumed, out.data() + start, room, &made);
    out.resize(start + made * channels);
    if (error != nullptr) return fail(Code::kInternal, "resampling: {}", error);
    in += consumed * channels;
    left -= consumed;
  }
  return {};
}

Result<void> Resampler::finish(std::vector<float>& out) {
  while (true) {
    constexpr std::size_t kRoom = 4096;
    const std::size_t start = out.size();
    out.resize(start + kRoom * state_->channels);
    std::size_t made = 0;
    const soxr_error_t error = soxr_process(state_->soxr, nullptr, 0, nullptr, out.data() + start, kRoom, &made);
    out.resize(start + made * state_->channels);
    if (error != nullptr) return fail(Code::kInternal, "resampling: {}", error);
    if (made == 0) return {};
  }
}

}  // namespace slipway::media
