#include "convert/operators/internal/fold.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "compile/onnx_graph/element_type.hpp"
#include "convert/operators/internal/builder.hpp"
#include "convert/operators/internal/moved.hpp"

namespace slipway::convert::operators::internal {
namespace {

using compile::onnx_graph::Attributes;
using Integers = std::vector<std::int64_t>;

/// More elements are left to the runtime, but for views of the same bytes.
constexpr std::int64_t kMostComputed = 1 << 20;
/// Weights are transposed here up to this size: compilers want them so.
constexpr std::int64_t kMostMoved = 1 << 26;

template <typename T>
const T* attribute(const Attributes& attributes, std::string_view name) {
  const auto found = std::ranges::find(attributes, name, [](const auto& each) { return std::string_view(each.first); });
  return found == attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

std::int64_t count_of(const Shape& shape) {
  return tensor::element_count(shape).value_or(INT64_MAX);
}

Integers row_major(const Shape& shape) {
  Integers strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Strides that read a tensor as if it had been broadcast to `shape`.
std::optional<Integers> broadcast_strides(const Shape& from, const Shape& shape) {
  if (from.size() > shape.size()) return std::nullopt;
  const Integers own = row_major(from);
  Integers strides(shape.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t place = shape.size() - from.size() + i;
    if (from[i] == shape[place]) {
      strides[place] = from[i] == 1 ? 0 : own[i];
    } else if (from[i] != 1) {
      return std::nullopt;
    }
  }
  return strides;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    shape[shape.size() - 1 - i] = x == 1 ? y : x;
  }
  return shape;
}

std::size_t place(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

Folded same_bytes(const Tensor& from, Shape shape) {
  return {from.dtype, std::move(shape), from.constant->bytes, from.constant};
}

std::optional<Folded> reshaped(const Tensor& from, Integers wanted) {
  std::int64_t rest = 1, open = -1;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < 0) {
      open = static_cast<std::int64_t>(i);
    } else {
      rest *= wanted[i];
    }
  }
  if (open >= 0 && rest > 0) wanted[static_cast<std::size_t>(open)] = count_of(from.shape) / rest;
  if (count_of(wanted) != count_of(from.shape)) return std::nullopt;
  return same_bytes(from, std::move(wanted));
}

std::optional<Folded> sliced(const std::vector<Tensor>& inputs) {
  const Tensor& from = inputs[0];
  const auto starts = integers_of(inputs[1]), ends = integers_of(inputs[2]);
  const auto axes = inputs.size() > 3 ? integers_of(inputs[3]) : std::nullopt;
  const auto steps = inputs.size() > 4 ? integers_of(inputs[4]) : std::nullopt;
  if (!starts || !ends || !axes) return std::nullopt;
  Shape shape = from.shape;
  Integers strides = row_major(from.shape);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::size_t at = place((*axes)[i], shape.size());
    const std::int64_t size = from.shape[at], step = steps ? (*steps)[i] : 1;
    const auto from_end = [&](std::int64_t index) { return index < 0 ? index + size : index; };
    const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    const std::int64_t first = std::clamp<std::int64_t>(from_end((*starts)[i]), 0, std::max<std::int64_t>(high, 0));
    const std::int64_t last = std::clamp(from_end((*ends)[i]), low, std::max(high, low));
    const std::int64_t distance = step > 0 ? last - first : first - last, stride = std::abs(step);
    shape[at] = distance <= 0 || size == 0 ? 0 : (distance + stride - 1) / stride;
    begin += first * strides[at];
    strides[at] *= step;
  }
  return moved(from, shape, strides, begin);
}

std::optional<Folded> concatenated(const std::vector<Tensor>& inputs, std::int64_t axis) {
  const std::size_t at = place(axis, inputs[0].shape.size());
  Shape shape = inputs[0].shape;
  for (const Tensor& each : inputs) {
    Shape other = each.shape;
    if (at >= other.size() || other.size() != shape.size() || each.dtype != inputs[0].dtype) return std::nullopt;
    other[at] = shape[at];
    if (other != shape) return std::nullopt;
  }
  shape[at] = 0;
  for (const Tensor& each : inputs) shape[at] += each.shape[at];
  const std::size_t size = aten::scalar_type_size_bytes(inputs[0].dtype);
  const auto blocks = static_cast<std::size_t>(count_of(Shape(shape.begin(), shape.begin() + static_cast<long>(at))));
  auto bytes = std::make_shared<std::vector<std::byte>>();
  bytes->reserve(static_cast<std::size_t>(count_of(shape)) * size);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (const Tensor& each : inputs) {
      const std::size_t length = static_cast<std::size_t>(count_of(each.shape)) / blocks * size;
      const std::byte* const part = each.constant->bytes.data() + block * length;
      bytes->insert(bytes->end(), part, part + length);
    }
  }
  return Folded{inputs[0].dtype, shape, *bytes, bytes};
}

