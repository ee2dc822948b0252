#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/value_type.hpp"
#include "tensor/shape.hpp"

namespace onnx {
class GraphProto;
class ModelProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace slipway::compile::onnx_graph {

/// Name, dtype and shape of a value; nothing when it is no tensor or its elements have no Dtype.
[[nodiscard]] std::optional<tensor::TensorSpec> spec_of(const onnx::ValueInfoProto& value);

/// Element type and shape as far as a tensor's declaration says them; nothing of either for what is no tensor.
[[nodiscard]] ValueType type_of(const onnx::ValueInfoProto& value);

/// Declares a tensor of this type, as far as it is known; -1 leaves a dimension open. Names of dimensions whose size
/// stays open are kept. Without an element type nothing changes.
void write_type(onnx::ValueInfoProto& value, const ValueType& type);

/// The graph inputs that a caller must feed, in order: those without an initialiser.
[[nodiscard]] std::vector<const onnx::ValueInfoProto*> inputs_without_initializers(const onnx::GraphProto& graph);

/// The number in a tensor of one element that is stored inline; nothing otherwise.
[[nodiscard]] std::optional<double> scalar_value(const onnx::TensorProto& tensor);

/// The elements of an inline int64 tensor; nothing when it is of another type or stored outside.
[[nodiscard]] std::optional<std::vector<std::int64_t>> int64_values(const onnx::TensorProto& tensor);

/// The elements of an inline float32 tensor; nothing when it is of another type or stored outside.
[[nodiscard]] std::optional<std::vector<float>> float_values(const onnx::TensorProto& tensor);

/// Version of the default operator set.
/// @error kInvalidArgument: the model imports none, or one older than 7, whose operators read their settings otherwise
[[nodiscard]] base::Result<std::int64_t> default_opset(const onnx::ModelProto& model);

}  // namespace slipway::compile::onnx_graph
