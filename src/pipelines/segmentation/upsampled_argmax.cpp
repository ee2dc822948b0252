#include "pipelines/segmentation/upsampled_argmax.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "pipelines/common/real_values.hpp"

namespace slipway::pipelines::segmentation {
namespace {

/// best[i] = the class whose value is highest at i so far; plain loops that become vector code.
void update_highest(const float* values, std::size_t count, std::uint8_t class_id, float* highest, std::uint8_t* best) {
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_higher = values[i] > highest[i];
    highest[i] = is_higher ? values[i] : highest[i];
    best[i] = is_higher ? class_id : best[i];
  }
}

}  // namespace

UpsampledArgmax::UpsampledArgmax(const Signature& signature) : signature_(signature) {}

void UpsampledArgmax::place(const media::Placement& placement) {
  const bool is_same = !x_taps_.empty() && placement.pad_left == placement_.pad_left &&
                       placement.pad_top == placement_.pad_top && placement.inner_width == placement_.inner_width &&
                       placement.inner_height == placement_.inner_height;
  if (is_same) return;
  placement_ = placement;
  const auto make = [](int cells, int side, int pad, int inner, std::vector<Tap>& taps, std::vector<Run>& runs) {
    taps.resize(static_cast<std::size_t>(inner));
    runs.clear();
    const double step = static_cast<double>(cells) / side;
    for (int i = 0; i < inner; ++i) {
      const double position = std::max(0.0, (i + pad + 0.5) * step - 0.5);
      const int first = std::min(static_cast<int>(position), cells - 1);
      taps[static_cast<std::size_t>(i)] = {first, first + 1 < cells ? static_cast<float>(position - first) : 0.0F};
      if (runs.empty() || runs.back().first != first) runs.push_back({first, i, i});
      runs.back().end = i + 1;
    }
  };
  make(signature_.columns, signature_.input.width, placement.pad_left, placement.inner_width, x_taps_, x_runs_);
  make(signature_.rows, signature_.input.height, placement.pad_top, placement.inner_height, y_taps_, y_runs_);
}

void UpsampledArgmax::load_row(const tensor::Tensor& logits, std::size_t entry, int row,
                               std::vector<float>& values) const {
  const auto classes = static_cast<std::size_t>(signature_.class_count);
  const auto columns = static_cast<std::size_t>(signature_.columns), stride = columns + 1;
  const std::size_t cells = columns * static_cast<std::size_t>(signature_.rows);
  const std::size_t first = entry * classes * cells, begin = static_cast<std::size_t>(row) * columns;
  values.resize(classes * stride);
  const bool is_last = signature_.layout == media::Layout::kNhwc;
  if (!is_last && logits.dtype() == tensor::Dtype::kFloat32) {
    const float* from = logits.values<float>().data() + first + begin;
    for (std::size_t c = 0; c < classes; ++c) {
      std::memcpy(values.data() + c * stride, from + c * cells, columns * sizeof(float));
    }
  } else {
    // What run() checked.
    const RealValues real = RealValues::over(logits, signature_.logits.quantization, signature_.logits.name).value();
    for (std::size_t c = 0; c < classes; ++c) {
      for (std::size_t x = 0; x < columns; ++x) {
        values[c * stride + x] = real[first + (is_last ? (begin + x) * classes + c : c * cells + begin + x)];
      }
    }
  }
  // The last column has no neighbour: it is its own.
  for (std::size_t c = 0; c < classes; ++c) values[c * stride + columns] = values[c * stride + columns - 1];
}

void UpsampledArgmax::best_of_row(const std::vector<float>& values, std::vector<std::uint8_t>& best) {
  const std::size_t stride = static_cast<std::size_t>(signature_.columns) + 1;
  best_values_.assign(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(stride));
  best.assign(stride, 0);
  for (std::size_t c = 1; c < static_cast<std::size_t>(signature_.class_count); ++c) {
    update_highest(values.data() + c * stride, stride, static_cast<std::uint8_t>(c), best_values_.data(), best.data());
  }
}

