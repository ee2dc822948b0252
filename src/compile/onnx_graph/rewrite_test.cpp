#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx.pb.h>

#include "base/files.hpp"
#include "compile/onnx_graph/channel_last.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/fold_constant_nodes.hpp"
#include "compile/onnx_graph/input_specs.hpp"
#include "compile/onnx_graph/rename_outputs.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "compile/onnx_graph/testing/python_oracle.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "compile/onnx_graph/truncate_64bit_io.hpp"
#include "compile/onnx_graph/truncate_64bit_tensors.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using tensor::Dtype;
using tensor::TensorSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorSpec spec(const char* name, Dtype dtype, tensor::Shape shape) {
  return {.name = name, .dtype = dtype, .shape = std::move(shape), .quantization = std::nullopt};
}

class Rewrite : public ::testing::Test {
 protected:
  static Model parse(const std::string& bytes) {
    auto model = Model::parse(bytes, {});
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return std::move(*model);
  }

  /// The `onnx` checker takes the result, and ONNX Runtime computes the same with it as with the source.
  void expect_same(const std::string& source, const Model& result) {
    ASSERT_TRUE(result.write(folder_.path() / "result.onnx"));
    testing::write(folder_.path() / "source.onnx", source);
    if (!testing::has_python_oracle()) GTEST_SKIP() << "needs .deps/venv";
    const auto answer =
        testing::ask_python_oracle({"same", folder_.path() / "source.onnx", folder_.path() / "result.onnx"});
    EXPECT_EQ(answer.status, 0) << answer.err;
  }

  static std::string message_of(const base::Result<void>& result) {
    return result ? "accepted" : result.error().message;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("rewrite-test").value();
};

TEST_F(Rewrite, input_specs_rename_in_order_and_fix_sizes) {
  Model model = parse(testing::conv_net(true));
  ASSERT_TRUE(apply_input_specs(model, {spec("picture", Dtype::kFloat32, {2, 3, 16, 16})}));
  const auto summary = model.summary();
  EXPECT_EQ(summary.inputs[0].name, "picture");
  EXPECT_EQ(summary.inputs[0].shape, (tensor::Shape{2, 3, 16, 16}));
  EXPECT_EQ(summary.outputs[0].shape, (tensor::Shape{2, 4, 8, 8}));  // the symbol "batch" became 2
  EXPECT_EQ(model.proto().graph().value_info_size(), 0);
  expect_same(testing::conv_net(true), model);
}

TEST_F(Rewrite, input_specs_with_the_models_own_names_match_by_name) {
  Model model = parse(testing::subtraction_net());
  ASSERT_TRUE(apply_input_specs(model, {spec("right", Dtype::kFloat32, {2}), spec("left", Dtype::kFloat32, {2})}));
  expect_same(testing::subtraction_net(), model);
}

TEST_F(Rewrite, input_specs_that_half_match_are_refused_as_unclear) {
  Model model = parse(testing::lookup_net());
  const auto outcome = apply_input_specs(model, {spec("offset", Dtype::kInt64, {6}), spec("more", Dtype::kInt64, {1})});
  EXPECT_THAT(message_of(outcome), HasSubstr("\"offset\" stands at position 1 but is the model's input 2"));
}

TEST_F(Rewrite, an_inner_value_steps_aside_for_a_new_name) {
  Model model = parse(testing::conv_net());
  ASSERT_TRUE(apply_input_specs(model, {spec("r1", Dtype::kFloat32, {1, 3, 16, 16})}));
  ASSERT_TRUE(rename_outputs(model, {"c1"}));
  EXPECT_EQ(model.summary().inputs[0].name, "r1");
  EXPECT_EQ(model.summary().outputs[0].name, "c1");
  expect_same(testing::conv_net(), model);
}

TEST_F(Rewrite, input_specs_that_do_not_fit_name_expected_and_found) {
  const auto refused = [](std::vector<TensorSpec> specs) {
    Model model = parse(testing::conv_net(true));
    return message_of(apply_input_specs(model, specs));
  };
  EXPECT_THAT(refused({spec("x", Dtype::kFloat32, {1, 4, 16, 16})}),
              HasSubstr("input \"x\" (\"image\" in the model): expected float32[?,3,16,16], found float32[1,4,16,16]"));
  EXPECT_THAT(refused({spec("x", Dtype::kFloat32, {3, 16, 16})}), HasSubstr("found float32[3,16,16]"));
  EXPECT_THAT(refused({spec("x", Dtype::kUint8, {1, 3, 16, 16})}), HasSubstr("found uint8[1,3,16,16]"));
  EXPECT_THAT(refused({spec("x", Dtype::kFloat32, {0, 3, 16, 16})}), HasSubstr("1 or more"));
  EXPECT_THAT(refused({}), HasSubstr("expected 1 (the model's inputs are image), found 0"));
  EXPECT_THAT(refused({spec("scores", Dtype::kFloat32, {1, 3, 16, 16})}), HasSubstr("an output's name"));
}

TEST_F(Rewrite, outputs_may_swap_names_and_handed_through_inputs_get_a_copy) {
  Model model = parse(testing::lookup_net());
  ASSERT_TRUE(rename_outputs(model, {"largest", "rows", "shifted"}));
  EXPECT_EQ(model.summary().outputs[0].name, "largest");
  expect_same(testing::lookup_net(), model);

  Model through = parse(testing::subtraction_net());
  ASSERT_TRUE(rename_outputs(through, {"d", "copy_of_left"}));
  EXPECT_EQ(through.summary().inputs[0].name, "left");
  expect_same(testing::subtraction_net(), through);
}

TEST_F(Rewrite, output_names_must_be_one_each_distinct_and_no_inputs) {
  const auto refused = [](std::vector<std::string> names) {
    Model model = parse(testing::lookup_net());
    return message_of(rename_outputs(model, names));
  };
  EXPECT_THAT(refused({"a"}), HasSubstr("expected 3 (the model's outputs are rows, picked, largest), found 1"));
  EXPECT_THAT(refused({"a", "a", "b"}), HasSubstr("\"a\" is given twice"));
  EXPECT_THAT(refused({"a", "ids", "b"}), HasSubstr("\"ids\" is the name of an input"));
  EXPECT_THAT(refused({"a", "", "b"}), HasSubstr("empty"));
}

TEST_F(Rewrite, truncated_io_is_32_bit_outside_and_computes_the_same) {
  Model model = parse(testing::lookup_net());
  const auto changed = truncate_64bit_io(model);
  ASSERT_TRUE(changed);
  EXPECT_THAT(*changed, ElementsAre("ids", "offset", "picked", "largest"));
  for (const auto& input : model.summary().inputs) EXPECT_EQ(input.dtype, Dtype::kInt32) << input.name;
  EXPECT_EQ(model.summary().outputs[1].dtype, Dtype::kInt32);
  expect_same(testing::lookup_net(), model);
}

TEST_F(Rewrite, truncated_tensors_are_32_bit_inside_and_compute_the_same) {
  Model model = parse(testing::lookup_net());
  const auto count = truncate_64bit_tensors(model);
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 2);  // Add and Mul; TopK and Reshape insist on 64 bits
  for (const auto& tensor : model.proto().graph().initializer()) {
    EXPECT_NE(tensor.name(), "three") << "the 64-bit constant is no longer read";
  }
  EXPECT_EQ(model.summary().inputs[0].dtype, Dtype::kInt64);
  expect_same(testing::lookup_net(), model);
}

