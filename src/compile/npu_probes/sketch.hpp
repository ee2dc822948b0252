#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "compile/npu_probes/element_kind.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "tensor/tensor.hpp"

namespace slipway::compile::npu_probes {

struct Range {
  double low = -4, high = 4;
};

/// Seeded elements that fill a range; integers both ends of it.
[[nodiscard]] tensor::Tensor seeded(tensor::Dtype dtype, const tensor::Shape& shape, Range range);

/// A probe's graph being drawn, with seeded data for its inputs that fill the range they are given. Elements have the
/// probe's kind unless said otherwise; for a quantised kind QuantizeLinear and DequantizeLinear are put behind inputs
/// and weights and before outputs.
class Sketch {
 public:
  using Value = onnx_graph::Value;

  /// @param output_ranges  of a quantised probe: what its outputs span, in order, as its float twin gave them
  Sketch(ElementKind kind, std::vector<Range> output_ranges, std::int64_t opset);

  [[nodiscard]] ElementKind kind() const { return kind_; }

  Value* input(const tensor::Shape& shape, Range range = {});
  Value* input_of(tensor::Dtype dtype, const tensor::Shape& shape, Range range);  ///< indices, masks: never quantised
  Value* weight(const tensor::Shape& shape, Range range = {.low = -1, .high = 1});
  Value* integers(const std::vector<std::int64_t>& values);  ///< int64[n]
  Value* integers(const std::vector<std::int64_t>& values, const tensor::Shape& shape);
  Value* floats(const std::vector<float>& values);  ///< float32[n]
  Value* number(double value);                      ///< a scalar of the probe's type
  Value* node(const std::string& op_type, const std::vector<Value*>& inputs,
              const onnx_graph::Attributes& attributes = {});
  std::vector<Value*> node_of(std::size_t outputs, const std::string& op_type, const std::vector<Value*>& inputs,
                              const onnx_graph::Attributes& attributes = {});
  void output(Value* value);                ///< of the probe's kind
  void output_of_other_type(Value* value);  ///< truth values, indices: never quantised

  /// Ends the drawing.
  struct Drawn {
    onnx_graph::Model model;
    tensor::NamedTensors inputs;
  };
  [[nodiscard]] Drawn finish();

 private:
  Value* constant(tensor::Dtype dtype, const tensor::Shape& shape, std::span<const std::byte> bytes);
  Value* quantized(Value* value, Range range, const char* name);
  tensor::Tensor filled(tensor::Dtype dtype, const tensor::Shape& shape, Range range);
  [[nodiscard]] std::string fresh(const char* prefix);

  ElementKind kind_;
  std::vector<Range> output_ranges_;
  onnx_graph::Model model_;
  std::optional<onnx_graph::Rewriter> graph_;
  tensor::NamedTensors inputs_;
  std::mt19937_64 random_{20261130};
  std::size_t outputs_ = 0;
  int names_ = 0;
};

}  // namespace slipway::compile::npu_probes
