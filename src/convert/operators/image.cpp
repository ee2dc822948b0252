#include <algorithm>
#include <array>
#include <cmath>

#include "convert/operators/internal/families.hpp"

/// Resizing, padding, sampling.
namespace slipway::convert::operators::internal {
namespace {

struct Resize {
  std::string mode, places, nearest;
};

/// Resizes all axes from the third on: to sizes, or by factors.
Tensor resized(Call& call, const Tensor& x, const Resize& how) {
  const std::size_t axes = x.shape.size() - 2;
  Builder& b = call.builder();
  Attributes attributes = {{"coordinate_transformation_mode", how.places}, {"mode", how.mode}};
  if (how.mode == "nearest") attributes.emplace_back("nearest_mode", how.nearest);
  if (how.mode == "cubic") attributes.emplace_back("cubic_coeff_a", -0.75F);
  const bool has_sizes = call.has("output_size");
  std::vector<double> factors;
  if (!has_sizes) {
    if (!call.has_parameter("scale_factors") || !call.has("scale_factors")) refuse("it has neither sizes nor factors");
    factors = call.reals("scale_factors");
    if (factors.size() == 1) factors.resize(axes, factors.front());
    if (factors.size() != axes) refuse("'scale_factors' must hold {} numbers, found {}", axes, factors.size());
  }
  std::vector<Operand> sizes = {x.shape.at(0), x.shape.at(1)};
  bool is_even = x.shape.at(0) >= 0 && x.shape.at(1) >= 0;
  if (has_sizes) {
    const std::vector<Operand> given = call.sizes("output_size");
    for (std::size_t i = 0; i < axes; ++i) sizes.push_back(given[given.size() == 1 ? 0 : i]);
    sizes[0] = call.size_of(x, 0);
    sizes[1] = call.size_of(x, 1);
    if (const auto known = Call::known(sizes)) {
      if (*known == x.shape) return x;
    }
    return call.add("Resize", {x, {}, {}, call.tensor_of_sizes(sizes)}, attributes);
  }
  for (std::size_t i = 0; i < axes; ++i) {
    const double size = static_cast<double>(x.shape.at(i + 2)) * factors[i];
    is_even = is_even && x.shape.at(i + 2) >= 0 && std::floor(size) == size && size < 1e9;
    sizes.push_back(static_cast<std::int64_t>(std::clamp(std::floor(size), -1.0, 1e9)));
  }
  // Where a factor gives whole sizes, the sizes say all; otherwise it is the factor that counts.
  if (is_even) return call.add("Resize", {x, {}, {}, b.integers(*Call::known(sizes))}, attributes);
  std::vector<Tensor> scales = {call.reshape(b.number(ScalarType::kFloat32, 1.0), {1}),
                                call.reshape(b.number(ScalarType::kFloat32, 1.0), {1})};
  for (const double factor : factors) scales.push_back(call.reshape(b.number(ScalarType::kFloat32, factor), {1}));
  Tensor y = call.add("Resize", {x, {}, call.concat(scales, 0)}, attributes);
  for (std::size_t i = 0; i < axes; ++i) {
    if (x.shape.at(i + 2) >= 0) y.shape.at(i + 2) = *sizes[i + 2].get<std::int64_t>();
  }
  y.shape.at(0) = x.shape.at(0);
  y.shape.at(1) = x.shape.at(1);
  return y;
}

/// How an antialiased resize makes `to` places of `from`: a row of weights for each, as PyTorch's CPU code takes them.
Tensor antialias_weights(Call& call, std::int64_t from, std::int64_t to, double scale, bool is_cubic, ScalarType type) {
  const auto weight_at = [&](double x) {
    x = std::abs(x);
    if (!is_cubic) return x < 1 ? 1 - x : 0.0;
    constexpr double a = -0.5;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
  };
  const double support = (is_cubic ? 2 : 1) * std::max(scale, 1.0), shrink = 1 / std::max(scale, 1.0);
  std::vector<Tensor> rows;
  for (std::int64_t place = 0; place < to; ++place) {
    const double center = scale * (static_cast<double>(place) + 0.5);
    const auto begin = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto end = std::min<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), from);
    std::vector<double> row(static_cast<std::size_t>(from), 0.0);
    double sum = 0;
    for (std::int64_t at = begin; at < end; ++at) {
      row[static_cast<std::size_t>(at)] = weight_at((static_cast<double>(at) - center + 0.5) * shrink);
      sum += row[static_cast<std::size_t>(at)];
    }
    for (double& each : row) each = sum == 0 ? 0 : each / sum;
    const auto bytes = std::as_bytes(std::span(row));
    rows.push_back(call.builder().constant(ScalarType::kFloat64, {1, from}, {bytes.begin(), bytes.end()}));
  }
  return call.cast(call.concat(rows, 0), type);
}

