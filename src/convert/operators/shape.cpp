#include <algorithm>
#include <array>

#include "convert/operators/internal/families.hpp"

/// What rearranges elements without looking at them: views, joins, parts, repetitions.
namespace slipway::convert::operators::internal {
namespace {

/// One size may be -1 and one may be computed by the graph: Reshape finds either.
Operand view(Call& call) {
  const Tensor x = call.tensor("self");
  std::vector<Operand> sizes = call.sizes(call.has_parameter("size") ? "size" : "shape");
  const auto computed = std::ranges::count_if(sizes, [](const Operand& size) { return size.get<Number>() != nullptr; });
  const bool has_rest = std::ranges::any_of(sizes, [](const Operand& size) {
    return size.get<std::int64_t>() != nullptr && *size.get<std::int64_t>() == -1;
  });
  if (computed == 1 && !has_rest) {
    for (Operand& size : sizes) {
      if (size.get<Number>() != nullptr) size = std::int64_t{-1};
    }
  }
  if (auto known = Call::known(sizes)) {
    const auto count = tensor::element_count(x.shape);
    const auto open = std::ranges::find(*known, -1);
    if (count && open != known->end()) {
      *open = 1;
      const auto rest = tensor::element_count(*known);
      if (!rest || (*rest == 0 ? *count != 0 : *count % *rest != 0)) refuse("{} elements do not fill it", *count);
      *open = *rest == 0 ? 0 : *count / *rest;
    }
    if (count && tensor::element_count(*known) != count && std::ranges::find(*known, -1) == known->end()) {
      refuse("a tensor of {} elements cannot be seen as one of [{}]", *count, fmt::join(*known, ","));
    }
    return call.reshape(x, *known);
  }
  return call.add("Reshape", {x, call.tensor_of_sizes(sizes)});
}
Operand view_as(Call& call) {
  const Tensor other = call.tensor("other");
  return call.add("Reshape", {call.tensor("self"), call.tensor_of_sizes(call.sizes_of(other))});
}

Tensor flattened(Call& call, const Tensor& x, std::int64_t first, std::int64_t last) {
  if (x.shape.empty()) return call.reshape(x, {1});
  std::vector<Operand> sizes;
  std::optional<std::int64_t> product = 1;
  for (std::int64_t axis = first; axis <= last; ++axis) {
    const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
    product = size < 0 || !product ? std::nullopt : std::optional(*product * size);
  }
  const auto others = std::ranges::count_if(x.shape, [](std::int64_t size) { return size < 0; });
  for (std::int64_t axis = 0; axis < x.rank(); ++axis) {
    if (axis == first) sizes.push_back(product.value_or(-1));
    if (axis >= first && axis <= last) continue;
    const bool is_only_open = product && others == 1 && x.shape.at(static_cast<std::size_t>(axis)) < 0;
    sizes.push_back(is_only_open ? Operand(std::int64_t{-1}) : call.size_of(x, axis));
  }
  if (const auto known = Call::known(sizes)) return call.reshape(x, *known);
  return call.add("Reshape", {x, call.tensor_of_sizes(sizes)});
}
Operand flatten(Call& call) {
  const Tensor x = call.tensor("self");
  return flattened(call, x, call.axis("start_dim", x.rank()), call.axis("end_dim", x.rank()));
}
Operand unflatten(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  std::vector<Operand> sizes;
  const auto open = std::ranges::count_if(x.shape, [](std::int64_t size) { return size < 0; });
  const std::vector<Operand> parts = call.sizes("sizes");
  bool has_rest = false;
  for (const Operand& part : parts) {
    const auto* const size = part.get<std::int64_t>();
    has_rest = has_rest || size == nullptr || *size < 0;
  }
  std::int64_t known = 1;
  for (const Operand& part : parts) {
    if (const auto* const size = part.get<std::int64_t>(); size != nullptr && *size >= 0) known *= *size;
  }
  for (std::int64_t at = 0; at < x.rank(); ++at) {
    if (at != axis) {
      const bool is_only_open = !has_rest && open == 1 && x.shape.at(static_cast<std::size_t>(at)) < 0;
      sizes.push_back(is_only_open ? Operand(std::int64_t{-1}) : call.size_of(x, at));
      continue;
    }
    for (Operand part : parts) {
      const auto* const size = part.get<std::int64_t>();
      const std::int64_t whole = x.shape.at(static_cast<std::size_t>(axis));
      if (size != nullptr && *size < 0 && whole >= 0 && known > 0) part = whole / known;
      sizes.push_back(part);
    }
  }
  if (const auto all = Call::known(sizes)) return call.reshape(x, *all);
  return call.add("Reshape", {x, call.tensor_of_sizes(sizes)});
}

Operand permute(Call& call) {
  const Tensor x = call.tensor("self");
  Integers axes = call.integers("dims");
  for (std::int64_t& axis : axes) axis = from_front(axis, x.rank());
  if (axes.size() != x.shape.size()) refuse("'dims' must hold {} axes, found {}", x.rank(), axes.size());
  return call.transpose(x, axes);
}
Tensor swapped(Call& call, const Tensor& x, std::int64_t a, std::int64_t b) {
  if (x.rank() < 2) return x;
  Integers axes = counted(x.rank());
  std::swap(axes[static_cast<std::size_t>(a)], axes[static_cast<std::size_t>(b)]);
  return call.transpose(x, axes);
}
Operand transpose(Call& call) {
  const Tensor x = call.tensor("self");
  const bool is_swap = call.has_parameter("axis0");
  return swapped(call, x, call.axis(is_swap ? "axis0" : "dim0", x.rank()),
                 call.axis(is_swap ? "axis1" : "dim1", x.rank()));
}
Operand transpose_two(Call& call) {
  const Tensor x = call.tensor("self");
  return swapped(call, x, 0, x.rank() - 1);
}
Operand transpose_last(Call& call) {
  const Tensor x = call.tensor("self");
  return swapped(call, x, x.rank() - 2, x.rank() - 1);
}
Operand move_axes(Call& call) {
  const Tensor x = call.tensor("self");
  const Integers from = call.integers("source"), to = call.integers("destination");
  Integers axes(x.shape.size(), -1);
  std::vector<bool> is_assigned(x.shape.size(), false);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t source = from_front(from[i], x.rank());
    axes[static_cast<std::size_t>(from_front(to[i], x.rank()))] = source;
    is_assigned[static_cast<std::size_t>(source)] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& axis : axes) {
    if (axis >= 0) continue;
    while (is_assigned[next]) ++next;
    axis = static_cast<std::int64_t>(next++);
  }
  return call.transpose(x, axes);
}

Operand unsqueeze(Call& call) {
  const Tensor x = call.tensor("self");
  return call.unsqueeze(x, {from_front(call.integer("dim"), x.rank() + 1)});
}
Operand squeeze(Call& call) {
  const Tensor x = call.tensor("self");
  Integers axes = call.has_parameter("dim") ? call.integers("dim") : counted(x.rank());
  Integers chosen;
  for (const std::int64_t axis : axes) {
    if (x.shape.empty()) continue;
    const std::int64_t at = from_front(axis, x.rank());
    // A size that is known only later stays, as the export that left it open assumed.
    if (x.shape.at(static_cast<std::size_t>(at)) == 1) chosen.push_back(at);
  }
  return call.squeeze(x, chosen);
}

Operand cat(Call& call) {
  std::vector<Tensor> tensors = call.tensors("tensors");
  // Empty tensors of rank 1 are left out, as ATen does.
  std::erase_if(tensors, [](const Tensor& each) { return each.shape == Shape{0}; });
  if (tensors.empty()) return call.tensors("tensors").front();
  std::vector<Operand> operands(tensors.begin(), tensors.end());
  std::vector<const Operand*> pointers;
  for (const Operand& each : operands) pointers.push_back(&each);
  const ScalarType type = promoted(pointers);
  for (Tensor& each : tensors) each = call.cast(each, type);
  return call.concat(tensors, from_front(call.integer("dim"), tensors.front().rank()));
}
Operand stack(Call& call) {
  std::vector<Tensor> tensors = call.tensors("tensors");
  if (tensors.empty()) refuse("'tensors' is empty");
  const std::int64_t axis = from_front(call.integer("dim"), tensors.front().rank() + 1);
  for (Tensor& each : tensors) each = call.unsqueeze(each, {axis});
  return call.concat(tensors, axis);
}
template <std::int64_t axis>
Operand stack_along(Call& call) {
  std::vector<Tensor> tensors = call.tensors("tensors");
  for (Tensor& each : tensors) {
    if (each.shape.empty()) each = call.reshape(each, {1});
    if (axis == 0 && each.rank() == 1) each = call.unsqueeze(each, {0});
  }
  return call.concat(tensors, tensors.front().rank() == 1 ? 0 : axis);
}

/// Parts of these sizes along an axis.
Operands split_into(Call& call, const Tensor& x, std::int64_t axis, const Integers& sizes) {
  if (sizes.size() == 1) return {x};
  const std::vector<Tensor> parts =
      call.builder().add_several("Split", {x, call.builder().integers(sizes)}, sizes.size(), {{"axis", axis}});
  return {parts.begin(), parts.end()};
}
std::int64_t known_size(const Tensor& x, std::int64_t axis) {
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  if (size < 0) refuse("the size of axis {} must be known; fix the sizes of the inputs (--input-spec)", axis);
  return size;
}
Integers even_parts(std::int64_t size, std::int64_t part) {
  constexpr std::int64_t kMostParts = 1 << 11;
  if (size / part > kMostParts) refuse("{} parts are more than are made ({})", size / part, kMostParts);
  Integers sizes;
  for (std::int64_t at = 0; at < size || sizes.empty(); at += part) sizes.push_back(std::min(part, size - at));
  return sizes;
}
Operand split(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis);
  const std::int64_t part = call.integer("split_size");
  if (part < 1) refuse("'split_size' must be at least 1, found {}", part);
  return split_into(call, x, axis, even_parts(size, part));
}
Operand split_with_sizes(Call& call) {
  const Tensor x = call.tensor("self");
  return split_into(call, x, call.axis("dim", x.rank()), call.integers("split_sizes"));
}
Operand split_sizes(Call& call) {
  const Tensor x = call.tensor("self");
  return split_into(call, x, call.axis("dim", x.rank()), call.integers("split_size"));
}
Operand chunk(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis), count = call.integer("chunks");
  if (count < 1) refuse("'chunks' must be at least 1, found {}", count);
  return split_into(call, x, axis, even_parts(size, std::max<std::int64_t>(1, (size + count - 1) / count)));
}
Operand tensor_split(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis), count = call.integer("sections");
  if (count < 1 || count > (1 << 11)) refuse("{} parts are not made", count);
  Integers sizes;
  for (std::int64_t i = 0; i < count; ++i) sizes.push_back(size / count + (i < size % count ? 1 : 0));
  return split_into(call, x, axis, sizes);
}
Operand tensor_split_at(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = known_size(x, axis);
  Integers sizes;
  std::int64_t begin = 0;
  for (const std::int64_t given : call.integers("indices")) {
    const std::int64_t at = std::clamp(given < 0 ? given + size : given, begin, size);
    sizes.push_back(at - begin);
    begin = at;
  }
  sizes.push_back(size - begin);
  return split_into(call, x, axis, sizes);
}
/// Each element less the one before.
Operand difference(Call& call) {
  Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  if (call.has("prepend")) x = call.concat({call.tensor("prepend"), x}, axis);
  if (call.has("append")) x = call.concat({x, call.tensor("append")}, axis);
  for (std::int64_t i = 0; i < call.integer("n"); ++i) {
    const std::int64_t size = known_size(x, axis);
    const Tensor later = call.slice(x, axis, 1, size), earlier = call.slice(x, axis, 0, size - 1);
    x = x.dtype == ScalarType::kBool ? call.add("Xor", {later, earlier}) : call.add("Sub", {later, earlier});
  }
  return x;
}
Operand unbind(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  Operands parts = split_into(call, x, axis, even_parts(known_size(x, axis), 1));
  for (Operand& part : parts) part = call.squeeze(*part.get<Tensor>(), {axis});
  return parts;
}

