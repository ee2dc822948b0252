#include "convert/operators/lower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/rewriter.hpp"
#include "convert/operators/table.hpp"

namespace slipway::convert::operators {
namespace {

using aten::Graph;
using aten::ScalarType;
using aten::ValueId;
using ::testing::HasSubstr;

ValueId add_input(Graph& graph, const std::string& name, std::vector<aten::Dimension> sizes,
                  ScalarType dtype = ScalarType::kFloat32) {
  const ValueId value = graph.add_value(name, aten::TensorMeta{dtype, std::move(sizes)});
  graph.inputs.push_back({value, name});
  return value;
}

ValueId call(Graph& graph, const std::string& name, std::vector<aten::NamedArgument> arguments,
             std::optional<aten::TensorMeta> meta = std::nullopt) {
  const ValueId value = graph.add_value(name + "_result", std::move(meta));
  graph.nodes.push_back({name, std::move(arguments), {{{value}, false}}, {"block.0", "net.py:7: y = f(x)"}});
  return value;
}

void give(Graph& graph, ValueId value) {
  graph.outputs.push_back({aten::Reference{value}, graph.values[value].name});
}

std::vector<std::string> operators_of(compile::onnx_graph::Model& model) {
  std::vector<std::string> names;
  compile::onnx_graph::Rewriter rewriter(model);
  for (const auto* node : rewriter.main().nodes()) names.push_back(node->op_type());
  return names;
}

TEST(Lower, names_nodes_by_module_path_and_operator) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{2, ""}, {3, ""}});
  give(graph, call(graph, "aten.sigmoid.default", {{"self", aten::Reference{x}}}));
  auto model = lower(graph, {});
  ASSERT_TRUE(model) << model.error().message;
  compile::onnx_graph::Rewriter rewriter(*model);
  EXPECT_EQ(rewriter.main().nodes().front()->name(), "block.0/sigmoid");
  EXPECT_EQ(rewriter.main().outputs().front()->name(), "aten.sigmoid.default_result");
}

TEST(Lower, finds_the_overload_by_the_arguments_when_the_archive_leaves_it_out) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{2, ""}, {3, ""}});
  const ValueId n = call(graph, "aten.size", {{"", aten::Reference{x}}, {"", std::int64_t{1}}});
  const ValueId twice = call(graph, "aten.mul", {{"", aten::Reference{n}}, {"", std::int64_t{2}}});
  give(graph, call(graph, "aten.view", {{"", aten::Reference{x}}, {"", aten::List{aten::Reference{twice}}}}));
  auto model = lower(graph, {});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->summary().outputs.front().shape, (tensor::Shape{6})) << "2 × 3 is computed while converting";
  EXPECT_EQ(operators_of(*model), (std::vector<std::string>{"Reshape"}));
}

TEST(Lower, leaves_neither_computed_constants_nor_what_nothing_reads) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{4, ""}});
  const ValueId count = call(graph, "aten.arange.default", {{"end", std::int64_t{4}}});
  const ValueId odd = call(graph, "aten.add.Tensor", {{"self", aten::Reference{count}}, {"other", std::int64_t{1}}});
  call(graph, "aten.exp.default", {{"self", aten::Reference{x}}});  // read by nothing
  give(graph, call(graph, "aten.mul.Tensor", {{"self", aten::Reference{x}}, {"other", aten::Reference{odd}}}));
  auto model = lower(graph, {});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(operators_of(*model), (std::vector<std::string>{"Mul"}));
}

TEST(Lower, keeps_open_sizes_by_name_and_fixes_them_by_specs) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{std::nullopt, "s0"}, {3, ""}});
  graph.symbols["s0"] = {2, 8};
  give(graph, call(graph, "aten.relu.default", {{"self", aten::Reference{x}}},
                   aten::TensorMeta{ScalarType::kFloat32, {{std::nullopt, "s0"}, {3, ""}}}));
  auto open = lower(graph, {});
  ASSERT_TRUE(open) << open.error().message;
  {
    compile::onnx_graph::Rewriter rewriter(*open);
    EXPECT_EQ(rewriter.main().inputs().front()->dimension_names(), (std::vector<std::string>{"s0", ""}));
  }
  EXPECT_EQ(open->summary().outputs.front().shape, (tensor::Shape{-1, 3}));
  LoweringOptions options;
  options.input_specs = {{.name = "picture", .dtype = tensor::Dtype::kFloat32, .shape = {4, 3}, .quantization = {}}};
  auto fixed = lower(graph, options);
  ASSERT_TRUE(fixed) << fixed.error().message;
  EXPECT_EQ(fixed->summary().inputs.front().name, "picture");
  EXPECT_EQ(fixed->summary().outputs.front().shape, (tensor::Shape{4, 3}));
  options.input_specs.front().shape = {9, 3};
  auto beyond = lower(graph, options);
  ASSERT_FALSE(beyond);
  EXPECT_THAT(beyond.error().message, HasSubstr("from 2 to 8, found 9"));
}