void UpsampledArgmax::fill_square(const Run& rows, const Run& columns, LabelMap& map) {
  const auto x = static_cast<std::size_t>(columns.first);
  const std::size_t stride = static_cast<std::size_t>(signature_.columns) + 1;
  const auto classes = static_cast<std::size_t>(signature_.class_count);
  const auto corners = [&](std::size_t c) {
    const std::size_t at = c * stride + x;
    return std::array<float, 4>{upper_[at], upper_[at + 1], lower_[at], lower_[at + 1]};
  };
  candidates_.clear();
  float best_low = std::ranges::min(corners(0));
  for (std::size_t c = 1; c < classes; ++c) best_low = std::max(best_low, std::ranges::min(corners(c)));
  for (std::size_t c = 0; c < classes; ++c) {
    if (std::ranges::max(corners(c)) >= best_low) candidates_.push_back(static_cast<std::uint8_t>(c));
  }
  for (int py = rows.begin; py < rows.end; ++py) {
    const float down = y_taps_[static_cast<std::size_t>(py)].weight;
    std::uint8_t* to = map.labels.data() + static_cast<std::size_t>(py) * static_cast<std::size_t>(map.width);
    for (int px = columns.begin; px < columns.end; ++px) {
      const float right = x_taps_[static_cast<std::size_t>(px)].weight;
      float highest = 0;
      std::uint8_t best = 0;
      bool is_first = true;
      for (const std::uint8_t c : candidates_) {
        const auto [a, b, e, f] = corners(c);
        const float value = (a * (1 - right) + b * right) * (1 - down) + (e * (1 - right) + f * right) * down;
        if (is_first || value > highest) {
          highest = value;
          best = c;
          is_first = false;
        }
      }
      to[px] = best;
    }
  }
}

void UpsampledArgmax::fill_rows(const Run& rows, LabelMap& map) {
  for (const Run& columns : x_runs_) {
    const auto x = static_cast<std::size_t>(columns.first);
    const std::uint8_t best = upper_best_[x];
    if (best == upper_best_[x + 1] && best == lower_best_[x] && best == lower_best_[x + 1]) {
      for (int y = rows.begin; y < rows.end; ++y) {
        std::uint8_t* to = map.labels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(map.width);
        std::fill(to + columns.begin, to + columns.end, best);
      }
    } else {
      fill_square(rows, columns, map);
    }
  }
}

base::Result<void> UpsampledArgmax::run(const tensor::Tensor& logits, std::size_t entry,
                                        const media::Placement& placement, LabelMap& map) {
  const auto cells = static_cast<std::size_t>(signature_.rows) * static_cast<std::size_t>(signature_.columns);
  const std::size_t elements =
      static_cast<std::size_t>(signature_.batch) * cells * static_cast<std::size_t>(signature_.class_count);
  if (logits.dtype() != signature_.logits.dtype ||
      logits.size_bytes() != elements * tensor::dtype_size_bytes(logits.dtype())) {
    return base::fail(base::Code::kInvalidArgument, "output '{}': expected {} times {}, found {}",
                      signature_.logits.name, signature_.batch,
                      tensor::to_string(signature_.logits.dtype, signature_.logits.shape),
                      tensor::to_string(logits.dtype(), logits.shape()));
  }
  place(placement);
  map.width = placement.inner_width;
  map.height = placement.inner_height;
  map.labels.resize(static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height));

  if (signature_.columns == signature_.input.width && signature_.rows == signature_.input.height) {
    // Nothing to interpolate: the best of each cell is the answer.
    for (int y = 0; y < map.height; ++y) {
      load_row(logits, entry, y + placement.pad_top, upper_);
      best_of_row(upper_, upper_best_);
      std::copy_n(upper_best_.begin() + placement.pad_left, map.width,
                  map.labels.begin() + static_cast<std::ptrdiff_t>(y) * map.width);
    }
    return {};
  }
  int loaded = -2;  // the row of cells in upper_; the next one is in lower_
  for (const Run& rows : y_runs_) {
    if (rows.first == loaded + 1) {
      upper_.swap(lower_);
      upper_best_.swap(lower_best_);
    } else if (rows.first != loaded) {
      load_row(logits, entry, rows.first, upper_);
      best_of_row(upper_, upper_best_);
    }
    load_row(logits, entry, std::min(rows.first + 1, signature_.rows - 1), lower_);
    best_of_row(lower_, lower_best_);
    loaded = rows.first;
    fill_rows(rows, map);
  }
  return {};
}

}  // namespace slipway::pipelines::segmentation
