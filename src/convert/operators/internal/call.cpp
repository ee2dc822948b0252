#include "convert/operators/internal/call.hpp"

#include <algorithm>
#include <numeric>

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::convert::operators::internal {
namespace {

std::optional<ScalarType> category_of(const Operand& operand) {
  if (operand.get<bool>() != nullptr) return ScalarType::kBool;
  if (operand.get<std::int64_t>() != nullptr) return ScalarType::kInt64;
  if (operand.get<double>() != nullptr) return ScalarType::kFloat32;
  if (const auto* const number = operand.get<Number>()) {
    return is_floating(number->tensor.dtype) ? ScalarType::kFloat32 : number->tensor.dtype;
  }
  return std::nullopt;
}

int width(ScalarType type) {
  return static_cast<int>(aten::scalar_type_size_bytes(type));
}

/// The type of two of equal standing.
ScalarType promoted(ScalarType a, ScalarType b) {
  if (a == b) return a;
  if (is_floating(a) || is_floating(b)) {
    if (!is_floating(a)) return b;
    if (!is_floating(b)) return a;
    if (width(a) == width(b)) return ScalarType::kFloat32;  // float16 and bfloat16
    return width(a) > width(b) ? a : b;
  }
  if (a == ScalarType::kBool) return b;
  if (b == ScalarType::kBool) return a;
  const bool has_byte = a == ScalarType::kUint8 || b == ScalarType::kUint8;
  if (has_byte && width(a) == width(b)) return ScalarType::kInt16;
  return width(a) > width(b) ? a : b;
}

/// What a higher and a lower category give together: tensors before tensors of rank 0 before numbers.
std::optional<ScalarType> combined(std::optional<ScalarType> higher, std::optional<ScalarType> lower) {
  if (!higher || !lower) return higher ? higher : lower;
  if (is_floating(*higher)) return higher;
  if (*higher == ScalarType::kBool || is_floating(*lower)) return promoted(*higher, *lower);
  return higher;
}

}  // namespace

bool is_floating(ScalarType type) {
  return type == ScalarType::kFloat16 || type == ScalarType::kFloat32 || type == ScalarType::kFloat64 ||
         type == ScalarType::kBfloat16;
}

ScalarType promoted(const std::vector<const Operand*>& operands) {
  std::optional<ScalarType> tensors, scalars, numbers;
  const auto join = [](std::optional<ScalarType>& into, ScalarType type) {
    into = into ? promoted(*into, type) : type;
  };
  for (const Operand* const operand : operands) {
    const auto* const tensor = operand->get<Tensor>();
    if (tensor != nullptr && tensor->is_number) {
      join(numbers, is_floating(tensor->dtype) ? ScalarType::kFloat32 : tensor->dtype);
    } else if (tensor != nullptr) {
      join(tensor->shape.empty() ? scalars : tensors, tensor->dtype);
    } else if (const auto category = category_of(*operand)) {
      join(numbers, *category);
    }
  }
  return combined(tensors, combined(scalars, numbers)).value_or(ScalarType::kFloat32);
}

std::int64_t from_front(std::int64_t axis, std::int64_t rank) {
  const std::int64_t axes = std::max<std::int64_t>(rank, 1);
  if (axis < -axes || axis >= axes) refuse("axis {} lies outside of a tensor of rank {}", axis, rank);
  return axis < 0 ? axis + axes : axis;
}

Integers counted(std::int64_t count) {
  constexpr std::int64_t kMost = 1 << 24;
  if (count < 0 || count > kMost) refuse("{} places are more than are laid out ({})", count, kMost);
  Integers numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

std::string describe(const Operand& operand) {
  if (operand.is_none()) return "none";
  if (const auto* const each = operand.get<Tensor>()) return "the tensor " + aten::to_string({each->dtype, {}});
  if (operand.get<Number>() != nullptr) return "a number that the graph computes";
  if (const auto* const each = operand.get<std::int64_t>()) return fmt::format("the number {}", *each);
  if (const auto* const each = operand.get<double>()) return fmt::format("the number {}", *each);
  if (const auto* const each = operand.get<bool>()) return *each ? "true" : "false";
  if (const auto* const each = operand.get<std::string>()) return fmt::format("'{}'", *each);
  if (operand.get<Operands>() != nullptr) return "a list";
  return "a setting";
}

const Operand& Call::operand(std::string_view name) const {
  for (std::size_t i = 0; i < schema_.parameters.size(); ++i) {
    if (schema_.parameters[i].name == name) return arguments_[i];
  }
  refuse("it has no parameter '{}'", name);
}

bool Call::has_parameter(std::string_view name) const {
  return std::ranges::find(schema_.parameters, name, &Parameter::name) != schema_.parameters.end();
}

bool Call::has(std::string_view name) const {
  return has_parameter(name) && !operand(name).is_none();
}

Tensor Call::tensor(std::string_view name) const {
  const Operand& given = operand(name);
  if (const auto* const tensor = given.get<Tensor>()) return *tensor;
  if (const auto category = category_of(given)) return number(given, *category);
  refuse("'{}' must be a tensor, found {}", name, describe(given));
}

std::vector<Tensor> Call::tensors(std::string_view name) const {
  const auto* const list = operand(name).get<Operands>();
  if (list == nullptr) refuse("'{}' must be a list of tensors, found {}", name, describe(operand(name)));
  if (list->empty()) refuse("'{}' is empty", name);
  std::vector<Tensor> tensors;
  for (const Operand& each : *list) {
    if (const auto* const tensor = each.get<Tensor>()) {
      tensors.push_back(*tensor);
    } else if (const auto category = category_of(each)) {
      tensors.push_back(number(each, *category));
    } else {
      refuse("'{}' must hold tensors, found {}", name, describe(each));
    }
  }
  return tensors;
}

std::int64_t Call::integer(std::string_view name) const {
  const Operand& given = operand(name);
  if (const auto* const integer = given.get<std::int64_t>()) return *integer;
  if (const auto* const flag = given.get<bool>()) return *flag ? 1 : 0;
  if (const auto* const tensor = given.get<Tensor>()) {
    if (const auto value = integers_of(*tensor); value && value->size() == 1) return value->front();
  }
  if (given.get<Number>() != nullptr) {
    refuse("'{}' is known only when the model runs; fix the sizes of the inputs (--input-spec)", name);
  }
  refuse("'{}' must be an integer, found {}", name, describe(given));
}

double Call::real(std::string_view name) const {
  const Operand& given = operand(name);
  if (const auto* const real = given.get<double>()) return *real;
  if (const auto* const tensor = given.get<Tensor>()) {
    if (const auto value = scalar_of(*tensor)) return *value;
  }
  return static_cast<double>(integer(name));
}

bool Call::flag(std::string_view name) const {
  return integer(name) != 0;
}

std::string Call::text(std::string_view name) const {
  if (const auto* const text = operand(name).get<std::string>()) return *text;
  refuse("'{}' must be a string, found {}", name, describe(operand(name)));
}

std::optional<ScalarType> Call::dtype(std::string_view name) const {
  const Operand& given = operand(name);
  if (given.is_none()) return std::nullopt;
  if (const auto* const type = given.get<ScalarType>()) return *type;
  const auto type = aten::scalar_type_of_number(integer(name));
  if (!type) refuse("'{}' is a type that is not read: number {}", name, integer(name));
  return type;
}

Integers Call::integers(std::string_view name, std::size_t count) const {
  const Operand& given = operand(name);
  Integers integers;
  if (const auto* const list = given.get<Operands>()) {
    for (const Operand& each : *list) {
      const auto* const integer = each.get<std::int64_t>();
      if (integer == nullptr) refuse("'{}' must hold integers, found {}", name, describe(each));
      integers.push_back(*integer);
    }
  } else {
    integers.push_back(integer(name));
  }
  if (count > 0 && integers.size() == 1) integers.resize(count, integers.front());
  if (count > 0 && integers.size() != count)
    refuse("'{}' must hold {} integers, found {}", name, count, integers.size());
  return integers;
}

std::vector<double> Call::reals(std::string_view name) const {
  const auto* const list = operand(name).get<Operands>();
  if (list == nullptr) return {real(name)};
  std::vector<double> reals;
  for (const Operand& each : *list) {
    if (const auto* const real = each.get<double>()) {
      reals.push_back(*real);
    } else if (const auto* const integer = each.get<std::int64_t>()) {
      reals.push_back(static_cast<double>(*integer));
    } else {
      refuse("'{}' must hold numbers, found {}", name, describe(each));
    }
  }
  return reals;
}

std::vector<Operand> Call::sizes(std::string_view name) const {
  if (const auto* const list = operand(name).get<Operands>()) return *list;
  return {operand(name)};
}

std::int64_t Call::axis(std::string_view name, std::int64_t rank) const {
  return from_front(integer(name), rank);
}

Tensor Call::cast(const Tensor& tensor, ScalarType to) const {
  if (tensor.dtype == to) return tensor;
  const auto dtype = aten::dtype_of(to);
  if (!dtype) refuse("ONNX has no tensors of {}", aten::scalar_type_name(to));
  return add("Cast", {tensor}, {{"to", std::int64_t{compile::onnx_graph::element_type_of_dtype(*dtype)}}});
}

Tensor Call::reshape(const Tensor& tensor, const Integers& shape) const {
  if (tensor.shape == shape && std::ranges::all_of(shape, [](std::int64_t size) { return size >= 0; })) return tensor;
  const bool has_zero = std::ranges::find(shape, 0) != shape.end();
  return add("Reshape", {tensor, builder_.integers(shape)},
             has_zero ? Attributes{{"allowzero", std::int64_t{1}}} : Attributes{});
}

Tensor Call::transpose(const Tensor& tensor, const Integers& permutation) const {
  Integers sorted = permutation;
  std::ranges::sort(sorted);
  if (sorted != counted(tensor.rank())) refuse("the axes are no order of those of a tensor of rank {}", tensor.rank());
  if (sorted == permutation) return tensor;
  return add("Transpose", {tensor}, {{"perm", permutation}});
}

Tensor Call::unsqueeze(const Tensor& tensor, const Integers& axes) const {
  return axes.empty() ? tensor : add("Unsqueeze", {tensor, builder_.integers(axes)});
}

Tensor Call::squeeze(const Tensor& tensor, const Integers& axes) const {
  return axes.empty() ? tensor : add("Squeeze", {tensor, builder_.integers(axes)});
}

Tensor Call::slice(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t end,
                   std::int64_t step) const {
  const std::int64_t size = tensor.shape.at(static_cast<std::size_t>(axis));
  if (begin == 0 && step == 1 && (end == INT64_MAX || (size >= 0 && end >= size))) return tensor;
  return add("Slice", {tensor, builder_.integers({begin}), builder_.integers({end}), builder_.integers({axis}),
                       builder_.integers({step})});
}

Tensor Call::concat(const std::vector<Tensor>& tensors, std::int64_t axis) const {
  return tensors.size() == 1 ? tensors.front() : add("Concat", tensors, {{"axis", axis}});
}

Tensor Call::reduce(const std::string& op_type, const Tensor& tensor, const Integers& axes, bool keepdim) const {
  if (tensor.shape.empty()) return tensor;
  return add(op_type, {tensor, builder_.integers(axes)}, {{"keepdims", std::int64_t{keepdim}}});
}

Operand Call::size_of(const Tensor& tensor, std::int64_t axis) const {
  const std::int64_t size = tensor.shape.at(static_cast<std::size_t>(axis));
  if (size >= 0) return size;
  const Tensor shape = add("Shape", {tensor});
  return Number{add("Gather", {shape, builder_.integer(axis)}, {{"axis", std::int64_t{0}}})};
}

std::vector<Operand> Call::sizes_of(const Tensor& tensor) const {
  std::vector<Operand> sizes;
  for (std::int64_t axis = 0; axis < tensor.rank(); ++axis) sizes.push_back(size_of(tensor, axis));
  return sizes;
}

std::optional<Integers> Call::known(const std::vector<Operand>& sizes) {
  Integers known;
  for (const Operand& size : sizes) {
    const auto* const integer = size.get<std::int64_t>();
    if (integer == nullptr) return std::nullopt;
    known.push_back(*integer);
  }
  return known;
}

Tensor Call::tensor_of_sizes(const std::vector<Operand>& sizes) const {
  if (const auto all = known(sizes)) return builder_.integers(*all);
  std::vector<Tensor> parts;
  for (const Operand& size : sizes) parts.push_back(unsqueeze(number(size, ScalarType::kInt64), {0}));
  return concat(parts, 0);
}

Tensor Call::number(const Operand& operand, ScalarType type) const {
  if (const auto* const real = operand.get<double>()) return builder_.number(type, *real);
  if (const auto* const integer = operand.get<std::int64_t>()) return builder_.number(type, *integer);
  if (const auto* const flag = operand.get<bool>()) return builder_.number(type, std::int64_t{*flag});
  if (const auto* const number = operand.get<Number>()) return cast(number->tensor, type);
  if (const auto* const tensor = operand.get<Tensor>()) return cast(*tensor, type);
  refuse("a number is expected, found {}", describe(operand));
}

Tensor Call::expand(const Tensor& tensor, const std::vector<Operand>& sizes) const {
  if (const auto all = known(sizes)) {
    if (*all == tensor.shape) return tensor;
  }
  return add("Expand", {tensor, tensor_of_sizes(sizes)});
}

}  // namespace slipway::convert::operators::internal