Operand expand(Call& call) {
  const Tensor x = call.tensor("self");
  std::vector<Operand> sizes = call.sizes("size");
  const std::size_t fresh = sizes.size() - std::min(sizes.size(), x.shape.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto* const size = sizes[i].get<std::int64_t>();
    if (size != nullptr && *size == -1 && i >= fresh) sizes[i] = call.size_of(x, static_cast<std::int64_t>(i - fresh));
  }
  return call.expand(x, sizes);
}
Operand expand_as(Call& call) {
  return call.expand(call.tensor("self"), call.sizes_of(call.tensor("other")));
}
Operand repeat(Call& call) {
  Tensor x = call.tensor("self");
  const std::vector<Operand> repeats = call.sizes(call.has_parameter("repeats") ? "repeats" : "dims");
  const auto rank = static_cast<std::int64_t>(repeats.size());
  if (rank < x.rank() && call.has_parameter("dims")) {
    std::vector<Operand> all(static_cast<std::size_t>(x.rank() - rank), Operand(std::int64_t{1}));
    all.insert(all.end(), repeats.begin(), repeats.end());
    return call.add("Tile", {x, call.tensor_of_sizes(all)});
  }
  x = call.unsqueeze(x, counted(rank - x.rank()));
  if (const auto known = Call::known(repeats)) {
    if (std::ranges::all_of(*known, [](std::int64_t each) { return each == 1; })) return x;
  }
  return call.add("Tile", {x, call.tensor_of_sizes(repeats)});
}
Operand repeat_interleave(Call& call) {
  Tensor x = call.tensor("self");
  const std::int64_t count = call.integer("repeats");
  std::int64_t axis = 0;
  if (call.has("dim")) {
    axis = call.axis("dim", x.rank());
  } else {
    x = call.reshape(x, {-1});
  }
  Integers repeats(x.shape.size() + 1, 1);
  repeats[static_cast<std::size_t>(axis) + 1] = count;
  const Tensor tiled = call.add("Tile", {call.unsqueeze(x, {axis + 1}), call.builder().integers(repeats)});
  return flattened(call, tiled, axis, axis + 1);
}

