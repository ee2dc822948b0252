#pragma once

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "convert/aten/graph.hpp"

/// Fields of the documents in an archive, typed. What is missing or of another type throws Malformed, or what
/// nlohmann::json throws; both are caught by the functions that read a document, the only ones that include this.
namespace slipway::convert::torch_export::internal {

using nlohmann::json;

/// As PyTorch's own: what more of them would be is a way to make long messages.
inline constexpr std::size_t kMostAxes = 64;

struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Well formed, and not taken.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const json& field(const json& object, const char* name) {
  if (!object.is_object())
    throw Malformed(fmt::format("expected an object with '{}', found {}", name, object.type_name()));
  const auto found = object.find(name);
  if (found == object.end()) throw Malformed(fmt::format("'{}' is missing", name));
  return *found;
}

inline std::int64_t integer(const json& value) {
  if (!value.is_number_integer()) throw Malformed(fmt::format("expected an integer, found {}", value.type_name()));
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)
    throw Malformed("an integer leaves 64 bits");
  return value.get<std::int64_t>();
}

/// Numbers that JSON lacks are written as words.
inline double real(const json& value) {
  if (value.is_string()) {
    const auto word = value.get<std::string>();
    if (word == "Infinity") return std::numeric_limits<double>::infinity();
    if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
    if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  }
  if (!value.is_number()) throw Malformed(fmt::format("expected a number, found {}", value.type_name()));
  return value.get<double>();
}

inline const std::string& text(const json& value) {
  if (!value.is_string()) throw Malformed(fmt::format("expected a string, found {}", value.type_name()));
  return value.get_ref<const std::string&>();
}

inline const json& list(const json& value) {
  if (!value.is_array()) throw Malformed(fmt::format("expected a list, found {}", value.type_name()));
  return value;
}

/// The one member of a union: its name and what it holds.
inline std::pair<std::string, const json*> member(const json& value) {
  if (!value.is_object() || value.size() != 1) throw Malformed("expected one of several forms");
  return {value.begin().key(), &value.begin().value()};
}

/// The export's own numbers of element types.
inline aten::ScalarType scalar_type(const json& value) {
  switch (integer(value)) {
    case 1:
      return aten::ScalarType::kUint8;
    case 2:
      return aten::ScalarType::kInt8;
    case 3:
      return aten::ScalarType::kInt16;
    case 4:
      return aten::ScalarType::kInt32;
    case 5:
      return aten::ScalarType::kInt64;
    case 6:
      return aten::ScalarType::kFloat16;
    case 7:
      return aten::ScalarType::kFloat32;
    case 8:
      return aten::ScalarType::kFloat64;
    case 9:
      return aten::ScalarType::kComplex32;
    case 10:
      return aten::ScalarType::kComplex64;
    case 11:
      return aten::ScalarType::kComplex128;
    case 12:
      return aten::ScalarType::kBool;
    case 13:
      return aten::ScalarType::kBfloat16;
    case 28:
      return aten::ScalarType::kUint16;
    default:
      throw Unsupported(fmt::format("tensors of the export's type {} are not read", integer(value)));
  }
}

}  // namespace slipway::convert::torch_export::internal
