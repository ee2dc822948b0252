#include "convert/aten/internal/alias.hpp"

namespace slipway::convert::aten::internal {
namespace {

/// Neighbouring dimensions that lie in memory like one.
struct Run {
  std::int64_t size = 1, stride = 1;
};

/// The sizes, those of one left out; nullopt where one is not known or all of them are more elements than can be
/// counted.
std::optional<std::vector<std::int64_t>> known_sizes(const TensorMeta& meta) {
  std::vector<std::int64_t> sizes;
  std::int64_t count = 1;
  for (const Dimension& dimension : meta.sizes) {
    if (!dimension.size || *dimension.size < 1 || __builtin_mul_overflow(count, *dimension.size, &count)) {
      return std::nullopt;
    }
    if (*dimension.size != 1) sizes.push_back(*dimension.size);
  }
  return sizes;
}

std::optional<std::vector<Run>> runs_of(const TensorMeta& meta) {
  if (!meta.strides || meta.strides->size() != meta.sizes.size() || !known_sizes(meta)) return std::nullopt;
  std::vector<Run> runs;
  for (std::size_t i = 0; i < meta.sizes.size(); ++i) {
    const std::int64_t size = *meta.sizes[i].size, stride = (*meta.strides)[i];
    if (size == 1) continue;
    std::int64_t reach = 0;
    if (stride < 0 || __builtin_mul_overflow(size, stride, &reach)) return std::nullopt;
    if (!runs.empty() && runs.back().stride == reach) {
      runs.back() = {runs.back().size * size, stride};
    } else {
      runs.push_back({size, stride});
    }
  }
  return runs;
}

bool is_packed(const std::vector<Run>& runs) {
  return runs.empty() || (runs.size() == 1 && runs[0].stride == 1);
}

const TensorMeta* meta_of(const Argument& argument, const Graph& graph) {
  const auto* const reference = argument.get<Reference>();
  if (reference == nullptr || !graph.values[reference->value].meta) return nullptr;
  return &*graph.values[reference->value].meta;
}

/// The argument that ATen's schema has at this place under this name.
const Argument* argument_of(const Node& node, std::size_t place, std::string_view name) {
  if (place < node.arguments.size() && node.arguments[place].name.empty()) return &node.arguments[place].argument;
  const auto found = std::ranges::find(node.arguments, name, &NamedArgument::name);
  return found == node.arguments.end() ? nullptr : &found->argument;
}

/// `contiguous` and `to` may be asked for a layout.
bool names_a_layout(const Node& node) {
  const auto is_layout = [](const NamedArgument& one) {
    const auto* const format = one.argument.get<MemoryFormat>();
    return (format != nullptr && *format != MemoryFormat::kContiguous && *format != MemoryFormat::kPreserve) ||
           (one.name == "memory_format" && format == nullptr && !one.argument.is_none());
  };
  return std::ranges::any_of(node.arguments, is_layout);
}

/// A change of dtype: of one to itself it gives its argument, of one to another a copy.
Alias alias_of_cast(const Node& node, const TensorMeta* from, const TensorMeta* to) {
  if (from != nullptr && to != nullptr && from->dtype != to->dtype) return Alias::kNone;
  const bool is_plain = node.operator_name == "aten.to.dtype" || bare_name(node.operator_name) == "type_as";
  const Argument* const copy = node.operator_name == "aten.to.dtype" ? argument_of(node, 3, "copy") : nullptr;
  if (const auto* const is_copied = copy == nullptr ? nullptr : copy->get<bool>(); is_copied != nullptr && *is_copied) {
    return Alias::kNone;
  }
  return from != nullptr && to != nullptr && is_plain && !names_a_layout(node) ? Alias::kSame : Alias::kMaybe;
}

Alias alias_of_maybe(const Node& node, std::string_view name, const Graph& graph) {
  if (node.outputs.size() != 1 || node.outputs[0].values.size() != 1) return Alias::kMaybe;
  const TensorMeta* const from = meta_of(node.arguments[0].argument, graph);
  const auto& given = graph.values[node.outputs[0].values[0]].meta;
  const TensorMeta* const to = given ? &*given : nullptr;
  if (is_one_of(name, {"dropout", "feature_dropout", "alpha_dropout"})) {
    const Argument* const is_training = argument_of(node, 2, "train");
    const bool* const known = is_training == nullptr ? nullptr : is_training->get<bool>();
    return known == nullptr ? Alias::kMaybe : *known ? Alias::kNone : Alias::kSame;
  }
  if (is_one_of(name, {"to", "type_as", "float", "half", "double"})) return alias_of_cast(node, from, to);
  if (from == nullptr || to == nullptr) return Alias::kMaybe;
  if (name == "contiguous") {
    const auto runs = runs_of(*from);
    if (!runs || names_a_layout(node)) return Alias::kMaybe;
    return is_packed(*runs) ? Alias::kSame : Alias::kNone;
  }
  if (is_one_of(name, {"reshape", "reshape_as", "flatten", "ravel", "_reshape_alias"})) {
    const auto is_view = is_viewable(*from, *to);
    return !is_view ? Alias::kMaybe : *is_view ? Alias::kView : Alias::kNone;
  }
  return Alias::kMaybe;
}

}  // namespace

std::string_view bare_name(std::string_view operator_name) {
  constexpr std::string_view kNamespace = "aten.";
  if (!operator_name.starts_with(kNamespace)) return {};
  operator_name.remove_prefix(kNamespace.size());
  return operator_name.substr(0, operator_name.find('.'));
}

std::optional<bool> is_viewable(const TensorMeta& from, const TensorMeta& to) {
  const auto runs = runs_of(from);
  const auto sizes = known_sizes(to);
  if (!runs || !sizes) return std::nullopt;
  // Each run must be made of whole dimensions of the new shape: none may reach from one into the next.
  std::size_t run = 0;
  std::int64_t filled = 1;
  for (const std::int64_t size : *sizes) {
    if (run == runs->size() || size > (*runs)[run].size / filled) return false;
    filled *= size;
    if ((*runs)[run].size % filled != 0) return false;
    if (filled == (*runs)[run].size) {
      filled = 1;
      ++run;
    }
  }
  return run == runs->size();
}

Alias alias_of(const Node& node, const Graph& graph) {
  if (node.arguments.empty() || node.arguments[0].argument.get<Reference>() == nullptr) return Alias::kNone;
  const std::string_view name = bare_name(node.operator_name);
  if (is_one_of(name, {"detach", "alias", "detach_"})) return Alias::kSame;
  if (is_one_of(
          name,
          {"select",    "slice",        "narrow",  "transpose",    "swapaxes",     "swapdims",         "t",
           "permute",   "movedim",      "view",    "_unsafe_view", "view_as",      "unsqueeze",        "squeeze",
           "unflatten", "diagonal",     "split",   "chunk",        "unbind",       "split_with_sizes", "tensor_split",
           "expand",    "expand_as",    "unfold",  "as_strided",   "view_as_real", "view_as_complex",  "real",
           "imag",      "numpy_T",      "mT",      "mH",           "adjoint",      "hsplit",           "vsplit",
           "dsplit",    "broadcast_to", "moveaxis"})) {
    return Alias::kView;
  }
  if (is_one_of(name, {"reshape", "reshape_as", "flatten", "contiguous", "to", "type_as", "dropout", "feature_dropout",
                       "alpha_dropout", "ravel", "_reshape_alias", "float", "half", "double", "meshgrid", "conj"})) {
    return alias_of_maybe(node, name, graph);
  }
  return Alias::kNone;
}

}  // namespace slipway::convert::aten::internal