std::int64_t limited(const Operand& operand, std::int64_t otherwise) {
  if (operand.is_none()) return otherwise;
  if (const auto* const integer = operand.get<std::int64_t>()) return *integer;
  return otherwise;
}
Operand slice(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  const Operand &start = call.operand("start"), &end = call.operand("end");
  if (start.get<Number>() == nullptr && end.get<Number>() == nullptr) {
    return call.slice(x, axis, limited(start, 0), limited(end, INT64_MAX), call.integer("step"));
  }
  Builder& b = call.builder();
  const auto bound = [&](const Operand& operand, std::int64_t otherwise) {
    return operand.is_none() ? b.integers({otherwise}) : call.unsqueeze(call.number(operand, ScalarType::kInt64), {0});
  };
  return call.add("Slice",
                  {x, bound(start, 0), bound(end, INT64_MAX), b.integers({axis}), b.integers({call.integer("step")})});
}
Operand narrow(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank()), size = x.shape.at(static_cast<std::size_t>(axis));
  std::int64_t start = call.integer("start");
  if (start < 0 && size >= 0) start += size;
  return call.slice(x, axis, start, start + call.integer("length"));
}
Operand select(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dim", x.rank());
  const Operand& index = call.operand("index");
  if (const auto* const number = index.get<Number>()) return call.add("Gather", {x, number->tensor}, {{"axis", axis}});
  std::int64_t at = call.integer("index");
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  if (at < 0 && size >= 0) at += size;
  if (size >= 0 && (at < 0 || at >= size)) refuse("index {} lies outside of axis {} of size {}", at, axis, size);
  return call.add("Gather", {x, call.builder().integer(at)}, {{"axis", axis}});
}

