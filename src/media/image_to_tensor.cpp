#include "media/image_to_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "media/internal/pixel_rows.hpp"

namespace slipway::media {
namespace {

// 0.2125, 0.7154 and 0.0721 as whole numbers: their sum has no rounding, in whatever order it is built.
constexpr std::array<std::int32_t, 3> kLumaWeights = {2125, 7154, 721};
constexpr float kLumaUnit = 10000;

/// Where each output column (or row) reads: source index and the weight of the next one.
struct Taps {
  int source = 0, target = 0;
  std::vector<std::int32_t> left;
  std::vector<float> right_weight;

  /// False when it was that already.
  bool make(int from, int to) {
    if (from == source && to == target) return false;
    source = from;
    target = to;
    left.resize(static_cast<std::size_t>(to));
    right_weight.resize(static_cast<std::size_t>(to));
    const double step = static_cast<double>(from) / to;
    for (int i = 0; i < to; ++i) {
      const double position = std::max(0.0, (i + 0.5) * step - 0.5);
      const int index = std::min(static_cast<int>(position), from - 1);
      left[static_cast<std::size_t>(i)] = index;
      right_weight[static_cast<std::size_t>(i)] = index + 1 < from ? static_cast<float>(position - index) : 0.0F;
    }
    return true;
  }
};

/// The columns of an image that are read at all, and where the taps find them in rows of these alone. A network that
/// is three times smaller than an image reads one or two of three.
struct Columns {
  Taps taps;
  std::size_t count = 0;                     // that are read, or all of them where picking would not pay
  std::vector<internal::PixelGroup> picked;  // empty: all
  bool is_copy = false;                      // output columns are the read ones, unmixed

  void make(int from, int to) {
    if (!taps.make(from, to)) return;
    std::vector<std::int32_t> read;
    for (std::size_t i = 0; i < taps.left.size(); ++i) {
      if (read.empty() || read.back() < taps.left[i]) read.push_back(taps.left[i]);
      if (taps.right_weight[i] > 0) read.push_back(taps.left[i] + 1);
    }
    picked.clear();
    count = static_cast<std::size_t>(from);
    if (pays(read.size(), count)) {
      internal::group_pixels(read, picked);
      count = read.size();
      std::int32_t place = 0;
      for (std::int32_t& left : taps.left) {
        while (read[static_cast<std::size_t>(place)] < left) ++place;
        left = place;
      }
    }
    is_copy = count == taps.left.size() && std::ranges::all_of(taps.right_weight, [](float w) { return w == 0; });
  }

  /// Without vector code for it, picking takes longer than weighing twice as many.
  static bool pays(std::size_t read, std::size_t all) { return internal::picks_fast() ? read < all : 3 * read <= all; }
};

/// Floats that begin where a cache line does: vectors that reach over two lines cost twice.
class FloatRow {
 public:
  void resize(std::size_t count) { lines_.resize(count / kLine + 1); }
  [[nodiscard]] float* data() { return lines_.data()->values; }

 private:
  static constexpr std::size_t kLine = 16;
  struct alignas(64) Line {
    float values[kLine];
  };
  std::vector<Line> lines_;
};

bool is_integer(tensor::Dtype dtype) {
  return dtype == tensor::Dtype::kUint8 || dtype == tensor::Dtype::kInt8 || dtype == tensor::Dtype::kUint16 ||
         dtype == tensor::Dtype::kInt16;
}

}  // namespace

struct ImageToTensor::State {
  ImageInput input;
  Fit fit;
  std::size_t planes = 1;
  std::size_t row_values = 0;  // of one output row of one plane
  Columns columns;
  Taps rows;
  std::size_t row_bytes = 0;           // of the image
  std::vector<std::uint8_t> narrowed;  // one row's picked pixels
  // The last two source rows as floats, one plane after the other, each with a spare value at its end.
  std::array<FloatRow, 2> source_rows;
  std::array<int, 2> source_row_index = {-1, -1};
  std::size_t row_tap = 0;  // where next_row() looks on
  FloatRow mixed;
  std::vector<float> finished;                              // one output row, all planes
  std::array<float, 3> gain = {1, 1, 1}, bias = {0, 0, 0};  // a channel's, normalisation included

  [[nodiscard]] std::size_t pixels() const {
    return static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height);
  }
  [[nodiscard]] std::size_t element_bytes() const { return tensor::dtype_size_bytes(input.dtype); }

