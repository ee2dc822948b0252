#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "tensor/dtype.hpp"

namespace slipway::compile::npu_faults {

/// A graph of a few nodes on which a fault shows, being built. Inputs are named x0, x1 …
class ProbeGraph {
 public:
  using Value = onnx_graph::Value;

  ProbeGraph() = default;
  ProbeGraph(const ProbeGraph&) = delete;
  ProbeGraph& operator=(const ProbeGraph&) = delete;

  Value* input(tensor::Dtype dtype, const tensor::Shape& shape);
  Value* integers(const std::vector<std::int64_t>& values);  ///< an initialiser int64[n]
  Value* integer(std::int64_t value);                        ///< an initialiser int64[]
  Value* floats(const std::vector<float>& values);           ///< an initialiser float32[n]
  Value* number(float value);                                ///< an initialiser float32[]
  Value* byte(std::uint8_t number);                          ///< an initialiser uint8[]
  Value* node(const std::string& op_type, const std::vector<Value*>& inputs,
              const onnx_graph::Attributes& attributes = {});
  void output(Value* value, tensor::Dtype dtype, const tensor::Shape& shape);
  [[nodiscard]] onnx_graph::Model finish() &&;
  /// Ends the building with one output.
  [[nodiscard]] onnx_graph::Model with_output(Value* value, tensor::Dtype dtype, const tensor::Shape& shape) &&;

 private:
  Value* constant(tensor::Dtype dtype, const tensor::Shape& shape, std::span<const std::byte> bytes);
  onnx_graph::Model model_ = onnx_graph::Model::create(17, 8, "probe", "slipway");
  std::unique_ptr<onnx_graph::Rewriter> graph_ = std::make_unique<onnx_graph::Rewriter>(model_);
};

}  // namespace slipway::compile::npu_faults