Operand roll(Call& call) {
  Tensor x = call.tensor("self");
  const Integers shifts = call.integers("shifts");
  Integers axes = call.integers("dims");
  const Shape shape = x.shape;
  if (axes.empty()) {
    x = call.reshape(x, {-1});
    axes = {0};
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = from_front(axes[i], x.rank()), size = known_size(x, axis);
    if (size == 0) continue;
    const std::int64_t shift = ((shifts[i] % size) + size) % size;
    if (shift == 0) continue;
    x = call.concat({call.slice(x, axis, size - shift, size), call.slice(x, axis, 0, size - shift)}, axis);
  }
  return call.integers("dims").empty() ? call.reshape(x, shape) : x;
}
Operand flip(Call& call) {
  Tensor x = call.tensor("self");
  for (const std::int64_t axis : call.integers("dims")) {
    x = call.slice(x, from_front(axis, x.rank()), -1, INT64_MIN + 1, -1);
  }
  return x;
}
/// Windows of `size` along an axis, as a new last axis.
Operand unfold_axis(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t axis = call.axis("dimension", x.rank()), whole = known_size(x, axis);
  const std::int64_t size = call.integer("size"), step = call.integer("step");
  if (size < 0 || step < 1 || size > whole) refuse("a window of {} by {} does not fit {}", size, step, whole);
  const std::int64_t count = (whole - size) / step + 1;
  if (size > (1 << 24) / count) refuse("{} windows of {} are more than are laid out", count, size);
  Integers places;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t k = 0; k < size; ++k) places.push_back(i * step + k);
  }
  Builder& b = call.builder();
  const Tensor indices = call.reshape(b.integers(places), {count, size});
  const Tensor gathered = call.add("Gather", {x, indices}, {{"axis", axis}});
  Integers axes;
  for (std::int64_t at = 0; at < gathered.rank(); ++at) {
    if (at != axis + 1) axes.push_back(at);
  }
  axes.push_back(axis + 1);
  return call.transpose(gathered, axes);
}