/// Antialiased resizing is linear along each axis: two products with constants. ONNX Runtime's own takes other weights.
Tensor antialiased(Call& call, const Tensor& x, bool is_cubic) {
  if (x.rank() != 4 || x.shape.at(2) < 1 || x.shape.at(3) < 1)
    refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
  std::vector<double> factors;
  if (!call.has("output_size")) factors = call.reals("scale_factors");
  Tensor y = x;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t from = x.shape.at(i + 2);
    const double factor = factors.empty() ? 0 : factors[factors.size() == 1 ? 0 : i];
    const std::int64_t to =
        factors.empty()
            ? call.integers("output_size", 2)[i]
            : static_cast<std::int64_t>(std::clamp(std::floor(static_cast<double>(from) * factor), 0.0, 1e6));
    if (to < 1 || to > 1'000'000) refuse("'output_size' must be at least 1, found {}", to);
    if (from == to) continue;
    const bool align_corners = call.flag("align_corners");
    const double scale = align_corners     ? (to > 1 ? static_cast<double>(from - 1) / static_cast<double>(to - 1) : 0)
                         : factors.empty() ? static_cast<double>(from) / static_cast<double>(to)
                                           : 1 / factor;
    const Tensor weights = antialias_weights(call, from, to, scale, is_cubic, x.dtype);
    y = i == 0 ? call.add("MatMul", {weights, y}) : call.add("MatMul", {y, call.transpose(weights, {1, 0})});
  }
  return y;
}

Tensor image(Call& call) {
  return call.tensor(call.has_parameter("input") ? "input" : "self");
}
Operand nearest(Call& call) {
  return resized(call, image(call), {"nearest", "asymmetric", "floor"});
}
Operand nearest_exact(Call& call) {
  return resized(call, image(call), {"nearest", "half_pixel", "round_prefer_ceil"});
}
template <bool is_cubic, bool is_antialiased>
Operand smooth(Call& call) {
  if (is_antialiased) return antialiased(call, image(call), is_cubic);
  const std::string places = call.flag("align_corners") ? "align_corners" : "half_pixel";
  return resized(call, image(call), {is_cubic ? "cubic" : "linear", places, ""});
}

