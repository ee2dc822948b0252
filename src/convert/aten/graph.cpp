#include "convert/aten/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slipway::convert::aten {

ValueId Graph::add_value(std::string name, std::optional<TensorMeta> meta) {
  values.push_back({std::move(name), std::move(meta)});
  return static_cast<ValueId>(values.size() - 1);
}

std::string to_string(const TensorMeta& meta) {
  std::vector<std::string> sizes;
  for (const Dimension& dimension : meta.sizes) {
    sizes.push_back(dimension.size ? std::to_string(*dimension.size) : dimension.expression);
  }
  return fmt::format("{}[{}]", scalar_type_name(meta.dtype), fmt::join(sizes, ","));
}

}  // namespace slipway::convert::aten
