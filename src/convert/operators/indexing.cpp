#include <algorithm>
#include <array>

#include "convert/operators/internal/families.hpp"

/// Reading and writing elements by their places.
namespace slipway::convert::operators::internal {
namespace {

Tensor indices(Call& call, const Tensor& given) {
  return given.dtype == ScalarType::kInt64 || given.dtype == ScalarType::kInt32 ? given
                                                                                : call.cast(given, ScalarType::kInt64);
}

/// The places where a constant mask holds, one list for each of its axes.
std::optional<std::vector<Tensor>> places_of(Call& call, const Tensor& mask) {
  const auto held = integers_of(mask);
  if (!held) return std::nullopt;
  std::vector<Integers> places(mask.shape.size());
  for (std::size_t i = 0; i < held->size(); ++i) {
    if ((*held)[i] == 0) continue;
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t axis = mask.shape.size(); axis-- > 0;) {
      places[axis].push_back(rest % mask.shape[axis]);
      rest /= mask.shape[axis];
    }
  }
  std::vector<Tensor> tensors;
  for (const Integers& each : places) tensors.push_back(call.builder().integers(each));
  return tensors;
}

/// What stands in x[…]: the axes with lists of places, and those lists, broadcast against each other.
struct Index {
  Integers axes;
  std::vector<Tensor> places;
  bool is_adjacent = true;
};

Index index_of(Call& call, const Tensor& x) {
  Index index;
  const auto* const list = call.operand("indices").get<Operands>();
  if (list == nullptr) refuse("'indices' must be a list");
  std::int64_t axis = 0;
  for (const Operand& each : *list) {
    if (each.is_none()) {
      ++axis;
      continue;
    }
    const auto* const tensor = each.get<Tensor>();
    if (tensor == nullptr) refuse("'indices' must hold tensors, found {}", describe(each));
    if (tensor->dtype != ScalarType::kBool && tensor->dtype != ScalarType::kUint8) {
      index.axes.push_back(axis++);
      index.places.push_back(indices(call, *tensor));
      continue;
    }
    const auto places = places_of(call, *tensor);
    if (!places) refuse("a mask that the graph computes selects a number of elements that is known only when it runs");
    for (const Tensor& place : *places) {
      index.axes.push_back(axis++);
      index.places.push_back(place);
    }
  }
  if (index.axes.empty() || axis > x.rank()) refuse("the indices do not fit a tensor of rank {}", x.rank());
  for (std::size_t i = 1; i < index.axes.size(); ++i) {
    index.is_adjacent = index.is_adjacent && index.axes[i] == index.axes[i - 1] + 1;
  }
  return index;
}

/// The axes that are indexed first, then the others.
Integers indexed_first(const Index& index, const Tensor& x) {
  Integers order = index.axes;
  for (const std::int64_t axis : counted(x.rank())) {
    if (std::ranges::find(index.axes, axis) == index.axes.end()) order.push_back(axis);
  }
  return order;
}

Integers inverse(const Integers& permutation) {
  Integers turned(permutation.size());
  for (std::size_t i = 0; i < permutation.size(); ++i)
    turned[static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
  return turned;
}

/// The lists side by side along a new last axis, broadcast to one shape.
Tensor side_by_side(Call& call, const Index& index) {
  std::size_t rank = 0;
  for (const Tensor& each : index.places) rank = std::max(rank, each.shape.size());
  Shape shape(rank, 1);
  for (const Tensor& each : index.places) {
    for (std::size_t i = 0; i < each.shape.size(); ++i) {
      std::int64_t& size = shape[rank - each.shape.size() + i];
      if (each.shape[i] < 0) refuse("sizes of indices must be known; fix the sizes of the inputs (--input-spec)");
      if (each.shape[i] != 1) size = each.shape[i];
    }
  }
  const std::vector<Operand> sizes(shape.begin(), shape.end());
  std::vector<Tensor> columns;
  for (const Tensor& each : index.places) {
    const Tensor wide = call.expand(call.cast(each, ScalarType::kInt64), sizes);
    columns.push_back(call.unsqueeze(wide, {static_cast<std::int64_t>(rank)}));
  }
  return call.concat(columns, static_cast<std::int64_t>(rank));
}

Operand index(Call& call) {
  const Tensor x = call.tensor("self");
  const Index index = index_of(call, x);
  if (index.axes.size() == 1) return call.add("Gather", {x, index.places.front()}, {{"axis", index.axes.front()}});
  const Tensor places = side_by_side(call, index);
  const std::int64_t rank = places.rank() - 1;
  const Tensor gathered = call.add("GatherND", {call.transpose(x, indexed_first(index, x)), places});
  if (!index.is_adjacent || index.axes.front() == 0) return gathered;
  // The places stand where the first indexed axis stood.
  const std::int64_t before = index.axes.front();
  Integers order;
  for (std::int64_t axis = 0; axis < before; ++axis) order.push_back(rank + axis);
  for (std::int64_t axis = 0; axis < rank; ++axis) order.push_back(axis);
  for (std::int64_t axis = rank + before; axis < gathered.rank(); ++axis) order.push_back(axis);
  return call.transpose(gathered, order);
}

Operand index_put(Call& call) {
  const Tensor x = call.tensor("self");
  const bool adds = call.flag("accumulate");
  Tensor values = call.cast(call.tensor("values"), x.dtype);
  const auto* const list = call.operand("indices").get<Operands>();
  // A mask with one value for all of it.
  if (list != nullptr && list->size() == 1 && !adds && tensor::element_count(values.shape) == 1) {
    const auto* const mask = list->front().get<Tensor>();
    if (mask != nullptr && mask->dtype == ScalarType::kBool) {
      Integers axes;
      for (std::int64_t axis = mask->rank(); axis < x.rank(); ++axis) axes.push_back(axis);
      return call.add("Where", {call.unsqueeze(*mask, axes), call.reshape(values, {}), x});
    }
  }
  const Index index = index_of(call, x);
  const Tensor places = side_by_side(call, index);
  const Integers order = indexed_first(index, x);
  Shape shape(places.shape.begin(), places.shape.end() - 1);
  for (std::size_t i = index.axes.size(); i < order.size(); ++i)
    shape.push_back(x.shape.at(static_cast<std::size_t>(order[i])));
  if (!std::ranges::is_sorted(order) && index.is_adjacent && values.rank() > places.rank() - 1) {
    // Values come in the order of x; the indexed axes go to the front.
    const std::int64_t count = places.rank() - 1, before = index.axes.front();
    Integers turned;
    const std::int64_t rank = static_cast<std::int64_t>(shape.size());
    std::vector<Operand> sizes;
    for (std::int64_t axis = 0; axis < before; ++axis) sizes.push_back(shape[static_cast<std::size_t>(count + axis)]);
    for (std::int64_t axis = 0; axis < count; ++axis) sizes.push_back(shape.at(static_cast<std::size_t>(axis)));
    for (std::int64_t axis = count + before; axis < rank; ++axis)
      sizes.push_back(shape.at(static_cast<std::size_t>(axis)));
    values = call.expand(values, sizes);
    for (std::int64_t axis = 0; axis < count; ++axis) turned.push_back(before + axis);
    for (std::int64_t axis = 0; axis < rank; ++axis) {
      if (axis < before || axis >= before + count) turned.push_back(axis);
    }
    values = call.transpose(values, turned);
  } else {
    values = call.expand(values, std::vector<Operand>(shape.begin(), shape.end()));
  }
  const Tensor written = call.add("ScatterND", {call.transpose(x, order), places, values},
                                  adds ? Attributes{{"reduction", std::string("add")}} : Attributes{});
  return call.transpose(written, inverse(order));
}

Operand index_select(Call& call) {
  const Tensor x = call.tensor("self");
  if (x.shape.empty()) return x;
  Tensor places = indices(call, call.tensor("index"));
  if (places.shape.empty()) places = call.unsqueeze(places, {0});
  return call.add("Gather", {x, places}, {{"axis", call.axis("dim", x.rank())}});
}
Operand embedding(Call& call) {
  return call.add("Gather", {call.tensor("weight"), indices(call, call.tensor("indices"))},
                  {{"axis", std::int64_t{0}}});
}
Operand gather(Call& call) {
  const Tensor x = call.tensor("self"), places = indices(call, call.tensor("index"));
  if (x.shape.empty()) return x;
  return call.add("GatherElements", {x, places}, {{"axis", call.axis("dim", x.rank())}});
}
Operand gather_flat(Call& call) {
  const Tensor x = call.tensor("self");
  return call.add("Gather", {call.reshape(x, {-1}), indices(call, call.tensor("index"))}, {{"axis", std::int64_t{0}}});
}
Operand gather_along_axis(Call& call) {
  Tensor x = call.tensor("self");
  const Tensor places = indices(call, call.tensor("indices"));
  if (!call.has("dim")) {
    x = call.reshape(x, {-1});
    return call.add("GatherElements", {x, call.reshape(places, {-1})}, {{"axis", std::int64_t{0}}});
  }
  return call.add("GatherElements", {x, places}, {{"axis", call.axis("dim", x.rank())}});
}

Operand scattered(Call& call, const std::string& reduction) {
  const Tensor x = call.tensor("self"), places = indices(call, call.tensor("index"));
  Tensor values;
  if (call.has_parameter("src")) {
    values = call.cast(call.tensor("src"), x.dtype);
    // ATen reads only as many as there are places.
    for (std::size_t axis = 0; axis < places.shape.size(); ++axis) {
      values = call.slice(values, static_cast<std::int64_t>(axis), 0, places.shape[axis]);
    }
  } else {
    values = call.expand(call.number(call.operand("value"), x.dtype), call.sizes_of(places));
  }
  Attributes attributes = {{"axis", call.axis("dim", x.rank())}};
  if (!reduction.empty()) attributes.emplace_back("reduction", reduction);
  return call.add("ScatterElements", {x, places, values}, attributes);
}
Operand scatter(Call& call) {
  return scattered(call, "");
}
Operand scatter_add(Call& call) {
  return scattered(call, "add");
}
Operand scatter_reduce(Call& call) {
  const std::string reduce = call.text("reduce");
  if (!call.flag("include_self")) refuse("include_self must be true");
  if (reduce == "sum") return scattered(call, "add");
  if (reduce == "prod") return scattered(call, "mul");
  if (reduce == "amax") return scattered(call, "max");
  if (reduce == "amin") return scattered(call, "min");
  refuse("reduce must be 'sum', 'prod', 'amax' or 'amin', found '{}'", reduce);
}

/// x with `part` in place of what lies from begin to end on an axis.
Tensor with_part(Call& call, const Tensor& x, const Tensor& part, std::int64_t axis, std::int64_t begin,
                 std::int64_t end) {
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  std::vector<Tensor> parts;
  if (begin > 0) parts.push_back(call.slice(x, axis, 0, begin));
  parts.push_back(part);
  if (end < size) parts.push_back(call.slice(x, axis, end, size));
  return call.concat(parts, axis);
}
std::int64_t known_size(const Tensor& x, std::int64_t axis) {
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  if (size < 0) refuse("the size of axis {} must be known; fix the sizes of the inputs (--input-spec)", axis);
  return size;
}
Operand select_scatter(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis);
  const std::int64_t given = call.integer("index"), place = given < 0 ? given + size : given;
  if (place < 0 || place >= size) refuse("index {} lies outside of axis {} of size {}", given, axis, size);
  Shape shape = x.shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const Tensor part =
      call.expand(call.cast(call.tensor("src"), x.dtype), std::vector<Operand>(shape.begin(), shape.end()));
  return with_part(call, x, call.unsqueeze(part, {axis}), axis, place, place + 1);
}
Operand slice_scatter(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis), step = call.integer("step");
  const auto bound = [&](std::string_view name, std::int64_t otherwise) {
    std::int64_t at = call.has(name) ? call.integer(name) : otherwise;
    if (at < 0) at += size;
    return std::clamp<std::int64_t>(at, 0, size);
  };
  const std::int64_t begin = bound("start", 0), end = std::max(begin, bound("end", size));
  Shape shape = x.shape;
  shape.at(static_cast<std::size_t>(axis)) = (end - begin + step - 1) / step;
  if (shape.at(static_cast<std::size_t>(axis)) == 0) return x;
  const Tensor part =
      call.expand(call.cast(call.tensor("src"), x.dtype), std::vector<Operand>(shape.begin(), shape.end()));
  if (step == 1) return with_part(call, x, part, axis, begin, end);
  Integers places, order = counted(x.rank());
  for (std::int64_t at = begin; at < end; at += step) places.push_back(at);
  std::swap(order[0], order[static_cast<std::size_t>(axis)]);
  const Tensor rows = call.unsqueeze(call.builder().integers(places), {1});
  const Tensor written = call.add("ScatterND", {call.transpose(x, order), rows, call.transpose(part, order)});
  return call.transpose(written, order);
}
Operand one_hot(Call& call) {
  const std::int64_t classes = call.integer("num_classes");
  if (classes < 1) refuse("'num_classes' must be known, found {}", classes);
  const Tensor x = call.tensor("self");
  const Tensor equal = call.add("Equal", {call.unsqueeze(x, {x.rank()}), call.builder().integers(counted(classes))});
  return call.cast(equal, ScalarType::kInt64);
}
Operand index_add(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  Integers order = counted(x.rank());
  std::swap(order[0], order[static_cast<std::size_t>(axis)]);
  Tensor source = call.cast(call.tensor("source"), x.dtype);
  if (call.real("alpha") != 1) source = call.add("Mul", {source, call.number(call.operand("alpha"), x.dtype)});
  const Tensor rows = call.unsqueeze(call.cast(call.tensor("index"), ScalarType::kInt64), {1});
  return call.transpose(call.add("ScatterND", {call.transpose(x, order), rows, call.transpose(source, order)},
                                 {{"reduction", std::string("add")}}),
                        order);
}

