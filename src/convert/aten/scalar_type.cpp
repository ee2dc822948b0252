#include "convert/aten/scalar_type.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace slipway::convert::aten {
namespace {

using tensor::Dtype;

struct Row {
  ScalarType type;
  std::string_view name;
  std::size_t size_bytes;
  std::optional<Dtype> dtype;
};

constexpr auto kRows = std::to_array<Row>({
    {ScalarType::kUint8, "uint8", 1, Dtype::kUint8},
    {ScalarType::kInt8, "int8", 1, Dtype::kInt8},
    {ScalarType::kInt16, "int16", 2, Dtype::kInt16},
    {ScalarType::kInt32, "int32", 4, Dtype::kInt32},
    {ScalarType::kInt64, "int64", 8, Dtype::kInt64},
    {ScalarType::kFloat16, "float16", 2, Dtype::kFloat16},
    {ScalarType::kFloat32, "float32", 4, Dtype::kFloat32},
    {ScalarType::kFloat64, "float64", 8, Dtype::kFloat64},
    {ScalarType::kComplex32, "complex32", 4, std::nullopt},
    {ScalarType::kComplex64, "complex64", 8, std::nullopt},
    {ScalarType::kComplex128, "complex128", 16, std::nullopt},
    {ScalarType::kBool, "bool", 1, Dtype::kBool},
    {ScalarType::kBfloat16, "bfloat16", 2, Dtype::kBfloat16},
    {ScalarType::kUint16, "uint16", 2, Dtype::kUint16},
    {ScalarType::kUint32, "uint32", 4, Dtype::kUint32},
    {ScalarType::kUint64, "uint64", 8, Dtype::kUint64},
});

const Row& row_of(ScalarType type) {
  const auto row = std::ranges::find(kRows, type, &Row::type);
  SLIPWAY_CHECK(row != kRows.end(), "every scalar type has a row");
  return *row;
}

}  // namespace

std::optional<ScalarType> scalar_type_of_number(std::int64_t number) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) { return static_cast<int>(r.type) == number; });
  return row == kRows.end() ? std::nullopt : std::optional(row->type);
}

std::string_view scalar_type_name(ScalarType type) {
  return row_of(type).name;
}

std::size_t scalar_type_size_bytes(ScalarType type) {
  return row_of(type).size_bytes;
}

std::optional<tensor::Dtype> dtype_of(ScalarType type) {
  return row_of(type).dtype;
}

ScalarType scalar_type_of(tensor::Dtype dtype) {
  const auto row = std::ranges::find(kRows, std::optional(dtype), &Row::dtype);
  SLIPWAY_CHECK(row != kRows.end(), "every dtype is a scalar type");
  return row->type;
}

}  // namespace slipway::convert::aten
