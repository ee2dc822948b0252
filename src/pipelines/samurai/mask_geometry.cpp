#include "pipelines/samurai/mask_geometry.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "base/error.hpp"

namespace slipway::pipelines::samurai {
namespace {

/// Where each target place reads: its left neighbour, the right one, and that one's weight.
struct Taps {
  std::vector<std::size_t> left, right;
  std::vector<float> weight;

  Taps(int from, int to) {
    const auto count = static_cast<std::size_t>(to);
    left.resize(count);
    right.resize(count);
    weight.resize(count);
    const float step = static_cast<float>(from) / static_cast<float>(to);
    for (std::size_t i = 0; i < count; ++i) {
      const float position = std::max(0.0F, (static_cast<float>(i) + 0.5F) * step - 0.5F);
      left[i] = std::min(static_cast<std::size_t>(position), static_cast<std::size_t>(from - 1));
      right[i] = std::min(left[i] + 1, static_cast<std::size_t>(from - 1));
      weight[i] = std::clamp(position - static_cast<float>(left[i]), 0.0F, 1.0F);
    }
  }
};

/// Gives the rows of the enlarged logits that can hold a value above 0, enlarged in height alone.
template <typename Visit>
void for_rows_with_object(std::span<const float> logits, int side, const Taps& rows, const Visit& visit) {
  const auto width = static_cast<std::size_t>(side);
  std::vector<bool> has_object(width);
  for (std::size_t y = 0; y < width; ++y) {
    const auto row = logits.subspan(y * width, width);
    has_object[y] = std::ranges::any_of(row, [](float logit) { return logit > 0; });
  }
  std::vector<float> mixed(width);
  for (std::size_t y = 0; y < rows.left.size(); ++y) {
    if (!has_object[rows.left[y]] && !has_object[rows.right[y]]) continue;
    const float* upper = logits.data() + rows.left[y] * width;
    const float* lower = logits.data() + rows.right[y] * width;
    const float weight = rows.weight[y];
    for (std::size_t x = 0; x < width; ++x) mixed[x] = (1 - weight) * upper[x] + weight * lower[x];
    visit(y, mixed);
  }
}

float enlarged(const std::vector<float>& row, const Taps& columns, std::size_t x) {
  const float weight = columns.weight[x];
  return (1 - weight) * row[columns.left[x]] + weight * row[columns.right[x]];
}

/// Grows bounds row by row.
struct Bounds {
  bool is_empty = true;
  std::size_t min_x = 0, min_y = 0, max_x = 0, max_y = 0;

  void add(std::size_t y, std::size_t first, std::size_t last) {
    if (is_empty) {
      min_y = y;
      min_x = first;
      max_x = last;
    }
    is_empty = false;
    min_x = std::min(min_x, first);
    max_x = std::max(max_x, last);
    max_y = y;
  }
  [[nodiscard]] Box box() const {
    if (is_empty) return {};
    return {static_cast<double>(min_x), static_cast<double>(min_y), static_cast<double>(max_x),
            static_cast<double>(max_y)};
  }
};

}  // namespace

Box enlarged_bounds(std::span<const float> logits, int side, int size) {
  const Taps taps(side, size);
  Bounds bounds;
  for_rows_with_object(logits, side, taps, [&](std::size_t y, const std::vector<float>& row) {
    const auto count = taps.left.size();
    std::size_t first = 0;
    while (first < count && !(enlarged(row, taps, first) > 0)) ++first;
    if (first == count) return;
    std::size_t last = count - 1;
    while (!(enlarged(row, taps, last) > 0)) --last;
    bounds.add(y, first, last);
  });
  return bounds.box();
}

Plane resized_with_antialias(const Plane& plane, int width, int height) {
  SLIPWAY_CHECK(plane.values.size() == static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height),
                "as many values as pixels");
  struct Line {
    std::size_t count, step;
  };
  // One line to another; single precision throughout, as PyTorch's.
  const auto resize_line = [](const float* in, Line from, float* out, Line to) {
    const float scale = static_cast<float>(from.count) / static_cast<float>(to.count);
    const float radius = std::max(scale, 1.0F);
    for (std::size_t i = 0; i < to.count; ++i) {
      const float centre = scale * (static_cast<float>(i) + 0.5F);
      const auto first = static_cast<std::size_t>(std::max(0.0F, centre - radius + 0.5F));
      const std::size_t end = std::min(from.count, static_cast<std::size_t>(centre + radius + 0.5F));
      float sum = 0, weights = 0;
      for (std::size_t at = first; at < end; ++at) {
        const float weight = std::max(0.0F, 1 - std::abs((static_cast<float>(at) - centre + 0.5F) / radius));
        sum += weight * in[at * from.step];
        weights += weight;
      }
      out[i * to.step] = sum / weights;
    }
  };
  const auto w = static_cast<std::size_t>(plane.width), h = static_cast<std::size_t>(plane.height);
  const auto to_w = static_cast<std::size_t>(width), to_h = static_cast<std::size_t>(height);
  std::vector<float> narrow(h * to_w);
  Plane result{width, height, std::vector<float>(to_h * to_w)};
  for (std::size_t y = 0; y < h; ++y) {
    resize_line(plane.values.data() + y * w, {w, 1}, narrow.data() + y * to_w, {to_w, 1});
  }
  for (std::size_t x = 0; x < to_w; ++x) {
    resize_line(narrow.data() + x, {h, to_w}, result.values.data() + x, {to_h, to_w});
  }
  return result;
}

void enlarge_and_cut(std::span<const float> logits, int side, int width, int height, Mask& mask) {
  const auto columns_count = static_cast<std::size_t>(width);
  mask.width = width;
  mask.height = height;
  mask.pixels.assign(columns_count * static_cast<std::size_t>(height), 0);
  mask.area = 0;
  const Taps columns(side, width), rows(side, height);
  Bounds bounds;
  for_rows_with_object(logits, side, rows, [&](std::size_t y, const std::vector<float>& row) {
    std::uint8_t* out = mask.pixels.data() + y * columns_count;
    std::size_t ones = 0, first = columns_count, last = 0;
    for (std::size_t x = 0; x < columns_count; ++x) {
      if (!(enlarged(row, columns, x) > 0)) continue;
      out[x] = 1;
      ++ones;
      first = std::min(first, x);
      last = x;
    }
    if (ones == 0) return;
    mask.area += static_cast<std::int64_t>(ones);
    bounds.add(y, first, last);
  });
  mask.box = bounds.box();
}

}  // namespace slipway::pipelines::samurai
