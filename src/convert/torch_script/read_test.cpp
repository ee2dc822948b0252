#include "convert/torch_script/read.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::convert::torch_script {
namespace {

using tensor::Dtype;
using tensor::TensorSpec;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Archives that PyTorch wrote, and copies of one with another pickle: python/reference/convert/torch_script_golden.py.
base::Result<aten::Graph> read_golden(const std::string& name, const std::vector<TensorSpec>& inputs = {}) {
  SLIPWAY_ASSIGN(const auto archive, archive::ZipArchive::open("tests/golden/convert/torch_script/" + name + ".pt"));
  EXPECT_TRUE(is_torch_script(archive));
  return read(archive, inputs);
}

std::vector<std::string> operators(const aten::Graph& graph) {
  std::vector<std::string> names;
  for (const aten::Node& node : graph.nodes) names.push_back(node.operator_name);
  return names;
}
std::vector<std::string> output_names(const aten::Graph& graph) {
  std::vector<std::string> names;
  for (const aten::GraphOutput& output : graph.outputs) names.push_back(output.name);
  return names;
}

TEST(TorchScript, a_trace_becomes_the_calls_of_its_modules_under_their_paths) {
  const auto graph = read_golden("picture", {{"image", Dtype::kFloat32, {1, 8, 6, 3}, {}}});
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->inputs.size(), 1U);
  EXPECT_EQ(graph->inputs[0].name, "image");
  EXPECT_EQ(aten::to_string(*graph->values[graph->inputs[0].value].meta), "float32[1,8,6,3]");
  EXPECT_THAT(output_names(*graph), ElementsAre("output_0", "output_1"));
  std::vector<std::string> paths;
  for (const aten::Node& node : graph->nodes) {
    if (node.operator_name == "aten._convolution") paths.push_back(node.source.module_path);
  }
  EXPECT_THAT(paths, ElementsAre("stem", "blocks.0.conv", "blocks.1.conv"));
  EXPECT_THAT(operators(*graph), Contains("aten.relu_"));
  const auto weight = std::ranges::find(graph->stored, "blocks.1.conv.weight", &aten::StoredValue::name);
  ASSERT_NE(weight, graph->stored.end());
  EXPECT_EQ(weight->kind, aten::StoredKind::kParameter);
  EXPECT_EQ(weight->tensor.bytes.size(), 4U * 4 * 3 * 3 * sizeof(float));
  const auto variance = std::ranges::find(graph->stored, "blocks.0.norm.running_var", &aten::StoredValue::name);
  ASSERT_NE(variance, graph->stored.end());
  EXPECT_EQ(variance->kind, aten::StoredKind::kBuffer);
  const auto first = std::ranges::find(graph->nodes, "aten._convolution", &aten::Node::operator_name);
  EXPECT_THAT(first->source.line, HasSubstr("code/__torch__/torch/nn/modules/conv.py:12: "));
  EXPECT_THAT(first->source.line, ContainsRegex(", of torch_script_golden.py:[0-9]+: forward")) << "the user's line";
}

TEST(TorchScript, without_specs_the_example_inputs_of_the_trace_say_the_shapes) {
  const auto graph = read_golden("calls_scripted");
  ASSERT_TRUE(graph) << graph.error().message;
  ASSERT_EQ(graph->inputs.size(), 2U);
  EXPECT_EQ(graph->inputs[0].name, "pair_0");
  EXPECT_EQ(aten::to_string(*graph->values[graph->inputs[1].value].meta), "float32[2,3]");
}

TEST(TorchScript, scripted_functions_are_followed_where_their_conditions_are_constant) {
  const auto traced = read_golden("calls_scripted");
  ASSERT_TRUE(traced) << traced.error().message;
  EXPECT_THAT(output_names(*traced), ElementsAre("gated", "shifted"));
  EXPECT_THAT(operators(*traced), Contains("aten.tanh"));
  EXPECT_THAT(operators(*traced), ::testing::Not(Contains("aten.sigmoid")));

  const auto scripted = read_golden("scripted", {{"x", Dtype::kFloat32, {2, 4}, {}}});
  ASSERT_TRUE(scripted) << scripted.error().message;
  EXPECT_THAT(operators(*scripted), ElementsAre("aten.mul", "aten.mul", "aten.mul", "aten.linear", "aten.linear",
                                                "aten.mul", "aten.cat", "aten.cat", "aten.add"));
}

