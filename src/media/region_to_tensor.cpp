#include "media/region_to_tensor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "media/internal/pixel_rows.hpp"
#include "media/internal/warp_rows.hpp"

namespace slipway::media {
namespace {

constexpr double kFarthest = 1 << 24;  // positions beyond are all the same: outside

/// Keeps start + step·(count − 1) within what positions can hold: far outside is outside.
void tame(double& start, double& step, std::size_t count) {
  start = std::clamp(start, -kFarthest, kFarthest);
  const auto last = static_cast<double>(count);
  step = std::clamp(step, (-kFarthest - start) / last, (kFarthest - start) / last);
}

/// In 1/1024 pixels.
std::int32_t fine(double position) {
  constexpr double kFine = 1024, kFarthestFine = 1 << 20;
  return static_cast<std::int32_t>(std::lrint(std::clamp(position, -kFarthestFine, kFarthestFine) * kFine));
}

}  // namespace

bool Affine::is_finite() const {
  return std::ranges::all_of(std::array{xx, xy, x0, yx, yy, y0}, [](double value) { return std::isfinite(value); });
}

struct RegionToTensor::State {
  ImageInput input;
  Border border = Border::kZero;
  WarpRounding rounding = WarpRounding::kWarpPerspective;
  std::vector<std::int32_t> x, y;              // of one row, in 1/32 pixels
  std::vector<std::int32_t> x_steps, y_steps;  // warpAffine: of the columns, in 1/1024 pixels
  std::vector<std::uint8_t> row;               // samples
  std::vector<std::byte> table;                // stored values of the 256 pixel values, when the input is not float32

  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(input.width); }
  [[nodiscard]] std::size_t height() const { return static_cast<std::size_t>(input.height); }
  [[nodiscard]] std::size_t element_bytes() const { return tensor::dtype_size_bytes(input.dtype); }

  void make_table() {
    std::array<float, 256 + internal::kSpareValues> values{};
    for (std::size_t i = 0; i < 256; ++i) values[i] = static_cast<float>(i) * input.gain + input.bias;
    table.resize(256 * element_bytes());
    if (input.dtype == tensor::Dtype::kFloat16) {
      return internal::half_row(values.data(), 256, reinterpret_cast<std::uint16_t*>(table.data()));
    }
    const float scale = input.quantization->scale;
    const auto zero_point = static_cast<float>(input.quantization->zero_point);
    const auto fill = [&](auto* stored) { internal::quantize_row(values.data(), 256, scale, zero_point, stored); };
    switch (input.dtype) {
      case tensor::Dtype::kUint8:
        return fill(reinterpret_cast<std::uint8_t*>(table.data()));
      case tensor::Dtype::kInt8:
        return fill(reinterpret_cast<std::int8_t*>(table.data()));
      case tensor::Dtype::kUint16:
        return fill(reinterpret_cast<std::uint16_t*>(table.data()));
      default:
        return fill(reinterpret_cast<std::int16_t*>(table.data()));
    }
  }

  template <typename Stored>
  void lookup(const std::uint8_t* values, std::size_t step, std::size_t count, std::byte* out) const {
    const auto* stored = reinterpret_cast<const Stored*>(table.data());
    auto* to = reinterpret_cast<Stored*>(out);
    for (std::size_t i = 0; i < count; ++i) to[i] = stored[values[i * step]];
  }

  /// Values `step` apart, of one row, to their place.
  void store(const std::uint8_t* values, std::size_t step, std::size_t count, std::byte* out) const {
    if (input.dtype != tensor::Dtype::kFloat32) {
      return element_bytes() == 1 ? lookup<std::uint8_t>(values, step, count, out)
                                  : lookup<std::uint16_t>(values, step, count, out);
    }
    auto* to = reinterpret_cast<float*>(out);
    if (step == 1) {
      internal::scale_row(values, count, input.gain, input.bias, to);
    } else {
      internal::pick_row(values, count, input.gain, input.bias, to);
    }
  }