/// ATen's order of channels is that of mode CRD.
Operand pixel_shuffle(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t factor = call.integer("upscale_factor");
  if (x.rank() == 4) return call.add("DepthToSpace", {x}, {{"blocksize", factor}, {"mode", std::string("CRD")}});
  if (x.rank() != 3) refuse("a tensor of rank 3 or 4 is expected, found {}", x.rank());
  const Tensor shuffled =
      call.add("DepthToSpace", {call.unsqueeze(x, {0})}, {{"blocksize", factor}, {"mode", std::string("CRD")}});
  return call.squeeze(shuffled, {0});
}
Operand pixel_unshuffle(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t factor = call.integer("downscale_factor");
  if (x.rank() != 4) refuse("a tensor of rank 4 is expected, found {}", x.rank());
  const std::int64_t channels = known_size(x, 1), rows = known_size(x, 2), columns = known_size(x, 3);
  const Tensor parts = call.reshape(x, {-1, channels, rows / factor, factor, columns / factor, factor});
  return call.reshape(call.transpose(parts, {0, 1, 3, 5, 2, 4}),
                      {-1, channels * factor * factor, rows / factor, columns / factor});
}
Operand channel_shuffle(Call& call) {
  const Tensor x = call.tensor("self");
  const std::int64_t groups = call.integer("groups"), channels = known_size(x, 1);
  Integers split = x.shape, permutation = counted(x.rank() + 1);
  split[1] = groups;
  split.insert(split.begin() + 2, channels / groups);
  std::swap(permutation[1], permutation[2]);
  return call.reshape(call.transpose(call.reshape(x, split), permutation), x.shape);
}
Operand meshgrid(Call& call) {
  const std::vector<Tensor> tensors = call.tensors("tensors");
  const bool is_xy = call.has_parameter("indexing") && call.text("indexing") == "xy" && tensors.size() > 1;
  const auto rank = static_cast<std::int64_t>(tensors.size());
  std::vector<Operand> sizes;
  for (const Tensor& each : tensors)
    sizes.push_back(each.shape.empty() ? Operand(std::int64_t{1}) : call.size_of(each, 0));
  if (is_xy) std::swap(sizes[0], sizes[1]);
  Operands grids;
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t axis = is_xy && i < 2 ? 1 - i : i;
    Integers axes;
    for (std::int64_t at = 0; at < rank; ++at) {
      if (at != axis) axes.push_back(at);
    }
    Tensor x = tensors[static_cast<std::size_t>(i)];
    if (x.shape.empty()) x = call.reshape(x, {1});
    grids.push_back(call.expand(call.unsqueeze(x, axes), sizes));
  }
  return grids;
}
Operand broadcast_tensors(Call& call) {
  Operands given;
  Tensor largest = call.tensors("tensors").front();
  for (const Tensor& each : call.tensors("tensors")) {
    Shape shape(std::max(largest.shape.size(), each.shape.size()), 1);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const auto size = [&](const Shape& from) { return i < from.size() ? from[from.size() - 1 - i] : 1; };
      if (size(largest.shape) < 0 || size(each.shape) < 0)
        refuse("sizes must be known; fix the sizes of the inputs (--input-spec)");
      shape[shape.size() - 1 - i] = size(largest.shape) == 1 ? size(each.shape) : size(largest.shape);
    }
    largest.shape = shape;
  }
  std::vector<Operand> sizes(largest.shape.begin(), largest.shape.end());
  for (const Tensor& each : call.tensors("tensors")) given.push_back(call.expand(each, sizes));
  return given;
}
Operand atleast(Call& call) {
  const Tensor x = call.tensor("self");
  return x.shape.empty() ? call.reshape(x, {1}) : x;
}

