#include "tensor/dtype.hpp"

namespace slipway::tensor {
namespace {

struct Row {
  Dtype dtype;
  std::string_view name;
  std::size_t size_bytes;
};

constexpr std::array kRows = {
    Row{Dtype::kFloat16, "float16", 2},   Row{Dtype::kFloat32, "float32", 4}, Row{Dtype::kBool, "bool", 1},
    Row{Dtype::kInt8, "int8", 1},         Row{Dtype::kInt16, "int16", 2},     Row{Dtype::kInt32, "int32", 4},
    Row{Dtype::kInt64, "int64", 8},       Row{Dtype::kUint8, "uint8", 1},     Row{Dtype::kUint16, "uint16", 2},
    Row{Dtype::kFloat64, "float64", 8},   Row{Dtype::kUint32, "uint32", 4},   Row{Dtype::kUint64, "uint64", 8},
    Row{Dtype::kBfloat16, "bfloat16", 2},
};

}  // namespace

std::size_t dtype_size_bytes(Dtype dtype) {
  return kRows[static_cast<std::size_t>(dtype)].size_bytes;
}

bool is_floating_point(Dtype dtype) {
  using enum Dtype;
  return dtype == kFloat16 || dtype == kFloat32 || dtype == kFloat64 || dtype == kBfloat16;
}

std::string_view dtype_name(Dtype dtype) {
  return kRows[static_cast<std::size_t>(dtype)].name;
}

std::optional<Dtype> dtype_from_name(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

}  // namespace slipway::tensor