  void find_positions(const Affine& map, int row_index) {
    const double row_y = row_index;
    if (rounding == WarpRounding::kWarpPerspective) {
      double from_x = map.xy * row_y + map.x0, step_x = map.xx;
      double from_y = map.yy * row_y + map.y0, step_y = map.yx;
      tame(from_x, step_x, width());
      tame(from_y, step_y, width());
      internal::warp_positions(from_x, step_x, width(), x.data());
      internal::warp_positions(from_y, step_y, width(), y.data());
      return;
    }
    // warpAffine adds what it rounded to 1/1024 and cuts the sum to 1/32.
    const std::int64_t from_x = fine(map.xy * row_y + map.x0) + 16, from_y = fine(map.yy * row_y + map.y0) + 16;
    for (std::size_t i = 0; i < width(); ++i) {
      x[i] = static_cast<std::int32_t>((from_x + x_steps[i]) >> 5);
      y[i] = static_cast<std::int32_t>((from_y + y_steps[i]) >> 5);
    }
  }
};

RegionToTensor::RegionToTensor(std::unique_ptr<State> state) : state_(std::move(state)) {}
RegionToTensor::~RegionToTensor() = default;
RegionToTensor::RegionToTensor(RegionToTensor&&) noexcept = default;
RegionToTensor& RegionToTensor::operator=(RegionToTensor&&) noexcept = default;

base::Result<RegionToTensor> RegionToTensor::create(const ImageInput& input, Border border, WarpRounding rounding) {
  SLIPWAY_TRY(ImageToTensor::create(input, Fit::kStretch));  // its checks
  if (input.channels != Channels::kRgb) {
    return base::fail(base::Code::kInvalidArgument, "regions are cut for networks that see RGB only");
  }
  auto state = std::make_unique<State>();
  state->input = input;
  state->border = border;
  state->rounding = rounding;
  for (auto* positions : {&state->x, &state->y, &state->x_steps, &state->y_steps}) positions->resize(state->width());
  state->row.resize(3 * state->width() + internal::kWarpSpare);
  if (input.dtype != tensor::Dtype::kFloat32) state->make_table();
  return RegionToTensor(std::move(state));
}

std::size_t RegionToTensor::size_bytes() const {
  return state_->width() * state_->height() * 3 * state_->element_bytes();
}

base::Result<void> RegionToTensor::convert(ImageView image, const Affine& to_image, std::span<std::byte> out) {
  State& state = *state_;
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
  if (!to_image.is_finite()) {
    return base::fail(base::Code::kInvalidArgument, "a region of a picture must have finite corners");
  }
  if (out.size() != size_bytes()) {
    return base::fail(base::Code::kInvalidArgument, "expected room for {} bytes of tensor, found {}", size_bytes(),
                      out.size());
  }
  if (state.rounding == WarpRounding::kWarpAffine) {
    for (std::size_t i = 0; i < state.width(); ++i) {
      const auto column = static_cast<double>(i);
      state.x_steps[i] = fine(to_image.xx * column);
      state.y_steps[i] = fine(to_image.yx * column);
    }
  }
  const std::size_t width = state.width(), element = state.element_bytes(), plane = width * state.height() * element;
  for (int y = 0; y < state.input.height; ++y) {
    state.find_positions(to_image, y);
    internal::sample_row(image, state.x.data(), state.y.data(), width, state.border == Border::kReplicate,
                         state.row.data());
    const std::size_t row_index = static_cast<std::size_t>(y);
    if (state.input.layout == Layout::kNhwc) {
      state.store(state.row.data(), 1, 3 * width, out.data() + row_index * 3 * width * element);
    } else {
      for (std::size_t c = 0; c < 3; ++c) {
        state.store(state.row.data() + c, 3, width, out.data() + c * plane + row_index * width * element);
      }
    }
  }
  return {};
}

}  // namespace slipway::media