TEST_F(Rewrite, both_truncations_leave_no_64_bit_arithmetic) {
  Model model = parse(testing::lookup_net());
  ASSERT_TRUE(truncate_64bit_io(model));
  ASSERT_TRUE(truncate_64bit_tensors(model));
  Rewriter rewriter(model);
  for (const Node* node : rewriter.main().nodes()) {
    if (node->op_type() != "Add" && node->op_type() != "Mul" && node->op_type() != "Gather") continue;
    const Value& read = *node->input(node->op_type() == "Gather" ? 1 : 0);
    EXPECT_EQ(read.type().element_type, element_type_of_dtype(Dtype::kInt32)) << node->name();
  }
  expect_same(testing::lookup_net(), model);
}

TEST_F(Rewrite, constants_that_need_64_bits_keep_them) {
  Model model = parse(testing::lookup_net((std::int64_t{1} << 32) + 3));
  const auto count = truncate_64bit_tensors(model);
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 1);  // the Add alone
}

TEST_F(Rewrite, channel_last_turns_inputs_and_outputs_and_computes_the_same) {
  Model model = parse(testing::conv_net());
  ASSERT_TRUE(channel_last_inputs(model, {"image"}));
  ASSERT_TRUE(channel_last_outputs(model, {"scores"}));
  EXPECT_EQ(model.summary().inputs[0].shape, (tensor::Shape{1, 16, 16, 3}));
  EXPECT_EQ(model.summary().outputs[0].shape, (tensor::Shape{1, 8, 8, 4}));
  expect_same(testing::conv_net(), model);
}

TEST_F(Rewrite, channel_last_refuses_unknown_names_and_flat_tensors) {
  Model model = parse(testing::conv_net());
  EXPECT_THAT(message_of(channel_last_inputs(model, {"imgae"})), HasSubstr("the inputs are image"));
  EXPECT_THAT(message_of(channel_last_outputs(model, {"image"})), HasSubstr("the outputs are scores"));
  EXPECT_THAT(message_of(channel_last_inputs(model, {"image", "image"})), HasSubstr("named twice"));
  Model flat = parse(testing::lookup_net());
  EXPECT_THAT(message_of(channel_last_outputs(flat, {"rows"})), HasSubstr("found float32[6,4]"));
}

