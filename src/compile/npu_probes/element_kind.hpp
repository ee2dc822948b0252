#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "tensor/dtype.hpp"

namespace slipway::compile::npu_probes {

/// What the elements of a probe are. The quantised kinds are floats between QuantizeLinear and DequantizeLinear.
enum class ElementKind { kFloat32, kQuantizedUint8, kQuantizedInt8, kQuantizedUint16, kInt32, kInt64, kUint8, kBool };

struct ElementKindRow {
  ElementKind kind;
  std::string_view name;
  tensor::Dtype dtype;  ///< of inputs and outputs
  std::optional<tensor::Dtype> quantized_as;
};
inline constexpr std::array kElementKinds = {
    ElementKindRow{ElementKind::kFloat32, "float32", tensor::Dtype::kFloat32, std::nullopt},
    ElementKindRow{ElementKind::kQuantizedUint8, "uint8 QDQ", tensor::Dtype::kFloat32, tensor::Dtype::kUint8},
    ElementKindRow{ElementKind::kQuantizedInt8, "int8 QDQ", tensor::Dtype::kFloat32, tensor::Dtype::kInt8},
    ElementKindRow{ElementKind::kQuantizedUint16, "uint16 QDQ", tensor::Dtype::kFloat32, tensor::Dtype::kUint16},
    ElementKindRow{ElementKind::kInt32, "int32", tensor::Dtype::kInt32, std::nullopt},
    ElementKindRow{ElementKind::kInt64, "int64", tensor::Dtype::kInt64, std::nullopt},
    ElementKindRow{ElementKind::kUint8, "uint8", tensor::Dtype::kUint8, std::nullopt},
    ElementKindRow{ElementKind::kBool, "bool", tensor::Dtype::kBool, std::nullopt},
};

[[nodiscard]] constexpr const ElementKindRow& row_of(ElementKind kind) {
  return kElementKinds[static_cast<std::size_t>(kind)];
}

}  // namespace slipway::compile::npu_probes