/// ATen names the last axis first.
Tensor padded(Call& call, const Tensor& x, const Integers& pad, const std::string& mode, const Tensor& value) {
  if (pad.size() % 2 != 0 || pad.size() / 2 > x.shape.size())
    refuse("'pad' holds {} numbers for a tensor of rank {}", pad.size(), x.rank());
  if (std::ranges::all_of(pad, [](std::int64_t each) { return each == 0; })) return x;
  const std::size_t rank = x.shape.size();
  Integers pads(2 * rank, 0);
  for (std::size_t i = 0; i < pad.size() / 2; ++i) {
    pads[rank - 1 - i] = pad[2 * i];
    pads[2 * rank - 1 - i] = pad[2 * i + 1];
  }
  std::vector<Tensor> inputs = {x, call.builder().integers(pads)};
  if (value.constant != nullptr || value.value != nullptr) inputs.push_back(value);
  return call.add("Pad", inputs, {{"mode", mode}});
}
Operand pad_with(Call& call, const std::string& mode) {
  const Tensor x = call.tensor("self");
  const Integers pad = call.integers(call.has_parameter("pad") ? "pad" : "padding");
  if (mode == "constant") {
    const Operand zero = std::int64_t{0};
    const Operand& value = call.has_parameter("value") && call.has("value") ? call.operand("value") : zero;
    return padded(call, x, pad, "constant", call.number(value, x.dtype));
  }
  if (mode == "reflect") return padded(call, x, pad, "reflect", {});
  if (mode == "replicate") return padded(call, x, pad, "edge", {});
  if (mode != "circular") refuse("mode '{}' is not taken", mode);
  Tensor y = x;
  for (std::size_t i = 0; i < pad.size() / 2; ++i) {
    const std::int64_t axis = x.rank() - 1 - static_cast<std::int64_t>(i),
                       size = x.shape.at(static_cast<std::size_t>(axis));
    if (size < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
    std::vector<Tensor> parts;
    if (pad[2 * i] > 0) parts.push_back(call.slice(y, axis, size - pad[2 * i], size));
    parts.push_back(y);
    if (pad[2 * i + 1] > 0) parts.push_back(call.slice(y, axis, 0, pad[2 * i + 1]));
    y = call.concat(parts, axis);
  }
  return y;
}
Operand pad(Call& call) {
  return pad_with(call, call.text("mode"));
}
Operand constant_pad(Call& call) {
  return pad_with(call, "constant");
}
Operand reflection_pad(Call& call) {
  return pad_with(call, "reflect");
}
Operand replication_pad(Call& call) {
  return pad_with(call, "replicate");
}

Operand grid_sample(Call& call) {
  static constexpr auto kModes = std::to_array<std::string_view>({"linear", "nearest", "cubic"});
  static constexpr auto kPaddings = std::to_array<std::string_view>({"zeros", "border", "reflection"});
  const std::int64_t mode = call.integer("interpolation_mode"), padding = call.integer("padding_mode");
  if (mode < 0 || mode > 2 || padding < 0 || padding > 2) refuse("modes {} and {} are not taken", mode, padding);
  std::string name(kModes[static_cast<std::size_t>(mode)]);
  if (call.builder().opset() < 20 && mode != 1) name = mode == 0 ? "bilinear" : "bicubic";
  return call.add("GridSample", {call.tensor("input"), call.tensor("grid")},
                  {{"align_corners", std::int64_t{call.flag("align_corners")}},
                   {"mode", name},
                   {"padding_mode", std::string(kPaddings[static_cast<std::size_t>(padding)])}});
}

/// Windows of an image as columns: [N, C·k·k, places].
Operand im2col(Call& call) {
  const Tensor given = call.tensor("self");
  const Integers kernel = call.integers("kernel_size", 2), dilation = call.integers("dilation", 2);
  const Integers padding = call.integers("padding", 2), stride = call.integers("stride", 2);
  if (given.rank() != 4) refuse("a tensor of rank 4 is expected, found {}", given.rank());
  const Tensor x = padded(call, given, {padding[1], padding[1], padding[0], padding[0]}, "constant",
                          call.builder().number(given.dtype, 0.0));
  Tensor y = x;
  // Each axis becomes two: within the window, and the place of the window.
  Integers counts;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t size = x.shape.at(i + 2);
    if (size < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
    const std::int64_t count = (size - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
    Integers places;
    for (std::int64_t k = 0; k < kernel[i]; ++k) {
      for (std::int64_t at = 0; at < count; ++at) places.push_back(at * stride[i] + k * dilation[i]);
    }
    counts.push_back(count);
    const Tensor indices = call.reshape(call.builder().integers(places), {kernel[i], count});
    y = call.add("Gather", {y, indices}, {{"axis", static_cast<std::int64_t>(2 + 2 * i)}});
  }
  const Tensor turned = call.transpose(y, {0, 1, 2, 4, 3, 5});
  return call.reshape(turned, {x.shape.at(0), x.shape.at(1) * kernel[0] * kernel[1], counts[0] * counts[1]});
}

/// The sum of such windows: a transposed convolution that puts each column's element at its place.
Operand col2im(Call& call) {
  const Tensor x = call.tensor("self");
  const Integers size = call.integers("output_size", 2), kernel = call.integers("kernel_size", 2);
  const Integers dilation = call.integers("dilation", 2), padding = call.integers("padding", 2);
  const Integers stride = call.integers("stride", 2);
  const std::int64_t area = kernel[0] * kernel[1];
  if (x.rank() != 3 || area < 1 || x.shape.at(1) < 1 || x.shape.at(1) % area != 0 || stride[0] < 1 || stride[1] < 1) {
    refuse("[N, C·k·k, places] is expected, found a tensor of rank {}", x.rank());
  }
  const std::int64_t channels = x.shape.at(1) / area;
  Integers counts, further;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t reach = dilation[i] * (kernel[i] - 1) + 1, room = size[i] + 2 * padding[i] - reach;
    if (room < 0) refuse("a window of {} does not fit {}", reach, size[i]);
    counts.push_back(room / stride[i] + 1);
    further.push_back(room % stride[i]);
  }
  Builder& b = call.builder();
  const Tensor rows = call.unsqueeze(b.integers(counted(area)), {1});
  const Tensor places = call.cast(call.add("Equal", {rows, b.integers(counted(area))}), x.dtype);
  const Tensor one = call.reshape(places, {1, area, 1, kernel[0], kernel[1]});
  const std::vector<Operand> sizes = {channels, area, std::int64_t{1}, kernel[0], kernel[1]};
  const Tensor weight = call.reshape(call.expand(one, sizes), {x.shape.at(1), 1, kernel[0], kernel[1]});
  const Tensor planes = call.reshape(x, {x.shape.at(0), x.shape.at(1), counts[0], counts[1]});
  return call.add("ConvTranspose", {planes, weight},
                  {{"dilations", dilation},
                   {"group", channels},
                   {"kernel_shape", kernel},
                   {"output_padding", further},
                   {"pads", Integers{padding[0], padding[1], padding[0], padding[1]}},
                   {"strides", stride}});
}

constexpr auto kImageOperators = std::to_array<Operator>({
    {"aten.upsample_nearest1d.default(Tensor self, int[] output_size, float? scales=None)", nearest},
    {"aten.upsample_nearest1d.vec(Tensor input, int[]? output_size, float[]? scale_factors)", nearest},
    {"aten.upsample_nearest2d.default(Tensor self, int[] output_size, float? scales_h=None, float? scales_w=None)",
     nearest},
    {"aten.upsample_nearest2d.vec(Tensor input, int[]? output_size, float[]? scale_factors)", nearest},
    {"aten.upsample_nearest3d.vec(Tensor input, int[]? output_size, float[]? scale_factors)", nearest},
    {"aten._upsample_nearest_exact1d.vec(Tensor input, int[]? output_size, float[]? scale_factors)", nearest_exact},
    {"aten._upsample_nearest_exact2d.vec(Tensor input, int[]? output_size, float[]? scale_factors)", nearest_exact},
    {"aten.upsample_linear1d.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<false, false>},
    {"aten.upsample_linear1d.default(Tensor self, int[] output_size, bool align_corners, float? scales=None)",
     smooth<false, false>},
    {"aten.upsample_bilinear2d.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<false, false>},
    {"aten.upsample_bilinear2d.default(Tensor self, int[] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None)",
     smooth<false, false>},
    {"aten.upsample_trilinear3d.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<false, false>},
    {"aten.upsample_bicubic2d.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<true, false>},
    {"aten.upsample_bicubic2d.default(Tensor self, int[] output_size, bool align_corners, float? scales_h=None, float? "
     "scales_w=None)",
     smooth<true, false>},
    {"aten._upsample_bilinear2d_aa.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<false, true>},
    {"aten._upsample_bilinear2d_aa.default(Tensor self, int[] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None)",
     smooth<false, true>},
    {"aten._upsample_bicubic2d_aa.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors)",
     smooth<true, true>},
    {"aten._upsample_bicubic2d_aa.default(Tensor self, int[] output_size, bool align_corners, float? scales_h=None, "
     "float? scales_w=None)",
     smooth<true, true>},
    {"aten.pad.default(Tensor self, int[] pad, str mode='constant', float? value=None)", pad},
    {"aten.constant_pad_nd.default(Tensor self, int[] pad, Scalar value=0)", constant_pad},
    {"aten.reflection_pad1d.default(Tensor self, int[] padding)", reflection_pad},
    {"aten.reflection_pad2d.default(Tensor self, int[] padding)", reflection_pad},
    {"aten.reflection_pad3d.default(Tensor self, int[] padding)", reflection_pad},
    {"aten.replication_pad1d.default(Tensor self, int[] padding)", replication_pad},
    {"aten.replication_pad2d.default(Tensor self, int[] padding)", replication_pad},
    {"aten.replication_pad3d.default(Tensor self, int[] padding)", replication_pad},
    {"aten.grid_sampler.default(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners)",
     grid_sample},
    {"aten.grid_sampler_2d.default(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners)",
     grid_sample},
    {"aten.im2col.default(Tensor self, int[] kernel_size, int[] dilation, int[] padding, int[] stride)", im2col},
    {"aten.col2im.default(Tensor self, int[] output_size, int[] kernel_size, int[] dilation, int[] padding, int[] "
     "stride)",
     col2im},
});

}  // namespace

std::span<const Operator> image_operators() {
  return kImageOperators;
}

}  // namespace slipway::convert::operators::internal
