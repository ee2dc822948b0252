#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "quantize/options.hpp"

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::quantize::testing {

/// A small float graph for tests, being built; weights are seeded.
class FloatGraph {
 public:
  using Value = compile::onnx_graph::Value;

  explicit FloatGraph(std::int64_t opset = 17)
      : model_(compile::onnx_graph::Model::create(opset, 8, "test", "slipway")) {
    graph_ = std::make_unique<compile::onnx_graph::Rewriter>(model_);
  }

  Value* input(const std::string& name, const tensor::Shape& shape) {
    return &graph_->add_input(graph_->main(), name, {type(tensor::Dtype::kFloat32), shape});
  }
  Value* floats(const tensor::Shape& shape, const std::vector<float>& numbers, const std::string& name = "constant") {
    return &graph_->add_initializer(graph_->main(), name,
                                    {type(tensor::Dtype::kFloat32), shape, std::as_bytes(std::span(numbers))});
  }
  Value* random(const tensor::Shape& shape, double size = 0.5, const std::string& name = "weight") {
    std::vector<float> numbers(static_cast<std::size_t>(tensor::element_count(shape).value()));
    std::normal_distribution<float> normal(0, static_cast<float>(size));
    for (float& number : numbers) number = normal(random_);
    return floats(shape, numbers, name);
  }
  Value* integers(const std::vector<std::int64_t>& numbers) {
    return &graph_->add_initializer(
        graph_->main(), "sizes",
        {type(tensor::Dtype::kInt64), {static_cast<std::int64_t>(numbers.size())}, std::as_bytes(std::span(numbers))});
  }
  Value* node(const std::string& op_type, const std::vector<Value*>& inputs,
              const compile::onnx_graph::Attributes& attributes = {}, const std::string& name = "") {
    return graph_->add_node(graph_->main(), op_type, inputs, {name.empty() ? op_type + "_y" : name}, attributes)
        .output(0);
  }
  void output(Value* value, const tensor::Shape& shape) {
    graph_->set_type(*value, {type(tensor::Dtype::kFloat32), shape});
    graph_->add_output(*value);
  }
  [[nodiscard]] compile::onnx_graph::Model finish() {
    graph_.reset();
    return std::move(model_);
  }

 private:
  static int type(tensor::Dtype dtype) { return compile::onnx_graph::element_type_of_dtype(dtype); }
  compile::onnx_graph::Model model_;
  std::unique_ptr<compile::onnx_graph::Rewriter> graph_;
  std::mt19937 random_{17};
};

/// Normal numbers for each input, the same for the same sample.
inline Samples normal_samples(std::vector<tensor::TensorSpec> inputs, std::int64_t count, double size = 1) {
  return {count, [inputs = std::move(inputs), size](std::int64_t sample) -> base::Result<tensor::NamedTensors> {
            std::mt19937 state(static_cast<unsigned>(sample) + 1);
            std::normal_distribution<float> normal(0, static_cast<float>(size));
            tensor::NamedTensors made;
            for (const auto& input : inputs) {
              SLIPWAY_ASSIGN(auto tensor, tensor::Tensor::zeros(input.dtype, input.shape));
              for (float& number : tensor.values<float>()) number = normal(state);
              made.push_back({input.name, std::move(tensor)});
            }
            return made;
          }};
}

}  // namespace slipway::quantize::testing