  /// Reads row y as floats, and fetches the one after it.
  void load(ImageView image, int y, std::size_t plane_stride, float* out) {
    const std::size_t count = columns.count;
    const std::uint8_t* rgb = image.row(y);
    const int next_y = next_row(y);
    const std::uint8_t* next = next_y < image.height ? image.row(next_y) : rgb;
    if (!columns.picked.empty()) {
      internal::pick_pixels(rgb, row_bytes, columns.picked, next, narrowed.data());
      rgb = next = narrowed.data();
    }
    if (input.channels == Channels::kLuma) {
      internal::weigh_row(rgb, count, kLumaWeights, input.gain / kLumaUnit, input.bias, next, out);
      return;
    }
    internal::prefetch(next, 3 * count);
    if (input.channels == Channels::kBlue) {
      internal::pick_row(rgb + 2, count, input.gain, input.bias, out);
    } else {
      for (std::size_t c = 0; c < 3; ++c) internal::pick_row(rgb + c, count, gain[c], bias[c], out + c * plane_stride);
    }
  }

  /// The source row that is read after row y.
  int next_row(int y) {
    while (row_tap < rows.left.size()) {
      const int upper = rows.left[row_tap];
      if (upper > y) return upper;
      if (upper == y && rows.right_weight[row_tap] > 0) return y + 1;
      ++row_tap;
    }
    return std::numeric_limits<int>::max();
  }

  /// The slot that holds source row y, loaded now if it was not; never evicts row `keep`.
  const float* source_row(ImageView image, int y, int cached_row) {
    for (std::size_t slot = 0; slot < 2; ++slot) {
      if (source_row_index[slot] == y) return source_rows[slot].data();
    }
    const std::size_t slot = source_row_index[0] == cached_row ? 1 : 0;
    load(image, y, columns.count + 1, source_rows[slot].data());
    source_row_index[slot] = y;
    return source_rows[slot].data();
  }

  /// Writes values of one plane and row at column `from`.
  void store(const float* values, std::size_t count, std::size_t plane, std::size_t y, std::size_t from,
             std::byte* out) const {
    const auto width = static_cast<std::size_t>(input.width);
    if (input.layout == Layout::kNchw || planes == 1) {
      std::byte* to = out + (plane * pixels() + y * width + from) * element_bytes();
      convert_values(values, count, to);
    } else {
      for (std::size_t x = 0; x < count; ++x) {
        convert_values(values + x, 1, out + ((y * width + from + x) * planes + plane) * element_bytes());
      }
    }
  }

  void convert_values(const float* values, std::size_t count, std::byte* to) const {
    if (input.dtype == tensor::Dtype::kFloat32) {
      if (reinterpret_cast<const std::byte*>(values) != to) std::memcpy(to, values, count * sizeof(float));
      return;
    }
    if (input.dtype == tensor::Dtype::kFloat16) {
      internal::half_row(values, count, reinterpret_cast<std::uint16_t*>(to));
      return;
    }
    const float scale = input.quantization->scale;
    const auto zero_point = static_cast<float>(input.quantization->zero_point);
    if (input.dtype == tensor::Dtype::kUint8) {
      internal::quantize_row(values, count, scale, zero_point, reinterpret_cast<std::uint8_t*>(to));
    } else if (input.dtype == tensor::Dtype::kInt8) {
      internal::quantize_row(values, count, scale, zero_point, reinterpret_cast<std::int8_t*>(to));
    } else if (input.dtype == tensor::Dtype::kUint16) {
      internal::quantize_row(values, count, scale, zero_point, reinterpret_cast<std::uint16_t*>(to));
    } else {
      internal::quantize_row(values, count, scale, zero_point, reinterpret_cast<std::int16_t*>(to));
    }
  }
};