std::optional<Folded> gathered(const Tensor& from, const Tensor& indices, std::int64_t axis) {
  const auto wanted = integers_of(indices);
  if (!wanted) return std::nullopt;
  const std::size_t at = place(axis, from.shape.size());
  const auto middle = from.shape.begin() + static_cast<long>(at);
  Shape shape(from.shape.begin(), middle);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), middle + 1, from.shape.end());
  const std::size_t size = aten::scalar_type_size_bytes(from.dtype);
  const auto outer = static_cast<std::size_t>(count_of(Shape(from.shape.begin(), middle)));
  const std::size_t inner = static_cast<std::size_t>(count_of(Shape(middle + 1, from.shape.end()))) * size;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  for (std::size_t block = 0; block < outer; ++block) {
    for (std::int64_t index : *wanted) {
      if (index < 0) index += from.shape[at];
      if (index < 0 || index >= from.shape[at]) return std::nullopt;
      const std::byte* const part =
          from.constant->bytes.data() +
          (block * static_cast<std::size_t>(from.shape[at]) + static_cast<std::size_t>(index)) * inner;
      bytes->insert(bytes->end(), part, part + inner);
    }
  }
  return Folded{from.dtype, shape, *bytes, bytes};
}

std::optional<Folded> fold_movement(const std::string& op_type, const std::vector<Tensor>& inputs,
                                    const Attributes& attributes) {
  const Tensor& from = inputs[0];
  if (op_type == "Reshape") {
    const auto wanted = integers_of(inputs[1]);
    return wanted ? reshaped(from, *wanted) : std::nullopt;
  }
  if (op_type == "Unsqueeze" || op_type == "Squeeze") {
    const auto axes = integers_of(inputs[1]);
    if (!axes) return std::nullopt;
    const std::size_t rank = op_type == "Unsqueeze" ? from.shape.size() + axes->size() : from.shape.size();
    std::vector<bool> is_named(rank, false);
    for (const std::int64_t axis : *axes) {
      if (place(axis, rank) >= rank || is_named[place(axis, rank)]) return std::nullopt;
      is_named[place(axis, rank)] = true;
    }
    Shape shape;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      if (op_type == "Unsqueeze") {
        shape.push_back(is_named[i] ? 1 : from.shape[next++]);
      } else if (!is_named[i]) {
        shape.push_back(from.shape[i]);
      }
    }
    return same_bytes(from, shape);
  }
  if (count_of(from.shape) > kMostMoved) return std::nullopt;
  if (op_type == "Transpose") {
    const auto* const permutation = attribute<Integers>(attributes, "perm");
    const Integers own = row_major(from.shape);
    Shape shape;
    Integers strides;
    for (const std::int64_t axis : *permutation) {
      shape.push_back(from.shape[static_cast<std::size_t>(axis)]);
      strides.push_back(own[static_cast<std::size_t>(axis)]);
    }
    return moved(from, shape, strides);
  }
  if (op_type == "Slice") return sliced(inputs);
  if (count_of(from.shape) > kMostComputed) return std::nullopt;
  if (op_type == "Concat") return concatenated(inputs, *attribute<std::int64_t>(attributes, "axis"));
  if (op_type == "Gather") {
    const auto* const axis = attribute<std::int64_t>(attributes, "axis");
    return gathered(from, inputs[1], axis == nullptr ? 0 : *axis);
  }
  if (op_type == "Expand") {
    const auto wanted = integers_of(inputs[1]);
    const auto shape = wanted ? broadcast(from.shape, *wanted) : std::nullopt;
    if (!shape || count_of(*shape) > kMostComputed) return std::nullopt;
    return moved(from, *shape, *broadcast_strides(from.shape, *shape));
  }
  return std::nullopt;
}

