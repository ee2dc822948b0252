#include "compile/onnx_graph/type_rules.hpp"

#include <map>
#include <set>
#include <sstream>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/model.hpp"

/// The types of tests/golden/onnx_types are those that ONNX Runtime gives when it runs, and those that the `onnx`
/// package infers (python/reference/type_golden.py).
namespace slipway::compile::onnx_graph {
namespace {

using tensor::Shape;

struct Expected {
  std::string value;
  int element_type = 0;
  Shape run;
  std::optional<Shape> inferred;  ///< without running; -1: an open size
};

/// "[2,?,4]", or "-" for an unknown rank.
std::optional<Shape> shape_of(std::string text) {
  if (text == "-") return std::nullopt;
  Shape shape;
  std::istringstream sizes(text.substr(1, text.size() - 2));
  for (std::string size; std::getline(sizes, size, ',');) shape.push_back(size == "?" ? -1 : std::stoll(size));
  return shape;
}

std::vector<Expected> expected_types(int opset) {
  const auto text = base::read_file(fmt::format("tests/golden/onnx_types/opset{}.txt", opset), 1U << 20U);
  EXPECT_TRUE(text);
  std::istringstream lines(text.value_or(""));
  std::vector<Expected> all;
  Expected each;
  for (std::string run, inferred; lines >> each.value >> each.element_type >> run >> inferred;) {
    each.run = *shape_of(run);
    each.inferred = shape_of(inferred);
    all.push_back(each);
  }
  return all;
}

/// Whether what is known is so.
bool is_right(const Shape& found, const Shape& run) {
  if (found.size() != run.size()) return false;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] >= 0 && found[i] != run[i]) return false;
  }
  return true;
}

bool knows_less(const std::optional<Shape>& found, const std::optional<Shape>& inferred) {
  if (!found || !inferred) return inferred.has_value();
  for (std::size_t i = 0; i < found->size(); ++i) {
    if ((*found)[i] < 0 && (*inferred)[i] >= 0) return true;
  }
  return false;
}

class TypeRules : public ::testing::TestWithParam<int> {};

TEST_P(TypeRules, give_what_onnx_runtime_gives_and_know_what_the_onnx_package_infers) {
  auto model = Model::read(fmt::format("tests/golden/onnx_types/opset{}.onnx", GetParam()));
  ASSERT_TRUE(model) << model.error().message;
  Rewriter graph(*model);
  const InferredTypes types(graph);
  const auto expected = expected_types(GetParam());
  ASSERT_EQ(expected.size(), graph.main().outputs().size());
  std::map<std::string, int> less_known;
  for (const Expected& each : expected) {
    const Value* const value = graph.main().find(each.value);
    ASSERT_NE(value, nullptr) << each.value;
    const ValueType found = types.type(*value);
    EXPECT_EQ(found.element_type, each.element_type) << each.value;
    if (found.shape) {
      EXPECT_TRUE(is_right(*found.shape, each.run)) << each.value << " is " << to_string(found) << ", ran as ["
                                                    << fmt::format("{}", fmt::join(each.run, ",")) << ']';
    }
    if (knows_less(found.shape, each.inferred)) ++less_known[value->producer()->op_type()];
  }
  // Cases whose sizes nobody here needs: an open size that cancels, given output sizes and automatic pads, sizes
  // rounded up, scales, and operators that only move elements.
  const std::map<int, std::map<std::string, int>> may_know_less = {
      {9, {{"Upsample", 1}}},
      {21,
       {{"AveragePool", 1}, {"ConvTranspose", 2}, {"MaxPool", 1}, {"Reshape", 1}, {"Resize", 1}, {"SpaceToDepth", 1}}}};
  const auto of_set = may_know_less.find(GetParam());
  EXPECT_EQ(less_known, of_set == may_know_less.end() ? decltype(less_known){} : of_set->second);
}

INSTANTIATE_TEST_SUITE_P(OfOperatorSet, TypeRules, ::testing::Values(9, 11, 17, 21),
                         [](const auto& set) { return fmt::format("{}", set.param); });

TEST(TypeRulesOfReshape, believe_no_list_of_more_sizes_than_a_tensor_can_have) {
  Model model = Model::create(17, 8, "sizes", "slipway-tests");
  Rewriter graph(model);
  const auto input = [&](const char* name, tensor::Dtype dtype, Shape shape) {
    return &graph.add_input(graph.main(), name, {element_type_of_dtype(dtype), std::move(shape)});
  };
  Value* const data = input("data", tensor::Dtype::kFloat32, {4});
  Value* const sizes = input("sizes", tensor::Dtype::kInt64, {std::int64_t{1} << 60});
  for (const char* op_type : {"Reshape", "Expand", "ConstantOfShape"}) {
    const bool has_data = std::string_view(op_type) != "ConstantOfShape";
    std::vector<Value*> inputs = has_data ? std::vector<Value*>{data, sizes} : std::vector<Value*>{sizes};
    const Node& node = graph.add_node(graph.main(), op_type, std::move(inputs), {op_type});
    EXPECT_EQ(InferredTypes(graph).type(*node.output(0)).shape, std::nullopt) << op_type;
  }
}

TEST(TypeRuleTable, has_a_case_for_every_operator) {
  std::set<std::string, std::less<>> tried;
  for (const int opset : {9, 11, 17, 21}) {
    for (const Expected& each : expected_types(opset)) tried.insert(each.value.substr(0, each.value.find('_')));
  }
  for (const std::string_view op_type : type_rules::operators()) EXPECT_TRUE(tried.contains(op_type)) << op_type;
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
