#include "pipelines/yolov8/score_scan.hpp"

#include <algorithm>

namespace slipway::pipelines::yolov8 {
namespace {

constexpr std::size_t kBlock = 64;

template <typename T>
bool reaches(const T* values, std::size_t count, T lowest) {
  // No early end: the compiler makes it a few vector comparisons.
  unsigned hits = 0;
  for (std::size_t i = 0; i < count; ++i) hits |= static_cast<unsigned>(values[i] >= lowest);
  return hits != 0;
}

template <typename T>
void update_best(T score, std::int32_t class_id, T lowest, std::int32_t& best_class, T& best) {
  if (score >= lowest && (best_class < 0 || score > best)) {
    best_class = class_id;
    best = score;
  }
}

}  // namespace

template <typename T>
void best_classes(const T* scores, const Head& head, T lowest, std::span<std::int32_t> best_class, std::span<T> best) {
  std::ranges::fill(best_class, -1);
  const std::size_t anchors = best_class.size();
  const T* first = scores + static_cast<std::size_t>(head.first_channel) * head.channel_step;
  if (head.anchor_step == 1) {
    for (int c = 0; c < head.channels; ++c) {
      const T* row = first + static_cast<std::size_t>(c) * head.channel_step;
      for (std::size_t begin = 0; begin < anchors; begin += kBlock) {
        const std::size_t count = std::min(kBlock, anchors - begin);
        if (!reaches(row + begin, count, lowest)) continue;
        for (std::size_t i = begin; i < begin + count; ++i) update_best(row[i], c, lowest, best_class[i], best[i]);
      }
    }
    return;
  }
  const auto classes = static_cast<std::size_t>(head.channels);
  for (std::size_t i = 0; i < anchors; ++i) {
    const T* row = first + i * head.anchor_step;
    if (!reaches(row, classes, lowest)) continue;
    for (std::size_t c = 0; c < classes; ++c) {
      update_best(row[c], static_cast<std::int32_t>(c), lowest, best_class[i], best[i]);
    }
  }
}

template void best_classes(const float*, const Head&, float, std::span<std::int32_t>, std::span<float>);
template void best_classes(const std::uint8_t*, const Head&, std::uint8_t, std::span<std::int32_t>,
                           std::span<std::uint8_t>);
template void best_classes(const std::int8_t*, const Head&, std::int8_t, std::span<std::int32_t>,
                           std::span<std::int8_t>);
template void best_classes(const std::uint16_t*, const Head&, std::uint16_t, std::span<std::int32_t>,
                           std::span<std::uint16_t>);
template void best_classes(const std::int16_t*, const Head&, std::int16_t, std::span<std::int32_t>,
                           std::span<std::int16_t>);

}  // namespace slipway::pipelines::yolov8