TEST(TorchScript, checks_that_raise_are_left_out_where_nothing_tells_how_they_end) {
  const auto graph = read_golden("checked", {{"x", Dtype::kFloat32, {1, 2, 5, 6}, {}}});
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_THAT(operators(*graph), Contains("aten.batch_norm"));
  EXPECT_THAT(operators(*graph), Contains("aten.add")) << "of the branch that does not raise";
}

TEST(TorchScript, numbers_that_a_trace_stores_as_tensors_are_numbers) {
  const auto graph = read_golden("numbers", {{"count", Dtype::kInt64, {5}, {}}});
  ASSERT_TRUE(graph) << graph.error().message;
  for (const aten::StoredValue& stored : graph->stored) {
    EXPECT_EQ(stored.is_number, stored.name != "wide") << stored.name;
  }
  EXPECT_GE(graph->stored.size(), 3U);
}

TEST(TorchScript, other_inputs_than_the_model_takes_are_refused_with_those_that_it_takes) {
  const TensorSpec one{"x", Dtype::kFloat32, {2, 6}, {}};
  for (const std::vector<TensorSpec>& specs : {std::vector{one}, std::vector{one, one, one}}) {
    const auto graph = read_golden("calls_scripted", specs);
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, base::Code::kInvalidArgument);
    EXPECT_THAT(graph.error().message, HasSubstr("takes 2 inputs (pair_0, pair_1)"));
  }
}

TEST(TorchScript, what_depends_on_data_is_refused_with_the_line_and_the_way_out) {
  for (const char* name : {"branch_on_data", "loop_on_data"}) {
    const auto graph = read_golden(name, {{"x", Dtype::kFloat32, {2}, {}}});
    ASSERT_FALSE(graph) << name;
    EXPECT_EQ(graph.error().code, base::Code::kUnimplemented);
    EXPECT_THAT(graph.error().message, HasSubstr("code/__torch__.py:"));
    EXPECT_THAT(graph.error().message, HasSubstr("torch.sum(x)"));
    EXPECT_THAT(graph.error().message,
                ContainsRegex("of torch_script_golden.py:[0-9]+: (if bool|for _ in range.int).x.sum"));
    EXPECT_THAT(graph.error().message, HasSubstr("export the model by torch.export"));
  }
  EXPECT_THAT(read_golden("keeps_state").error().message, HasSubstr("changes its tensor 'seen'"));
}

TEST(TorchScript, hostile_code_ends_in_words) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"call_of_nothing", ""},
      {"calls_itself", "nested more than 900 levels deep"},
      {"endless_loop", "does not end"},
      {"twice_at_each_level", "lists are nested too deeply"},
      {"deep_brackets", "nested at most 500 levels deep"},
      {"divides_by_zero", "divides by zero"},
      {"imports", "'__import__' is not among what PyTorch writes"},
  };
  for (const auto& [name, message] : cases) {
    const auto graph = read_golden("hostile_" + name, {{"x", Dtype::kFloat32, {2}, {}}});
    if (message.empty()) continue;  // becomes a node that no table knows
    ASSERT_FALSE(graph) << name;
    EXPECT_THAT(graph.error().message, HasSubstr(message)) << name;
  }
}

TEST(TorchScript, hostile_pickles_are_refused_by_name_and_nothing_is_called) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"global", "'__builtin__.eval' is not among what a TorchScript archive is made of"},
      {"system", "'os.system' is not among"},
      {"opcode", "protocol 4"},
      {"memo_bomb", "holds a tuple where a model is expected"},
      {"deep", "holds a tuple where a model is expected"},
      {"circle", "holds a list where a model is expected"},
      {"cut_short", "cut short"},
      {"empty_stack", "byte 2 (REDUCE): nothing is on the stack"},
      {"storage_size", "should hold 32 elements of float32, and its entry has 64 bytes"},
      {"beyond_storage", "does not lie in its storage of 16 elements"},
      {"overlapping", "each element at a place of its own"},
      {"product_overflow", "more elements than can be counted"},
      {"negative_size", "no natural number"},
      {"many_objects", "more than 4000000 objects"},
  };
  for (const auto& [name, message] : cases) {
    const auto graph = read_golden("hostile_" + name);
    ASSERT_FALSE(graph) << name;
    EXPECT_THAT(graph.error().message, HasSubstr(message)) << name;
  }
}

}  // namespace
}  // namespace slipway::convert::torch_script