constexpr auto kIndexingOperators = std::to_array<Operator>({
    {"aten.index.Tensor(Tensor self, Tensor?[] indices)", index},
    {"aten._unsafe_index.Tensor(Tensor self, Tensor?[] indices)", index},
    {"aten.index_put.default(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False)", index_put},
    {"aten.index_select.default(Tensor self, int dim, Tensor index)", index_select},
    {"aten.index_add.default(Tensor self, int dim, Tensor index, Tensor source, Scalar alpha=1)", index_add},
    {"aten.embedding.default(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool "
     "sparse=False)",
     embedding},
    {"aten.gather.default(Tensor self, int dim, Tensor index, bool sparse_grad=False)", gather},
    {"aten.take.default(Tensor self, Tensor index)", gather_flat},
    {"aten.take_along_dim.default(Tensor self, Tensor indices, int? dim=None)", gather_along_axis},
    {"aten.scatter.src(Tensor self, int dim, Tensor index, Tensor src)", scatter},
    {"aten.scatter.value(Tensor self, int dim, Tensor index, Scalar value)", scatter},
    {"aten.scatter_add.default(Tensor self, int dim, Tensor index, Tensor src)", scatter_add},
    {"aten.scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, bool include_self=True)",
     scatter_reduce},
    {"aten.select_scatter.default(Tensor self, Tensor src, int dim, int index)", select_scatter},
    {"aten.slice_scatter.default(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1)",
     slice_scatter},
    {"aten.one_hot.default(Tensor self, int num_classes=-1)", one_hot},
});

}  // namespace

std::span<const Operator> indexing_operators() {
  return kIndexingOperators;
}

}  // namespace slipway::convert::operators::internal
