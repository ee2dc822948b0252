#pragma once

#include <functional>
#include <string>
#include <vector>

#include "quantize/testing/float_graph.hpp"

#include "compile/onnx_graph/model.hpp"

namespace slipway::quantize::testing {

/// One operator between a convolution and an output, and how good 8 bits must be.
struct OperatorCase {
  std::string name;
  std::function<FloatGraph::Value*(FloatGraph&, FloatGraph::Value*)> build;
  tensor::Shape shape = {1, 8, 6, 6};
  double lowest_db = 30;
};

inline std::vector<OperatorCase> operator_cases() {
  const auto unary = [](const std::string& op_type, const compile::onnx_graph::Attributes& attributes = {}) {
    return [=](FloatGraph& graph, FloatGraph::Value* x) { return graph.node(op_type, {x}, attributes); };
  };
  const compile::onnx_graph::Attributes pool = {{"kernel_shape", std::vector<std::int64_t>{2, 2}},
                                                {"strides", std::vector<std::int64_t>{2, 2}}};
  return {
      {"Relu", unary("Relu")},
      {"Clip",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Clip", {x, g.floats({}, {0}), g.floats({}, {1.5F})});
       }},
      {"LeakyRelu", unary("LeakyRelu")},
      {"PRelu",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("PRelu", {x, g.random({8, 1, 1})});
       }},
      {"Sigmoid", unary("Sigmoid")},
      {"HardSigmoid", unary("HardSigmoid")},
      {"Tanh", unary("Tanh")},
      {"Softmax", unary("Softmax", {{"axis", std::int64_t{1}}})},
      {"HardSwish", unary("HardSwish")},
      {"Silu",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Mul", {x, g.node("Sigmoid", {x})});
       }},
      {"AddConstant",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Add", {x, g.random({1, 8, 1, 1})});
       }},
      {"AddResidual",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Add", {x, g.node("Relu", {x})});
       }},
      {"Sub",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Sub", {g.random({1, 8, 1, 1}), x});
       }},
      {"Div",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Div", {x, g.floats({}, {3.0F})});
       }},
      {"Pow",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Pow", {x, g.floats({}, {2.0F})});
       }},
      {"MaxPool", unary("MaxPool", pool), {1, 8, 3, 3}},
      {"AveragePool", unary("AveragePool", pool), {1, 8, 3, 3}},
      {"GlobalAveragePool", unary("GlobalAveragePool"), {1, 8, 1, 1}},
      {"ReduceMean", unary("ReduceMean", {{"axes", std::vector<std::int64_t>{2, 3}}}), {1, 8, 1, 1}},
      {"Reshape",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Reshape", {x, g.integers({1, 288})});
       },
       {1, 288}},
      {"Transpose", unary("Transpose", {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}), {1, 6, 6, 8}},
      {"Slice",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Slice", {x, g.integers({1}), g.integers({5}), g.integers({1})});
       },
       {1, 4, 6, 6}},
      {"Concat",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Concat", {x, g.node("Relu", {x})}, {{"axis", std::int64_t{1}}});
       },
       {1, 16, 6, 6}},
      {"Resize",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Resize", {x, nullptr, g.floats({4}, {1, 1, 2, 2})}, {{"mode", std::string("nearest")}});
       },
       {1, 8, 12, 12}},
      {"Pad",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Pad", {x, g.integers({0, 0, 1, 1, 0, 0, 1, 1})});
       },
       {1, 8, 8, 8}},
      {"ConvTranspose",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("ConvTranspose", {x, g.random({8, 4, 2, 2}), g.random({4})});
       },
       {1, 4, 7, 7}},
      {"GroupedConvTranspose",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("ConvTranspose", {x, g.random({8, 2, 2, 2}), g.random({4})}, {{"group", std::int64_t{2}}});
       },
       {1, 4, 7, 7}},
      {"Gemm",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("Gemm", {g.node("Flatten", {x}), g.random({5, 288}), g.random({5})},
                       {{"transB", std::int64_t{1}}});
       },
       {1, 5}},
      {"MatMul",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("MatMul", {x, g.random({6, 5})});
       },
       {1, 8, 6, 5}},
      {"MatMulOfActivations",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("MatMul", {x, g.node("Sigmoid", {x})});
       }},
      {"InstanceNormalization",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("InstanceNormalization", {x, g.random({8}), g.random({8})});
       }},
      {"LayerNormalization",
       [](FloatGraph& g, FloatGraph::Value* x) {
         return g.node("LayerNormalization", {x, g.random({6}), g.random({6})});
       }},
  };
}

/// image -> Conv -> the operator -> y.
inline compile::onnx_graph::Model model_of(const OperatorCase& each) {
  FloatGraph graph;
  FloatGraph::Value* const image = graph.input("image", {1, 3, 6, 6});
  FloatGraph::Value* const features = graph.node("Conv", {image, graph.random({8, 3, 3, 3}, 0.3), graph.random({8})},
                                                 {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}, "features");
  graph.output(each.build(graph, features), each.shape);
  return graph.finish();
}

}  // namespace slipway::quantize::testing