TEST_F(Rewrite, constant_nodes_become_initializers) {
  Model model = parse(testing::conv_net());
  EXPECT_EQ(fold_constant_nodes(model), 1);
  for (const auto& node : model.proto().graph().node()) EXPECT_NE(node.op_type(), "Constant");
  expect_same(testing::conv_net(), model);
}

TEST_F(Rewrite, initializers_leave_the_inputs_of_old_models) {
  Model model = parse(testing::lookup_net());
  model.mutable_proto().set_ir_version(3);
  auto& table = *model.mutable_proto().mutable_graph()->add_input();
  table.set_name("table");
  fold_constant_nodes(model);
  EXPECT_EQ(model.proto().graph().input_size(), 2);
  EXPECT_EQ(model.proto().ir_version(), 4);
}

// The patterns that text encoders, exports from TensorFlow and control flow bring. -----------------------------------

void truncate_all(Model& model) {
  ASSERT_TRUE(truncate_64bit_io(model));
  ASSERT_TRUE(truncate_64bit_tensors(model));
}

class RewriteOfInput : public Rewrite, public ::testing::WithParamInterface<decltype(&testing::positions_net)> {};

TEST_P(RewriteOfInput, that_the_graph_reads_as_well_is_truncated_inside_and_outside) {
  Model model = parse(GetParam()());
  truncate_all(model);
  EXPECT_EQ(model.summary().inputs[0].dtype, Dtype::kInt32);
  expect_same(GetParam()(), model);
}
INSTANTIATE_TEST_SUITE_P(by_shape, RewriteOfInput, ::testing::Values(&testing::positions_net));
INSTANTIATE_TEST_SUITE_P(by_argmax, RewriteOfInput, ::testing::Values(&testing::last_token_net));

TEST_F(Rewrite, new_nodes_take_no_name_that_is_there) {
  Model model = parse(testing::clashing_names_net());
  truncate_all(model);
  ASSERT_TRUE(channel_last_outputs(model, {"y", "z_abs"}));
  EXPECT_EQ(model.summary().outputs[0].dtype, Dtype::kInt32);
  EXPECT_EQ(model.summary().outputs[2].dtype, Dtype::kInt32) << "an output that stands in the list twice";
  expect_same(testing::clashing_names_net(), model);
}

TEST_F(Rewrite, an_output_that_stands_in_the_list_twice_can_get_two_names) {
  Model model = parse(testing::clashing_names_net());
  ASSERT_TRUE(rename_outputs(model, {"z_abs", "y", "again"}));
  EXPECT_EQ(model.summary().outputs[0].name, "z_abs");
  EXPECT_EQ(model.summary().outputs[2].name, "again");
  expect_same(testing::clashing_names_net(), model);
}

TEST_F(Rewrite, inputs_are_renamed_and_narrowed_into_inner_graphs) {
  Model model = parse(testing::branching_net());
  // Each new name is taken: by a value of an inner graph, by one two graphs down, by an inner value of the main graph.
  ASSERT_TRUE(apply_input_specs(model, {spec("inner", Dtype::kFloat32, {2, 3}), spec("rows", Dtype::kInt64, {2}),
                                        spec("hidden", Dtype::kBool, {})}));
  truncate_all(model);
  EXPECT_EQ(model.summary().inputs[1].dtype, Dtype::kInt32);
  expect_same(testing::branching_net(), model);
}

TEST_F(Rewrite, outputs_take_names_that_inner_graphs_use) {
  Model model = parse(testing::branching_net());
  ASSERT_TRUE(rename_outputs(model, {"inner", "rows"}));
  expect_same(testing::branching_net(), model);
}

TEST_F(Rewrite, calls_of_local_functions_keep_their_64_bits) {
  Model model = parse(testing::function_net());
  ASSERT_TRUE(apply_input_specs(model, {spec("x", Dtype::kInt64, {3})}));
  truncate_all(model);
  ASSERT_TRUE(rename_outputs(model, {"y"}));
  expect_same(testing::function_net(), model);
}

TEST_F(Rewrite, an_input_that_is_handed_through_is_renamed_without_its_output) {
  Model model = parse(testing::subtraction_net());
  ASSERT_TRUE(apply_input_specs(model, {spec("a", Dtype::kFloat32, {2}), spec("b", Dtype::kFloat32, {2})}));
  EXPECT_EQ(model.summary().inputs[0].name, "a");
  EXPECT_EQ(model.summary().outputs[1].name, "left");
  expect_same(testing::subtraction_net(), model);
}

TEST_F(Rewrite, graphs_of_very_old_opsets_are_refused) {
  Model model = parse(testing::conv_net());
  model.mutable_proto().mutable_opset_import(0)->set_version(6);
  EXPECT_THAT(message_of(channel_last_inputs(model, {"image"})), HasSubstr("opset 6"));
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
