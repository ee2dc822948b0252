#include <algorithm>
#include <array>

#include "convert/operators/internal/families.hpp"

/// Pooling with windows and to given sizes.
namespace slipway::convert::operators::internal {
namespace {

struct Pool {
  std::size_t axes;
  Integers kernel, strides, pads, dilations;
  bool rounds_up;
};

template <std::size_t axes>
Pool pool_of(Call& call) {
  Pool pool{axes, call.integers("kernel_size", axes), {}, call.integers("padding", axes), Integers(axes, 1), false};
  const auto* const given = call.operand("stride").get<Operands>();
  const bool has_strides = !call.operand("stride").is_none() && (given == nullptr || !given->empty());
  pool.strides = has_strides ? call.integers("stride", axes) : pool.kernel;
  if (call.has_parameter("dilation")) pool.dilations = call.integers("dilation", axes);
  pool.rounds_up = call.flag("ceil_mode");
  for (std::size_t i = 0; i < axes; ++i) {
    if (pool.kernel[i] < 1 || pool.strides[i] < 1 || pool.dilations[i] < 1 || pool.pads[i] < 0) {
      refuse("windows, strides and dilations must be at least 1, padding at least 0");
    }
  }
  return pool;
}

/// What ATen gives for an axis: when it rounds up, a last window that begins behind the padded input is left out.
std::int64_t pooled_size(const Pool& pool, std::size_t axis, std::int64_t size) {
  const std::int64_t reach = pool.dilations[axis] * (pool.kernel[axis] - 1) + 1, stride = pool.strides[axis];
  const std::int64_t room = size + 2 * pool.pads[axis] - reach;
  if (room < 0) refuse("a window of {} does not fit {}", reach, size + 2 * pool.pads[axis]);
  std::int64_t count = (room + (pool.rounds_up ? stride - 1 : 0)) / stride + 1;
  if (pool.rounds_up && (count - 1) * stride >= size + pool.pads[axis]) --count;
  return count;
}

/// How far the last window reaches over the end of the padded input.
Integers overhang(const Pool& pool, const Tensor& x) {
  Integers over(pool.axes, 0);
  for (std::size_t i = 0; pool.rounds_up && i < pool.axes; ++i) {
    const std::int64_t size = x.shape.at(i + 2);
    if (size < 0) refuse("sizes must be known for ceil_mode; fix the sizes of the inputs (--input-spec)");
    const std::int64_t reach = pool.dilations[i] * (pool.kernel[i] - 1) + 1;
    const std::int64_t covered = (pooled_size(pool, i, size) - 1) * pool.strides[i] + reach;
    over[i] = std::max<std::int64_t>(0, covered - size - 2 * pool.pads[i]);
  }
  return over;
}

Attributes attributes_of(const Pool& pool, const Integers& over) {
  Integers pads = pool.pads;
  for (std::size_t i = 0; i < pool.axes; ++i) pads.push_back(pool.pads[i] + over[i]);
  return {{"kernel_shape", pool.kernel}, {"pads", pads}, {"strides", pool.strides}};
}

Tensor with_batch(Call& call, const Tensor& x, std::size_t axes) {
  if (x.shape.size() == axes + 2) return x;
  if (x.shape.size() != axes + 1)
    refuse("a tensor of rank {} or {} is expected, found {}", axes + 1, axes + 2, x.rank());
  return call.unsqueeze(x, {0});
}

template <std::size_t axes>
Operands max_pooled(Call& call, std::size_t outputs) {
  const Tensor given = call.tensor("self"), x = with_batch(call, given, axes);
  const Pool pool = pool_of<axes>(call);
  Attributes attributes = attributes_of(pool, overhang(pool, x));
  attributes.emplace_back("dilations", pool.dilations);
  Operands results;
  for (const Tensor& each : call.builder().add_several("MaxPool", {x}, outputs, attributes)) {
    results.push_back(x.rank() == given.rank() ? each : call.squeeze(each, {0}));
  }
  if (outputs == 2) {
    // ONNX counts places from the first element of the whole tensor, ATen from that of the channel.
    std::int64_t area = 1;
    for (std::size_t i = 0; i < axes; ++i) area *= x.shape.at(i + 2);
    if (area < 0) refuse("sizes must be known for the indices; fix the sizes of the inputs (--input-spec)");
    results[1] = call.add("Mod", {*results[1].get<Tensor>(), call.builder().integer(area)});
  }
  return results;
}
template <std::size_t axes>
Operand max_pool(Call& call) {
  return max_pooled<axes>(call, 1).front();
}
template <std::size_t axes>
Operand max_pool_with_indices(Call& call) {
  return max_pooled<axes>(call, 2);
}

template <std::size_t axes>
Operand average_pool(Call& call) {
  const Tensor given = call.tensor("self"), x = with_batch(call, given, axes);
  const Pool pool = pool_of<axes>(call);
  const bool counts_pads = call.flag("count_include_pad");
  const Integers over = overhang(pool, x);
  const bool reaches_over = std::ranges::any_of(over, [](std::int64_t each) { return each > 0; });
  const bool has_pads = std::ranges::any_of(pool.pads, [](std::int64_t each) { return each > 0; });
  const bool has_divisor = call.has_parameter("divisor_override") && call.has("divisor_override");
  Tensor y;
  if (!has_divisor && !(reaches_over && counts_pads && has_pads)) {
    // What lies over the end never counts, the padding does when asked.
    Attributes attributes = attributes_of(pool, over);
    attributes.emplace_back("count_include_pad", std::int64_t{counts_pads && !reaches_over});
    y = call.add("AveragePool", {x}, attributes);
  } else {
    // Averages over whole windows, turned into sums and divided by what ATen divides by.
    Attributes attributes = attributes_of(pool, over);
    attributes.emplace_back("count_include_pad", std::int64_t{1});
    y = call.add("AveragePool", {x}, attributes);
    double area = 1;
    for (const std::int64_t side : pool.kernel) area *= static_cast<double>(side);
    Tensor factors = call.builder().full(x.dtype, Shape{}, area);
    if (has_divisor) {
      factors = call.builder().number(x.dtype, area / call.real("divisor_override"));
    } else {
      for (std::size_t i = 0; i < axes; ++i) {
        std::vector<Tensor> along;
        if (y.shape.at(i + 2) > (1 << 11)) refuse("{} places are more than are made one by one", y.shape.at(i + 2));
        for (std::int64_t place = 0; place < y.shape.at(i + 2); ++place) {
          const std::int64_t begin = place * pool.strides[i] - pool.pads[i];
          const std::int64_t end = std::min(begin + pool.kernel[i], x.shape.at(i + 2) + pool.pads[i]);
          along.push_back(call.reshape(call.builder().number(x.dtype, 1.0 / static_cast<double>(end - begin)), {1}));
        }
        Integers shape(axes, 1);
        shape[i] = y.shape.at(i + 2);
        factors = call.add("Mul", {factors, call.reshape(call.concat(along, 0), shape)});
      }
    }
    y = call.add("Mul", {y, factors});
  }
  return x.rank() == given.rank() ? y : call.squeeze(y, {0});
}

/// Begin and end of the part of `size` that goes into place `i` of `count`.
std::pair<std::int64_t, std::int64_t> part(std::int64_t i, std::int64_t size, std::int64_t count) {
  return {i * size / count, ((i + 1) * size + count - 1) / count};
}

/// Pooling to a given size: a global one, one with even windows, or one part after the other along each axis.
template <std::size_t axes>
Tensor adaptive(Call& call, const std::string& global, const std::string& windowed, const std::string& reduced) {
  const Tensor given = call.tensor("self");
  Tensor x = with_batch(call, given, axes);
  Integers wanted(axes, 0);
  const std::vector<Operand> sizes = call.sizes("output_size");
  for (std::size_t i = 0; i < axes; ++i) {
    const Operand& size = sizes[sizes.size() == 1 ? 0 : i];
    const auto* const number = size.get<std::int64_t>();
    wanted[i] = number == nullptr ? x.shape.at(i + 2) : *number;
  }
  if (std::ranges::all_of(wanted, [](std::int64_t each) { return each == 1; })) {
    x = call.add(global, {x});
  } else if (wanted != Integers(x.shape.begin() + 2, x.shape.end())) {
    bool is_even = true;
    for (std::size_t i = 0; i < axes; ++i) {
      if (x.shape.at(i + 2) < 0) refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
      if (wanted[i] < 1) refuse("'output_size' must be at least 1, found {}", wanted[i]);
      if (wanted[i] > (1 << 11)) refuse("{} places are more than are made one by one", wanted[i]);
      is_even = is_even && x.shape.at(i + 2) % wanted[i] == 0;
    }
    if (is_even) {
      Integers kernel;
      for (std::size_t i = 0; i < axes; ++i) kernel.push_back(x.shape.at(i + 2) / wanted[i]);
      x = call.add(windowed, {x}, {{"kernel_shape", kernel}, {"strides", kernel}});
    } else {
      for (std::size_t i = 0; i < axes; ++i) {
        const auto axis = static_cast<std::int64_t>(i) + 2;
        std::vector<Tensor> parts;
        for (std::int64_t place = 0; place < wanted[i]; ++place) {
          const auto [begin, end] = part(place, x.shape.at(i + 2), wanted[i]);
          parts.push_back(call.reduce(reduced, call.slice(x, axis, begin, end), {axis}, true));
        }
        x = call.concat(parts, axis);
      }
    }
  }
  return x.rank() == given.rank() ? x : call.squeeze(x, {0});
}
template <std::size_t axes>
Operand adaptive_average(Call& call) {
  return adaptive<axes>(call, "GlobalAveragePool", "AveragePool", "ReduceMean");
}
template <std::size_t axes>
Operand adaptive_max(Call& call) {
  // Places of the greatest are not computed: a model that reads them is refused where it does.
  return Operands{adaptive<axes>(call, "GlobalMaxPool", "MaxPool", "ReduceMax"), aten::None{}};
}

#define SLIPWAY_POOLS(n)                                                                              \
  {"aten.max_pool" #n                                                                                 \
   "d.default(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, "                     \
   "int[] dilation=1, bool ceil_mode=False)",                                                         \
   max_pool<n>},                                                                                      \
      {"aten.max_pool" #n                                                                             \
       "d_with_indices.default(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, "    \
       "int[] dilation=1, bool ceil_mode=False)",                                                     \
       max_pool_with_indices<n>},                                                                     \
      {"aten.adaptive_avg_pool" #n "d.default(Tensor self, int[] output_size)", adaptive_average<n>}, \
      {"aten.adaptive_max_pool" #n "d.default(Tensor self, int[] output_size)", adaptive_max<n>},

constexpr auto kPoolingOperators = std::to_array<Operator>({
    SLIPWAY_POOLS(1) SLIPWAY_POOLS(2)
        SLIPWAY_POOLS(3){"aten._adaptive_avg_pool2d.default(Tensor self, int[] output_size)", adaptive_average<2>},
    {"aten._adaptive_avg_pool3d.default(Tensor self, int[] output_size)", adaptive_average<3>},
    {"aten.avg_pool1d.default(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
     "bool count_include_pad=True)",
     average_pool<1>},
    {"aten.avg_pool2d.default(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
     "bool count_include_pad=True, int? divisor_override=None)",
     average_pool<2>},
    {"aten.avg_pool3d.default(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
     "bool count_include_pad=True, int? divisor_override=None)",
     average_pool<3>},
});

}  // namespace

std::span<const Operator> pooling_operators() {
  return kPoolingOperators;
}

}  // namespace slipway::convert::operators::internal