constexpr auto kShapeOperators = std::to_array<Operator>({
    {"aten.view.default(Tensor self, int[] size)", view},
    {"aten.reshape.default(Tensor self, int[] shape)", view},
    {"aten._unsafe_view.default(Tensor self, int[] size)", view},
    {"aten._reshape_alias.default(Tensor self, int[] size, int[] stride)", view},
    {"aten.view_as.default(Tensor self, Tensor other)", view_as},
    {"aten.reshape_as.default(Tensor self, Tensor other)", view_as},
    {"aten.flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1)", flatten},
    {"aten.unflatten.int(Tensor self, int dim, int[] sizes)", unflatten},
    {"aten.permute.default(Tensor self, int[] dims)", permute},
    {"aten.transpose.int(Tensor self, int dim0, int dim1)", transpose},
    {"aten.swapaxes.default(Tensor self, int axis0, int axis1)", transpose},
    {"aten.swapdims.default(Tensor self, int dim0, int dim1)", transpose},
    {"aten.t.default(Tensor self)", transpose_two},
    {"aten.numpy_T.default(Tensor self)", transpose_two},
    {"aten.mT.default(Tensor self)", transpose_last},
    {"aten.adjoint.default(Tensor self)", transpose_last},
    {"aten.movedim.int(Tensor self, int source, int destination)", move_axes},
    {"aten.movedim.intlist(Tensor self, int[] source, int[] destination)", move_axes},
    {"aten.moveaxis.int(Tensor self, int source, int destination)", move_axes},
    {"aten.unsqueeze.default(Tensor self, int dim)", unsqueeze},
    {"aten.squeeze.default(Tensor self)", squeeze},
    {"aten.squeeze.dim(Tensor self, int dim)", squeeze},
    {"aten.squeeze.dims(Tensor self, int[] dim)", squeeze},
    {"aten.cat.default(Tensor[] tensors, int dim=0)", cat},
    {"aten.concat.default(Tensor[] tensors, int dim=0)", cat},
    {"aten.concatenate.default(Tensor[] tensors, int dim=0)", cat},
    {"aten.stack.default(Tensor[] tensors, int dim=0)", stack},
    {"aten.hstack.default(Tensor[] tensors)", stack_along<1>},
    {"aten.vstack.default(Tensor[] tensors)", stack_along<0>},
    {"aten.split.Tensor(Tensor self, int split_size, int dim=0)", split},
    {"aten.split.sizes(Tensor self, int[] split_size, int dim=0)", split_sizes},
    {"aten.split_with_sizes.default(Tensor self, int[] split_sizes, int dim=0)", split_with_sizes},
    {"aten.unsafe_split.Tensor(Tensor self, int split_size, int dim=0)", split},
    {"aten.chunk.default(Tensor self, int chunks, int dim=0)", chunk},
    {"aten.unsafe_chunk.default(Tensor self, int chunks, int dim=0)", chunk},
    {"aten.tensor_split.sections(Tensor self, int sections, int dim=0)", tensor_split},
    {"aten.tensor_split.indices(Tensor self, int[] indices, int dim=0)", tensor_split_at},
    {"aten.diff.default(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None)", difference},
    {"aten.unbind.int(Tensor self, int dim=0)", unbind},
    {"aten.expand.default(Tensor self, int[] size, bool implicit=False)", expand},
    {"aten.expand_as.default(Tensor self, Tensor other)", expand_as},
    {"aten.broadcast_to.default(Tensor self, int[] size)", expand},
    {"aten.broadcast_tensors.default(Tensor[] tensors)", broadcast_tensors},
    {"aten.repeat.default(Tensor self, int[] repeats)", repeat},
    {"aten.tile.default(Tensor self, int[] dims)", repeat},
    {"aten.repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, int? output_size=None)",
     repeat_interleave},
    {"aten.slice.Tensor(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)", slice},
    {"aten.narrow.default(Tensor self, int dim, int start, int length)", narrow},
    {"aten.select.int(Tensor self, int dim, int index)", select},
    {"aten.roll.default(Tensor self, int[] shifts, int[] dims=[])", roll},
    {"aten.flip.default(Tensor self, int[] dims)", flip},
    {"aten.fliplr.default(Tensor self)",
     [](Call& call) -> Operand { return call.slice(call.tensor("self"), 1, -1, INT64_MIN + 1, -1); }},
    {"aten.unfold.default(Tensor self, int dimension, int size, int step)", unfold_axis},
    {"aten.pixel_shuffle.default(Tensor self, int upscale_factor)", pixel_shuffle},
    {"aten.pixel_unshuffle.default(Tensor self, int downscale_factor)", pixel_unshuffle},
    {"aten.channel_shuffle.default(Tensor self, int groups)", channel_shuffle},
    {"aten.native_channel_shuffle.default(Tensor self, int groups)", channel_shuffle},
    {"aten.meshgrid.default(Tensor[] tensors)", meshgrid},
    {"aten.meshgrid.indexing(Tensor[] tensors, str indexing)", meshgrid},
    {"aten.atleast_1d.default(Tensor self)", atleast},
});

}  // namespace

std::span<const Operator> shape_operators() {
  return kShapeOperators;
}

}  // namespace slipway::convert::operators::internal
