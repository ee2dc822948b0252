#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "convert/aten/graph.hpp"

namespace slipway::convert::aten::internal {

/// "add_" of "aten.add_.Tensor"; "" for operators of other namespaces.
[[nodiscard]] std::string_view bare_name(std::string_view operator_name);

[[nodiscard]] inline bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// What the first value that a node gives has to do with the memory of its first argument.
enum class Alias {
  kNone,   ///< a value of its own
  kSame,   ///< another name of the first argument
  kView,   ///< the memory of its first argument
  kMaybe,  ///< that, or a copy: strides or dtypes would tell, and the archive does not say them
};
[[nodiscard]] Alias alias_of(const Node& node, const Graph& graph);

/// Whether a tensor can be seen in other sizes where it lies. nullopt where its own are not known.
[[nodiscard]] std::optional<bool> is_viewable(const TensorMeta& from, const TensorMeta& to);

}  // namespace slipway::convert::aten::internal