// Arithmetic. ----------------------------------------------------------------------------------------------------

struct Numbers {
  bool is_real = false;
  std::vector<double> reals;
  Integers integers;
};

template <typename T, typename To>
void read_as(std::span<const std::byte> bytes, std::vector<To>& out) {
  for (To& each : out) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    each = static_cast<To>(value);
    bytes = bytes.subspan(sizeof(T));
  }
}

std::optional<Numbers> numbers_of(const Tensor& from) {
  Numbers numbers;
  const auto count = static_cast<std::size_t>(count_of(from.shape));
  numbers.is_real = from.dtype == ScalarType::kFloat32 || from.dtype == ScalarType::kFloat64;
  if (numbers.is_real) {
    numbers.reals.resize(count);
  } else {
    numbers.integers.resize(count);
  }
  const auto bytes = from.constant->bytes;
  switch (from.dtype) {
    case ScalarType::kFloat32:
      read_as<float>(bytes, numbers.reals);
      return numbers;
    case ScalarType::kFloat64:
      read_as<double>(bytes, numbers.reals);
      return numbers;
    case ScalarType::kInt64:
      read_as<std::int64_t>(bytes, numbers.integers);
      return numbers;
    case ScalarType::kInt32:
      read_as<std::int32_t>(bytes, numbers.integers);
      return numbers;
    case ScalarType::kInt16:
      read_as<std::int16_t>(bytes, numbers.integers);
      return numbers;
    case ScalarType::kInt8:
      read_as<std::int8_t>(bytes, numbers.integers);
      return numbers;
    case ScalarType::kUint8:
    case ScalarType::kBool:
      read_as<std::uint8_t>(bytes, numbers.integers);
      return numbers;
    default:
      return std::nullopt;
  }
}

template <typename T, typename From>
void write_as(const std::vector<From>& values, std::vector<std::byte>& out) {
  out.resize(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(out.data() + i * sizeof(T), &value, sizeof(T));
  }
}

std::optional<Folded> packed(ScalarType dtype, const Shape& shape, const Numbers& numbers) {
  auto bytes = std::make_shared<std::vector<std::byte>>();
  switch (dtype) {
    case ScalarType::kFloat32:
      write_as<float>(numbers.reals, *bytes);
      break;
    case ScalarType::kFloat64:
      write_as<double>(numbers.reals, *bytes);
      break;
    case ScalarType::kInt64:
      write_as<std::int64_t>(numbers.integers, *bytes);
      break;
    case ScalarType::kInt32:
      write_as<std::int32_t>(numbers.integers, *bytes);
      break;
    case ScalarType::kInt16:
      write_as<std::int16_t>(numbers.integers, *bytes);
      break;
    case ScalarType::kInt8:
      write_as<std::int8_t>(numbers.integers, *bytes);
      break;
    case ScalarType::kUint8:
    case ScalarType::kBool:
      write_as<std::uint8_t>(numbers.integers, *bytes);
      break;
    default:
      return std::nullopt;
  }
  return Folded{dtype, shape, *bytes, bytes};
}

using OfReals = double (*)(double, double);
using OfIntegers = std::optional<std::int64_t> (*)(std::int64_t, std::int64_t);

template <typename Compute>
constexpr OfIntegers checked(Compute) {
  return [](std::int64_t a, std::int64_t b) -> std::optional<std::int64_t> {
    std::int64_t result = 0;
    return Compute{}(a, b, result) ? std::nullopt : std::optional(result);
  };
}

struct Binary {
  OfReals reals;
  OfIntegers integers;
  bool gives_bool = false;
};

