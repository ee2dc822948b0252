#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace slipway::pipelines::demucs {

/// Where the segments of one pass over a song lie.
///
/// A pass is the song itself, or the song moved by one random shift: `first` is the song's sample that the pass begins
/// with (negative: silence before the song), `length` its number of samples. Segment k begins at k * stride of the
/// pass.
/// @source demucs/apply.py apply_model
struct SegmentGrid {
  std::int64_t first = 0;
  std::int64_t length = 0;
  std::int64_t segment = 0;
  std::int64_t stride = 0;

  /// stride = int((1 - overlap) * segment); overlap in [0, 1).
  [[nodiscard]] static SegmentGrid of_song(std::int64_t length, std::int64_t segment, double overlap);
  /// The pass of a shift: `offset` of 0 … max_shift, as random.randint draws it.
  [[nodiscard]] static SegmentGrid shifted(std::int64_t length, std::int64_t segment, double overlap,
                                           std::int64_t max_shift, std::int64_t offset);

  [[nodiscard]] std::int64_t count() const { return (length + stride - 1) / stride; }
  /// Samples of the pass that segment k answers for: `segment`, less at the end.
  [[nodiscard]] std::int64_t chunk_length(std::int64_t k) const;
  /// The song's sample that the window of segment k begins with. A short chunk is centred in its window; what lies
  /// around it is the song where there is song, silence elsewhere (TensorChunk.padded).
  [[nodiscard]] std::int64_t window_start(std::int64_t k) const;
  /// Samples of the window before the chunk (center_trim).
  [[nodiscard]] std::int64_t chunk_offset(std::int64_t k) const { return (segment - chunk_length(k)) / 2; }
};

/// The triangle that segments are weighed with: rises to 1 in the middle. @source apply_model `weight`
[[nodiscard]] std::vector<float> triangle(std::int64_t segment);

/// Adds weighed segments of one pass up and gives finished samples out, so that memory holds little more than a
/// segment.
/// @thread one object belongs to one thread
class OverlapAdd {
 public:
  /// @param rows  independent waves, e.g. stems × 2
  OverlapAdd(SegmentGrid grid, std::size_t rows);

  /// Adds segment `next()`; `windows` is [rows][segment].
  void add(std::span<const float> windows);

  [[nodiscard]] std::int64_t next() const { return next_; }
  [[nodiscard]] bool is_complete() const { return next_ == grid_.count(); }
  [[nodiscard]] const SegmentGrid& grid() const { return grid_; }
  /// Samples of the song before this one are finished (or lie before the pass).
  [[nodiscard]] std::int64_t finished_until() const;

  /// Writes the finished samples [begin, end) of the song, divided by their weights, into `out` [rows][end - begin] and
  /// forgets everything before `end`. @pre end <= finished_until(), begin not yet forgotten
  void read(std::int64_t begin, std::int64_t end, std::span<float> out);

 private:
  void hold(std::int64_t end);

  SegmentGrid grid_;
  std::vector<float> triangle_;
  std::vector<std::vector<float>> sums_;  // per row, from `held_first_` of the pass on
  std::vector<float> weights_;
  std::int64_t held_first_ = 0;
  std::int64_t next_ = 0;
};

}  // namespace slipway::pipelines::demucs
