#include "convert/aten/graph.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slipway::convert::aten {

bool is_contiguous(const StoredTensor& stored) {
  if (std::ranges::find(stored.shape, 0) != stored.shape.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = stored.shape.size(); i-- > 0;) {
    if (stored.shape[i] != 1 && stored.strides[i] != expected) return false;
    expected *= stored.shape[i];
  }
  return true;
}

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