const std::unordered_map<std::string, Binary>& binaries() {
  const auto add = [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_add_overflow(a, b, &r); };
  const auto subtract = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
    return __builtin_sub_overflow(a, b, &r);
  };
  const auto multiply = [](std::int64_t a, std::int64_t b, std::int64_t& r) {
    return __builtin_mul_overflow(a, b, &r);
  };
  const auto divide = [](std::int64_t a, std::int64_t b) -> std::optional<std::int64_t> {
    return b == 0 || b == -1 ? std::nullopt : std::optional(a / b);
  };
  // Of the divisor's sign, as ONNX has it without fmod=1.
  const auto modulo = [](std::int64_t a, std::int64_t b) -> std::optional<std::int64_t> {
    if (b == 0 || b == -1) return std::nullopt;
    const std::int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  };
  static const std::unordered_map<std::string, Binary> table = {
      {"Add", {[](double a, double b) { return a + b; }, checked(add)}},
      {"Sub", {[](double a, double b) { return a - b; }, checked(subtract)}},
      {"Mul", {[](double a, double b) { return a * b; }, checked(multiply)}},
      {"Div", {[](double a, double b) { return a / b; }, divide}},
      {"Mod", {nullptr, modulo}},
      {"Pow", {[](double a, double b) { return std::pow(a, b); }, nullptr}},
      {"Equal",
       {[](double a, double b) { return double(a == b); },
        [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a == b); }, true}},
      {"Less",
       {[](double a, double b) { return double(a < b); },
        [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a < b); }, true}},
      {"LessOrEqual",
       {[](double a, double b) { return double(a <= b); },
        [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a <= b); }, true}},
      {"Greater",
       {[](double a, double b) { return double(a > b); },
        [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a > b); }, true}},
      {"GreaterOrEqual",
       {[](double a, double b) { return double(a >= b); },
        [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a >= b); }, true}},
      {"And", {nullptr, [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a & b); }, true}},
      {"Or", {nullptr, [](std::int64_t a, std::int64_t b) { return std::optional<std::int64_t>(a | b); }, true}},
      {"Max",
       {[](double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); },
        [](std::int64_t a, std::int64_t b) { return std::optional(std::max(a, b)); }}},
      {"Min",
       {[](double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b); },
        [](std::int64_t a, std::int64_t b) { return std::optional(std::min(a, b)); }}},
  };
  return table;
}

const std::unordered_map<std::string, double (*)(double)>& unaries() {
  static const std::unordered_map<std::string, double (*)(double)> table = {
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::abs(x); }},
  };
  return table;
}

std::optional<Folded> fold_binary(const Binary& rule, const Tensor& a, const Tensor& b) {
  const auto shape = broadcast(a.shape, b.shape);
  if (!shape || count_of(*shape) > kMostComputed || a.dtype != b.dtype) return std::nullopt;
  const auto x = numbers_of(a), y = numbers_of(b);
  if (!x || !y || (x->is_real ? rule.reals == nullptr : rule.integers == nullptr)) return std::nullopt;
  // Elements that broadcasting takes, as places in row-major order.
  const auto places = [&](const Tensor& from) {
    Tensor counted{ScalarType::kInt64, from.shape, nullptr, nullptr};
    Integers order(static_cast<std::size_t>(count_of(from.shape)));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    counted.constant = std::make_shared<Constant>(Constant{"", std::as_bytes(std::span(order)), nullptr});
    const Folded expanded = moved(counted, *shape, *broadcast_strides(from.shape, *shape));
    Integers expanded_order(static_cast<std::size_t>(count_of(*shape)));
    read_as<std::int64_t>(expanded.bytes, expanded_order);
    return expanded_order;
  };
  const Integers from_a = places(a), from_b = places(b);
  Numbers result;
  result.is_real = x->is_real && !rule.gives_bool;
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    const auto p = static_cast<std::size_t>(from_a[i]), q = static_cast<std::size_t>(from_b[i]);
    if (x->is_real) {
      const double value = rule.reals(x->reals[p], y->reals[q]);
      if (rule.gives_bool) {
        result.integers.push_back(value != 0);
      } else {
        result.reals.push_back(value);
      }
    } else {
      const auto value = rule.integers(x->integers[p], y->integers[q]);
      if (!value) return std::nullopt;
      result.integers.push_back(*value);
    }
  }
  return packed(rule.gives_bool ? ScalarType::kBool : a.dtype, *shape, result);
}