ImageToTensor::ImageToTensor(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageToTensor::~ImageToTensor() = default;
ImageToTensor::ImageToTensor(ImageToTensor&&) noexcept = default;
ImageToTensor& ImageToTensor::operator=(ImageToTensor&&) noexcept = default;

base::Result<ImageToTensor> ImageToTensor::create(const ImageInput& input, Fit fit) {
  constexpr int kLongestSide = 1 << 15;
  if (input.width < 1 || input.height < 1 || input.width > kLongestSide || input.height > kLongestSide) {
    return base::fail(base::Code::kInvalidArgument, "a picture input of {}x{}: both sides must be in 1 … {}",
                      input.width, input.height, kLongestSide);
  }
  if (input.dtype != tensor::Dtype::kFloat32 && input.dtype != tensor::Dtype::kFloat16) {
    if (!is_integer(input.dtype)) {
      return base::fail(base::Code::kInvalidArgument,
                        "a picture input of dtype {}: expected float32, float16, uint8, int8, uint16 or int16",
                        tensor::dtype_name(input.dtype));
    }
    if (!input.quantization || !std::isfinite(input.quantization->scale) || input.quantization->scale <= 0) {
      return base::fail(
          base::Code::kInvalidArgument,
          "a {} picture input needs a scale above 0 and a zero point (model.yaml beside the model says them)",
          tensor::dtype_name(input.dtype));
    }
  }
  for (const float deviation : input.deviation) {
    if (std::isfinite(deviation) && deviation > 0) continue;
    return base::fail(base::Code::kInvalidArgument, "a deviation is a number above 0, found {}", deviation);
  }
  auto state = std::make_unique<State>();
  state->input = input;
  state->fit = fit;
  for (std::size_t c = 0; c < 3; ++c) {
    state->gain[c] = input.gain / input.deviation[c];
    state->bias[c] = (input.bias - input.mean[c]) / input.deviation[c];
  }
  state->planes = input.channels == Channels::kRgb ? 3 : 1;
  state->finished.resize(static_cast<std::size_t>(input.width) * state->planes);
  return ImageToTensor(std::move(state));
}

std::size_t ImageToTensor::size_bytes() const {
  return state_->pixels() * state_->planes * state_->element_bytes();
}

base::Result<Placement> ImageToTensor::convert(ImageView image, std::span<std::byte> out) {
  State& state = *state_;
  const ImageInput& input = state.input;
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
  if (out.size() != size_bytes()) {
    return base::fail(base::Code::kInvalidArgument, "expected room for {} bytes of tensor, found {}", size_bytes(),
                      out.size());
  }
  const Placement placement = place(image.width, image.height, input.width, input.height, state.fit);
  const auto inner_width = static_cast<std::size_t>(placement.inner_width);
  const auto width = static_cast<std::size_t>(input.width);
  const bool is_float = input.dtype == tensor::Dtype::kFloat32 && (input.layout == Layout::kNchw || state.planes == 1);

  state.columns.make(image.width, placement.inner_width);
  state.rows.make(image.height, placement.inner_height);
  state.row_bytes = 3 * static_cast<std::size_t>(image.width);
  state.source_row_index = {-1, -1};
  state.row_tap = 0;
  const std::size_t plane_stride = state.columns.count + 1;
  state.narrowed.resize(3 * state.columns.count + internal::kSpareBytes);
  for (auto& row : state.source_rows) row.resize(plane_stride * state.planes + internal::kSpareValues);
  state.mixed.resize(plane_stride * state.planes + internal::kSpareValues);

  // Padding: one pixel's value, above and below, left and right.
  const auto pad_top = static_cast<std::size_t>(placement.pad_top);
  const auto pad_left = static_cast<std::size_t>(placement.pad_left);
  const std::size_t pad_right = width - pad_left - inner_width;
  for (std::size_t plane = 0; plane < state.planes; ++plane) {
    const bool is_rgb = state.planes == 3;
    std::fill(state.finished.begin(), state.finished.end(),
              static_cast<float>(input.padding) * (is_rgb ? state.gain[plane] : input.gain) +
                  (is_rgb ? state.bias[plane] : input.bias));
    for (std::size_t y = 0; y < static_cast<std::size_t>(input.height); ++y) {
      const bool is_inside = y >= pad_top && y < pad_top + static_cast<std::size_t>(placement.inner_height);
      if (!is_inside) {
        state.store(state.finished.data(), width, plane, y, 0, out.data());
      } else {
        if (pad_left > 0) state.store(state.finished.data(), pad_left, plane, y, 0, out.data());
        if (pad_right > 0) state.store(state.finished.data(), pad_right, plane, y, width - pad_right, out.data());
      }
    }
  }

  for (int inner_y = 0; inner_y < placement.inner_height; ++inner_y) {
    const auto tap = static_cast<std::size_t>(inner_y);
    const int upper = state.rows.left[tap];
    const float lower_weight = state.rows.right_weight[tap];
    const std::size_t y = pad_top + tap;
    float* const floats = is_float ? reinterpret_cast<float*>(out.data()) + y * width + pad_left : nullptr;
    if (is_float && lower_weight == 0 && state.columns.is_copy) {
      state.load(image, upper, state.pixels(), floats);
      continue;
    }
    const int lower = lower_weight > 0 ? upper + 1 : upper;
    const float* row = state.source_row(image, upper, lower);
    if (lower != upper) {
      const float* below = state.source_row(image, lower, upper);
      internal::mix_rows(row, below, plane_stride * state.planes, lower_weight, state.mixed.data());
      row = state.mixed.data();
    }
    for (std::size_t plane = 0; plane < state.planes; ++plane) {
      const float* values = row + plane * plane_stride;
      if (!state.columns.is_copy) {
        float* resampled = is_float ? floats + plane * state.pixels() : state.finished.data();
        internal::resample_row(values, state.columns.taps.left.data(), state.columns.taps.right_weight.data(),
                               inner_width, resampled);
        values = resampled;
      }
      state.store(values, inner_width, plane, y, pad_left, out.data());
    }
  }
  return placement;
}

}  // namespace slipway::media
