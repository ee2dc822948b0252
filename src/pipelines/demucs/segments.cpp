#include "pipelines/demucs/segments.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace slipway::pipelines::demucs {

SegmentGrid SegmentGrid::of_song(std::int64_t length, std::int64_t segment, double overlap) {
  return {0, length, segment, static_cast<std::int64_t>((1 - overlap) * static_cast<double>(segment))};
}

SegmentGrid SegmentGrid::shifted(std::int64_t length, std::int64_t segment, double overlap, std::int64_t max_shift,
                                 std::int64_t offset) {
  SegmentGrid grid = of_song(length + max_shift - offset, segment, overlap);
  grid.first = offset - max_shift;
  return grid;
}

std::int64_t SegmentGrid::chunk_length(std::int64_t k) const {
  return std::min(segment, length - k * stride);
}

std::int64_t SegmentGrid::window_start(std::int64_t k) const {
  return first + k * stride - chunk_offset(k);
}

std::vector<float> triangle(std::int64_t segment) {
  std::vector<float> weight(static_cast<std::size_t>(segment));
  const std::int64_t half = segment / 2;
  const auto highest = static_cast<float>(segment - half);
  for (std::int64_t i = 0; i < segment; ++i) {
    weight[static_cast<std::size_t>(i)] = static_cast<float>(i < half ? i + 1 : segment - i) / highest;
  }
  return weight;
}

OverlapAdd::OverlapAdd(SegmentGrid grid, std::size_t rows)
    : grid_(grid), triangle_(triangle(grid.segment)), sums_(rows) {}

void OverlapAdd::hold(std::int64_t end) {
  const auto size = static_cast<std::size_t>(end - held_first_);
  if (size <= weights_.size()) return;
  weights_.resize(size);
  for (auto& row : sums_) row.resize(size);
}

void OverlapAdd::add(std::span<const float> windows) {
  SLIPWAY_CHECK(!is_complete() && windows.size() == sums_.size() * static_cast<std::size_t>(grid_.segment),
                "a segment of every row, while segments are missing");
  const std::int64_t begin = next_ * grid_.stride;
  const std::int64_t length = grid_.chunk_length(next_);
  hold(begin + length);
  const auto at = static_cast<std::size_t>(begin - held_first_);
  const auto count = static_cast<std::size_t>(length);
  for (std::size_t row = 0; row < sums_.size(); ++row) {
    const float* in = windows.data() + row * static_cast<std::size_t>(grid_.segment) + grid_.chunk_offset(next_);
    float* sum = sums_[row].data() + at;
    for (std::size_t i = 0; i < count; ++i) sum[i] += triangle_[i] * in[i];
  }
  for (std::size_t i = 0; i < count; ++i) weights_[at + i] += triangle_[i];
  ++next_;
}

std::int64_t OverlapAdd::finished_until() const {
  return grid_.first + std::min(grid_.length, is_complete() ? grid_.length : next_ * grid_.stride);
}

void OverlapAdd::read(std::int64_t begin, std::int64_t end, std::span<float> out) {
  const std::int64_t from = begin - grid_.first - held_first_;
  const auto count = static_cast<std::size_t>(end - begin);
  SLIPWAY_CHECK(from >= 0 && end <= finished_until() && out.size() == count * sums_.size(), "finished samples, once");
  for (std::size_t row = 0; row < sums_.size(); ++row) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(from) + i;
      out[row * count + i] = sums_[row][at] / weights_[at];
    }
  }
  const std::int64_t gone = from + static_cast<std::int64_t>(count);
  for (auto& row : sums_) row.erase(row.begin(), row.begin() + gone);
  weights_.erase(weights_.begin(), weights_.begin() + gone);
  held_first_ += gone;
}

}  // namespace slipway::pipelines::demucs