TEST(Lower, refuses_what_the_table_lacks_with_its_place) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{2, ""}});
  give(graph, call(graph, "aten.no_such_operator.default", {{"self", aten::Reference{x}}}));
  const auto model = lower(graph, {});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, base::Code::kUnimplemented);
  EXPECT_THAT(model.error().message, HasSubstr("aten.no_such_operator.default (1 times)"));
  EXPECT_THAT(model.error().message, HasSubstr("in block.0 (net.py:7: y = f(x))"));
}

TEST(Lower, says_when_a_declaration_contradicts_the_nodes) {
  Graph graph;
  const ValueId x = add_input(graph, "x", {{2, ""}, {3, ""}});
  give(graph, call(graph, "aten.t.default", {{"self", aten::Reference{x}}},
                   aten::TensorMeta{ScalarType::kFloat32, {{2, ""}, {3, ""}}}));
  const auto model = lower(graph, {});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("as float32[2,3], it is float32[3,2]"));
}

TEST(Lower, promotes_types_by_category_as_aten_does) {
  Graph graph;
  const ValueId half = add_input(graph, "half", {{2, ""}}, ScalarType::kFloat16);
  const ValueId count = add_input(graph, "count", {{2, ""}}, ScalarType::kInt32);
  const ValueId scalar = add_input(graph, "scalar", {}, ScalarType::kFloat64);
  const auto sum = [&](aten::Argument a, aten::Argument b) {
    give(graph, call(graph, "aten.add.Tensor", {{"self", std::move(a)}, {"other", std::move(b)}}));
  };
  sum(aten::Reference{half}, 2.5);                      // a number does not widen a float
  sum(aten::Reference{half}, aten::Reference{scalar});  // nor does a tensor of rank 0
  sum(aten::Reference{count}, 2.5);                     // a float number makes a float
  sum(aten::Reference{count}, aten::Reference{half});
  sum(aten::Reference{count}, aten::Reference{scalar});
  auto model = lower(graph, {});
  ASSERT_TRUE(model) << model.error().message;
  using enum tensor::Dtype;
  std::vector<tensor::Dtype> types;
  for (const auto& output : model->summary().outputs) types.push_back(output.dtype);
  EXPECT_EQ(types, (std::vector{kFloat16, kFloat16, kFloat32, kFloat16, kFloat64}));
}

TEST(Lower, a_number_that_is_stored_as_a_tensor_widens_no_type) {
  const double half = 0.5;
  Graph graph;
  const ValueId count = add_input(graph, "count", {{2, ""}}, ScalarType::kInt32);
  for (const bool is_number : {true, false}) {
    const ValueId stored = graph.add_value("CONSTANTS.c0", aten::TensorMeta{ScalarType::kFloat64, {}});
    graph.stored.push_back({stored,
                            aten::StoredKind::kConstant,
                            is_number ? "number" : "tensor",
                            {ScalarType::kFloat64, {}, {}, std::as_bytes(std::span(&half, 1)), nullptr},
                            is_number});
    give(graph, call(graph, "aten.mul", {{"", aten::Reference{count}}, {"", aten::Reference{stored}}}));
    // What an operator gives is a tensor, also where it gives what it got.
    const ValueId moved = call(graph, "aten.detach.default", {{"self", aten::Reference{stored}}});
    give(graph, call(graph, "aten.mul.Tensor", {{"self", aten::Reference{count}}, {"other", aten::Reference{moved}}}));
  }
  auto model = lower(graph, {});
  ASSERT_TRUE(model) << model.error().message;
  using enum tensor::Dtype;
  std::vector<tensor::Dtype> types;
  for (const auto& output : model->summary().outputs) types.push_back(output.dtype);
  EXPECT_EQ(types, (std::vector{kFloat32, kFloat64, kFloat64, kFloat64}));
}

TEST(Lower, finds_operators_with_and_without_overload) {
  EXPECT_EQ(find_rows("aten.conv2d.default").size(), 1U);
  EXPECT_GT(find_rows("aten.add").size(), 1U);
  EXPECT_TRUE(find_rows("aten.nothing_of_that_name").empty());
}

}  // namespace
}  // namespace slipway::convert::operators
