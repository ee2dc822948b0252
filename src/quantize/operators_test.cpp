#include <algorithm>
#include <set>

#include "quantize/testing/operator_cases.hpp"
#include "quantize/testing/quantize_test.hpp"
#include <gmock/gmock.h>

namespace slipway::quantize {
namespace {

using compile::onnx_graph::Model;
using compile::onnx_graph::Rewriter;
using testing::FloatGraph;
using ::testing::IsEmpty;
using testing::model_of;
using testing::operator_cases;
using testing::OperatorCase;
using testing::operators_of;
using Value = FloatGraph::Value;

class QuantizeOperators : public testing::QuantizeTest {};

TEST_F(QuantizeOperators, leaves_every_operator_near_its_float_self) {
  for (const OperatorCase& each : operator_cases()) {
    const Model model = model_of(each);
    for (const auto type :
         {ActivationType::kUint8, ActivationType::kInt8, ActivationType::kUint16, ActivationType::kInt16}) {
      SCOPED_TRACE(each.name + " " + std::string(type_name(type)));
      Options options;
      options.activations = type;
      const auto quantized = quantize_copy(model, options, 12);
      ASSERT_TRUE(quantized) << quantized.error().message;
      EXPECT_THAT(quantized->without, IsEmpty());
      EXPECT_THAT(quantized->float_nodes, IsEmpty());
      const auto compared = compare(model, *quantized);
      ASSERT_EQ(compared.outputs.size(), 1U);
      EXPECT_GT(compared.outputs[0].sqnr_db, each.lowest_db) << compared.outputs[0].alarm;
    }
  }
}

TEST_F(QuantizeOperators, keeps_names_types_and_shapes_of_inputs_and_outputs) {
  const Model model = model_of(operator_cases().front());
  const auto quantized = quantize_copy(model);
  ASSERT_TRUE(quantized) << quantized.error().message;
  const auto before = model.summary(), after = quantized->model.summary();
  EXPECT_EQ(before.inputs, after.inputs);
  ASSERT_EQ(after.outputs.size(), 1U);
  EXPECT_EQ(after.outputs[0].name, before.outputs[0].name);
  EXPECT_EQ(after.outputs[0].shape, before.outputs[0].shape);
  EXPECT_EQ(after.outputs[0].dtype, tensor::Dtype::kFloat32);
}

TEST_F(QuantizeOperators, makes_a_relu_part_of_the_encoding_before_it) {
  const auto quantized = quantize_copy(model_of(operator_cases().front()));
  ASSERT_TRUE(quantized) << quantized.error().message;
  // Relu gives the output, so the node stays; nothing is stored between it and the convolution.
  EXPECT_EQ(operators_of(quantized->model).at("QuantizeLinear"), 2);

  FloatGraph graph;
  Value* const image = graph.input("image", {1, 3, 4, 4});
  Value* const relu = graph.node("Relu", {graph.node("Conv", {image, graph.random({4, 3, 1, 1})})});
  graph.output(graph.node("Conv", {relu, graph.random({2, 4, 1, 1})}), {1, 2, 4, 4});
  const Model model = graph.finish();
  const auto inner = quantize_copy(model);
  ASSERT_TRUE(inner) << inner.error().message;
  EXPECT_FALSE(operators_of(inner->model).contains("Relu"));
  EXPECT_GT(compare(model, *inner).outputs[0].sqnr_db, 30);
}

TEST_F(QuantizeOperators, leaves_shapes_indices_and_limits_as_they_are) {
  for (const OperatorCase& each : operator_cases()) {
    if (each.name != "Resize" && each.name != "Pad" && each.name != "Slice" && each.name != "Reshape") continue;
    auto quantized = quantize_copy(model_of(each));
    ASSERT_TRUE(quantized) << quantized.error().message;
    Rewriter graph(quantized->model);
    for (const auto* node : graph.main().nodes()) {
      if (!node->is(each.name)) continue;
      for (std::size_t i = 1; i < node->inputs().size(); ++i) {
        EXPECT_TRUE(node->input(i) == nullptr || node->input(i)->is_constant()) << each.name << " input " << i;
      }
    }
  }
}

TEST_F(QuantizeOperators, shares_encodings_through_what_only_moves) {
  for (const OperatorCase& each : operator_cases()) {
    const std::vector<std::string> movers = {"MaxPool", "Reshape", "Transpose", "Slice", "Concat", "Resize", "Pad"};
    if (std::ranges::find(movers, each.name) == movers.end()) continue;
    const auto quantized = quantize_copy(model_of(each));
    ASSERT_TRUE(quantized) << quantized.error().message;
    std::set<std::pair<float, std::int64_t>> encodings;
    for (const auto& tensor : quantized->tensors) {
      if (tensor.name != "image") encodings.emplace(tensor.encoding.scale, tensor.encoding.zero_point);
    }
    EXPECT_EQ(encodings.size(), 1U) << each.name;
  }
}

}  // namespace
}  // namespace slipway::quantize