std::optional<Folded> fold_cast(const Tensor& from, const Attributes& attributes) {
  const auto* const to = attribute<std::int64_t>(attributes, "to");
  const auto dtype = compile::onnx_graph::dtype_of_element_type(static_cast<int>(*to));
  auto numbers = numbers_of(from);
  if (!dtype || !numbers) return std::nullopt;
  const ScalarType type = aten::scalar_type_of(*dtype);
  const bool is_real = type == ScalarType::kFloat32 || type == ScalarType::kFloat64;
  if (is_real && !numbers->is_real) {
    numbers->reals.assign(numbers->integers.begin(), numbers->integers.end());
  } else if (!is_real && numbers->is_real) {
    for (const double real : numbers->reals) {
      if (type != ScalarType::kBool && !(std::abs(real) < 9e18)) return std::nullopt;  // what it gives is undefined
      numbers->integers.push_back(type == ScalarType::kBool ? real != 0 : static_cast<std::int64_t>(real));
    }
  } else if (type == ScalarType::kBool) {
    for (std::int64_t& integer : numbers->integers) integer = integer != 0;
  }
  return packed(type, from.shape, *numbers);
}

std::optional<Folded> fold_where(const std::vector<Tensor>& inputs) {
  const auto both = broadcast(inputs[1].shape, inputs[2].shape);
  const auto shape = both ? broadcast(*both, inputs[0].shape) : std::nullopt;
  if (!shape || count_of(*shape) > kMostComputed || inputs[1].dtype != inputs[2].dtype) return std::nullopt;
  const Folded condition = moved(inputs[0], *shape, *broadcast_strides(inputs[0].shape, *shape));
  const Folded yes = moved(inputs[1], *shape, *broadcast_strides(inputs[1].shape, *shape));
  const Folded no = moved(inputs[2], *shape, *broadcast_strides(inputs[2].shape, *shape));
  const std::size_t size = aten::scalar_type_size_bytes(yes.dtype);
  auto bytes = std::make_shared<std::vector<std::byte>>(yes.bytes.size());
  for (std::size_t i = 0; i < condition.bytes.size(); ++i) {
    const auto& from = condition.bytes[i] != std::byte{0} ? yes : no;
    std::memcpy(bytes->data() + i * size, from.bytes.data() + i * size, size);
  }
  return Folded{yes.dtype, *shape, *bytes, bytes};
}

}  // namespace

std::optional<Folded> fold(const std::string& op_type, const std::vector<Tensor>& inputs,
                           const Attributes& attributes) {
  if (inputs.empty()) return std::nullopt;
  if (!std::ranges::all_of(inputs, [](const Tensor& each) { return each.constant != nullptr; })) return std::nullopt;
  if (auto folded = fold_movement(op_type, inputs, attributes)) return folded;
  if (count_of(inputs[0].shape) > kMostComputed) return std::nullopt;
  if (op_type == "Cast") return fold_cast(inputs[0], attributes);
  if (op_type == "Where") return fold_where(inputs);
  if (op_type == "Mod" && attribute<std::int64_t>(attributes, "fmod") != nullptr) return std::nullopt;
  if (const auto rule = binaries().find(op_type); rule != binaries().end() && inputs.size() == 2) {
    return fold_binary(rule->second, inputs[0], inputs[1]);
  }
  if (op_type == "Not") {
    auto numbers = numbers_of(inputs[0]);
    if (!numbers) return std::nullopt;
    for (std::int64_t& each : numbers->integers) each = each == 0;
    return packed(ScalarType::kBool, inputs[0].shape, *numbers);
  }
  if (const auto rule = unaries().find(op_type); rule != unaries().end()) {
    auto numbers = numbers_of(inputs[0]);
    if (!numbers || !numbers->is_real) return std::nullopt;
    for (double& each : numbers->reals) each = rule->second(each);
    return packed(inputs[0].dtype, inputs[0].shape, *numbers);
  }
  return std::nullopt;
}

}  // namespace slipway::convert::operators::internal
