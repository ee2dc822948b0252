#include "convert/operators/table.hpp"

#include <algorithm>

#include "convert/operators/internal/families.hpp"

namespace slipway::convert::operators {

const std::vector<TableRow>& table() {
  static const std::vector<TableRow> rows = [] {
    std::vector<TableRow> made;
    const auto add = [&](std::string_view family, std::span<const internal::Operator> operators) {
      for (const internal::Operator& each : operators) made.push_back({parse_schema(each.schema), &each, family});
    };
    add("convolution", internal::convolution_operators());
    add("creation", internal::creation_operators());
    add("image", internal::image_operators());
    add("indexing", internal::indexing_operators());
    add("linear", internal::linear_operators());
    add("normalization", internal::normalization_operators());
    add("number", internal::number_operators());
    add("pointwise", internal::pointwise_operators());
    add("pooling", internal::pooling_operators());
    add("recurrent", internal::recurrent_operators());
    add("reduction", internal::reduction_operators());
    add("shape", internal::shape_operators());
    std::ranges::stable_sort(made, {}, [](const TableRow& row) -> const std::string& { return row.schema.name; });
    const auto twin = std::ranges::adjacent_find(made, {}, [](const TableRow& row) { return row.schema.name; });
    SLIPWAY_CHECK(twin == made.end(), twin == made.end() ? "" : "two rows of one name: " + twin->schema.name);
    return made;
  }();
  return rows;
}

std::vector<const TableRow*> find_rows(std::string_view name) {
  const auto& rows = table();
  const auto name_of = [](const TableRow& row) { return std::string_view(row.schema.name); };
  auto row = std::ranges::lower_bound(rows, name, {}, name_of);
  if (row != rows.end() && row->schema.name == name) return {&*row};
  std::vector<const TableRow*> overloads;
  const std::string prefix = std::string(name) + '.';
  row = std::ranges::lower_bound(rows, prefix, {}, name_of);
  for (; row != rows.end() && row->schema.name.starts_with(prefix); ++row) {
    if (row->schema.name.find('.', prefix.size()) == std::string::npos) overloads.push_back(&*row);
  }
  return overloads;
}

}  // namespace slipway::convert::operators
