#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "convert/operators/schema.hpp"

namespace slipway::convert::operators {

namespace internal {
struct Operator;
}

/// An operator that can be lowered.
struct TableRow {
  Schema schema;
  const internal::Operator* lowering;
  std::string_view family;  ///< "convolution", "pooling" …: the file it is in
};

/// All operators, by name.
[[nodiscard]] const std::vector<TableRow>& table();

/// The row of a full name; of a name without overload ("aten.add") all its overloads, in the order of the table.
[[nodiscard]] std::vector<const TableRow*> find_rows(std::string_view name);

}  // namespace slipway::convert::operators
