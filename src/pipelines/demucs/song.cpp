#include "pipelines/demucs/song.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::demucs {

using base::Code;
using base::fail;
using base::Result;

namespace {
constexpr std::size_t kPieceFrames = 65536;
}  // namespace

Result<SongFacts> measure_song(const std::filesystem::path& path, int sample_rate) {
  SLIPWAY_ASSIGN(auto source, media::StereoSource::open(path, sample_rate));
  SongFacts facts;
  double mean = 0;
  double squares = 0;  // sum of squared distances from the running mean
  std::vector<float> left, right;
  while (true) {
    left.clear();
    right.clear();
    SLIPWAY_ASSIGN(const std::size_t read, source.read(kPieceFrames, left, right));
    if (read == 0) break;
    double sum = 0;
    for (std::size_t i = 0; i < read; ++i) {
      if (!std::isfinite(left[i]) || !std::isfinite(right[i])) {
        const std::int64_t at = facts.frames + static_cast<std::int64_t>(i);
        return fail(
            Code::kInvalidArgument,
            "{}: sample {} ({:.3f} s) is not a finite number; separating would spread it over every stem: repair "
            "the file first",
            path.string(), at, static_cast<double>(at) / sample_rate);
      }
      left[i] = (left[i] + right[i]) / 2;
      sum += left[i];
    }
    const auto count = static_cast<double>(read);
    const double piece_mean = sum / count;
    double piece_squares = 0;
    for (std::size_t i = 0; i < read; ++i) {
      const double distance = left[i] - piece_mean;
      piece_squares += distance * distance;
    }
    const auto before = static_cast<double>(facts.frames);
    const double step = piece_mean - mean;
    mean += step * count / (before + count);
    squares += piece_squares + step * step * before * count / (before + count);
    facts.frames += static_cast<std::int64_t>(read);
  }
  if (facts.frames == 0) return fail(Code::kInvalidArgument, "{}: expected sound, found no samples", path.string());
  facts.mean = static_cast<float>(mean);
  const double variance = facts.frames > 1 ? squares / static_cast<double>(facts.frames - 1) : 0;
  facts.deviation = static_cast<float>(std::sqrt(variance)) + 1e-8F;
  facts.warnings = source.warnings();
  return facts;
}

Result<SongWindows> SongWindows::open(const std::filesystem::path& path, int sample_rate, const SongFacts& facts) {
  SLIPWAY_ASSIGN(auto source, media::StereoSource::open(path, sample_rate));
  return SongWindows(std::move(source), facts);
}

Result<void> SongWindows::read(std::int64_t start, std::span<float> out) {
  const auto length = static_cast<std::int64_t>(out.size() / 2);
  const std::int64_t begin = std::clamp<std::int64_t>(start, 0, facts_.frames);
  const std::int64_t end = std::clamp<std::int64_t>(start + length, begin, facts_.frames);
  SLIPWAY_CHECK(begin >= first_ || begin == end, "windows move forward");
  while (first_ + static_cast<std::int64_t>(left_.size()) < end) {
    const std::size_t before = left_.size();
    const auto wanted = static_cast<std::size_t>(end - first_) - before;
    SLIPWAY_ASSIGN(const std::size_t read, source_.read(wanted, left_, right_));
    if (read == 0)
      return fail(Code::kDataLoss, "the song ended {} samples early: did the file change meanwhile?", wanted);
    for (std::size_t i = before; i < left_.size(); ++i) {
      left_[i] = (left_[i] - facts_.mean) / facts_.deviation;
      right_[i] = (right_[i] - facts_.mean) / facts_.deviation;
    }
  }
  std::ranges::fill(out, 0.0F);
  if (begin == end) return {};
  const auto at = static_cast<std::ptrdiff_t>(begin - first_);
  std::copy_n(left_.begin() + at, end - begin, out.begin() + (begin - start));
  std::copy_n(right_.begin() + at, end - begin, out.begin() + length + (begin - start));
  return {};
}

void SongWindows::forget_before(std::int64_t sample) {
  const std::int64_t gone = std::clamp<std::int64_t>(sample - first_, 0, static_cast<std::int64_t>(left_.size()));
  left_.erase(left_.begin(), left_.begin() + gone);
  right_.erase(right_.begin(), right_.begin() + gone);
  first_ += gone;
}

}  // namespace slipway::pipelines::demucs
