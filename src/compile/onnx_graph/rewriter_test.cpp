#include "compile/onnx_graph/rewriter.hpp"

#include <array>
#include <map>
#include <numeric>
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/onnx_graph/testing/python_oracle.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using tensor::Dtype;
using tensor::Shape;
using ::testing::ElementsAre;
using ::testing::IsNull;

const int kFloat = element_type_of_dtype(Dtype::kFloat32);

class RewriterOperations : public ::testing::Test {
 protected:
  static Model parse(const std::string& bytes) {
    auto model = Model::parse(bytes, {});
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return std::move(*model);
  }

  /// The `onnx` checker takes both files, and ONNX Runtime computes the same with them.
  void expect_same_files(const std::filesystem::path& source, const std::filesystem::path& result) {
    if (!testing::has_python_oracle()) GTEST_SKIP() << "needs .deps/venv";
    const auto answer = testing::ask_python_oracle({"same", source, result});
    EXPECT_EQ(answer.status, 0) << answer.err;
  }
  void expect_same(const std::string& source, const Model& result) {
    ASSERT_TRUE(result.write(folder_.path() / "result.onnx"));
    testing::write(folder_.path() / "source.onnx", source);
    expect_same_files(folder_.path() / "source.onnx", folder_.path() / "result.onnx");
  }

  static Value& value(Rewriter& rewriter, const std::string& name) {
    Value* const found = rewriter.main().find(name);
    EXPECT_NE(found, nullptr) << name;
    return *found;
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("rewriter-test").value();
};

TEST_F(RewriterOperations, uses_in_inner_graphs_belong_to_the_value_that_the_scopes_say) {
  Model model = parse(testing::branching_net());
  Rewriter rewriter(model);
  // Two graphs down, in both of the nested branches, and by the Abs beside them.
  EXPECT_EQ(value(rewriter, "hidden").uses().size(), 3U);
  EXPECT_EQ(value(rewriter, "ids").uses().size(), 2U);
  EXPECT_EQ(rewriter.scopes().size(), 5U);
  EXPECT_THAT(rewriter.main().find("rows"), IsNull()) << "a name of an inner graph is not seen from outside";
}

TEST_F(RewriterOperations, a_node_behind_a_value_serves_its_readers_in_inner_graphs_too) {
  Model model = parse(testing::branching_net());
  {
    Rewriter rewriter(model);
    Value& hidden = value(rewriter, "hidden");
    Node& first = rewriter.insert_after(hidden, "Neg", "hidden_negated");
    rewriter.insert_after(*first.output(0), "Neg", "hidden_again");
    EXPECT_EQ(hidden.uses().size(), 1U);
  }
  expect_same(testing::branching_net(), model);
}

TEST_F(RewriterOperations, a_node_that_takes_a_name_leaves_inner_readers_with_the_value_behind_it) {
  Model model = parse(testing::clashing_names_net());
  {
    Rewriter rewriter(model);
    Value& y = value(rewriter, "y");
    const Node& copy = rewriter.insert_under_name(y, "Identity", "z");
    EXPECT_EQ(y.name(), "z_2") << "\"z\" is a value's name already";
    EXPECT_EQ(copy.output(0)->name(), "y");
    EXPECT_EQ(rewriter.main().outputs()[2], copy.output(0)) << "listed twice";
    EXPECT_EQ(y.uses().size(), 2U) << "the Cast that was there, and the new node";
  }
  expect_same(testing::clashing_names_net(), model);
}

TEST_F(RewriterOperations, a_quantizer_can_stand_around_any_value) {
  Model model = parse(testing::conv_net());
  {
    Rewriter rewriter(model);
    const float scale = 1.0F / 256.0F;
    const std::uint8_t zero = 0;
    const std::vector<Value*> parameters = {
        &rewriter.add_initializer(rewriter.main(), "scores_scale", {kFloat, {}, std::as_bytes(std::span(&scale, 1))}),
        &rewriter.add_initializer(rewriter.main(), "scores_zero",
                                  {element_type_of_dtype(Dtype::kUint8), {}, std::as_bytes(std::span(&zero, 1))})};
    Value& scores = value(rewriter, "scores");
    Node& back = rewriter.insert_under_name(scores, "DequantizeLinear", "scores_quantized", {}, parameters);
    Node& quantize = rewriter.insert_after(scores, "QuantizeLinear", "scores_uint8", {}, parameters);
    EXPECT_EQ(back.input(0), quantize.output(0));
    rewriter.set_type(*back.output(0), {kFloat, Shape{1, 4, 8, 8}});
  }
  ASSERT_TRUE(model.write(folder_.path() / "quantized.onnx"));
  if (!testing::has_python_oracle()) GTEST_SKIP() << "needs .deps/venv";
  const auto answer = testing::ask_python_oracle({"signature", folder_.path() / "quantized.onnx"});
  EXPECT_EQ(answer.status, 0) << answer.err;
}

TEST_F(RewriterOperations, a_renamed_value_moves_whoever_had_the_name_in_every_graph_that_could_confuse_them) {
  Model model = parse(testing::branching_net());
  {
    Rewriter rewriter(model);
    rewriter.rename(value(rewriter, "hidden"), "inner");
    rewriter.rename(value(rewriter, "x"), "rows");
  }
  expect_same(testing::branching_net(), model);
}

TEST_F(RewriterOperations, bodies_of_functions_are_rewritten_in_a_scope_of_their_own) {
  Model model = parse(testing::function_net());
  {
    Rewriter rewriter(model);
    Scope& body = *rewriter.scopes().back();
    ASSERT_TRUE(body.is_function());
    rewriter.rename(*body.inputs()[0], "ids");  // no clash with the main graph's: the two never meet
    rewriter.insert_after(*body.inputs()[0], "Identity", "copy");
    rewriter.insert_under_name(*body.outputs()[0], "Identity", "sum");
    EXPECT_EQ(rewriter.main().inputs()[0]->name(), "ids");
  }
  expect_same(testing::function_net(), model);
}

TEST_F(RewriterOperations, nodes_may_come_in_any_order_and_leave_in_a_right_one) {
  Model model = Model::create(17, 8, "backwards", "slipway-tests");
  {
    Rewriter rewriter(model);
    Scope& main = rewriter.main();
    Value& x = rewriter.add_input(main, "x", {kFloat, Shape{3}});
    Value& condition = rewriter.add_input(main, "condition", {element_type_of_dtype(Dtype::kBool), Shape{}});
    Node& branch = rewriter.add_node(main, "If", {&condition}, {"y"});
    std::vector<Node*> inner;
    for (const char* name : {"then_branch", "else_branch"}) {
      Scope& graph = rewriter.add_inner_graph(branch, name, name);
      inner.push_back(&rewriter.add_node(graph, "Neg", {nullptr}, {"negated"}));
      rewriter.add_output(*inner.back()->output(0), graph);
      rewriter.set_type(*inner.back()->output(0), {kFloat, Shape{3}});
    }
    // What the branches read is made after the If that holds them.
    Node& late = rewriter.add_node(main, "Abs", {&x}, {"late"});
    for (Node* node : inner) rewriter.set_input(*node, 0, late.output(0));
    rewriter.add_output(*branch.output(0));
    rewriter.set_type(*branch.output(0), {kFloat, Shape{3}});
  }
  Rewriter again(model);
  EXPECT_EQ(again.main().nodes()[0]->op_type(), "Abs");
  ASSERT_TRUE(model.write(folder_.path() / "sorted.onnx"));
  expect_same_files(folder_.path() / "sorted.onnx", folder_.path() / "sorted.onnx");
}

TEST_F(RewriterOperations, what_nothing_reads_any_more_goes_with_what_only_it_read) {
  Model model = parse(testing::conv_net());
  {
    Rewriter rewriter(model);
    Value& image = value(rewriter, "image");
    Value& r1 = value(rewriter, "r1");
    Value& flat =
        *rewriter
             .add_node(rewriter.main(), "Concat", std::vector<Value*>(3, &image), {"wide"}, {{"axis", std::int64_t{1}}})
             .output(0);
    Value& weight = *value(rewriter, "c2").producer()->input(1);
    EXPECT_FALSE(rewriter.remove_if_unused(r1)) << "it is read";
    rewriter.redirect_uses(r1, flat);
    EXPECT_TRUE(rewriter.remove_if_unused(r1));
    EXPECT_FALSE(weight.uses().empty());
  }
  Rewriter again(model);
  std::vector<std::string> operators, weights;
  for (const Node* node : again.main().nodes()) operators.push_back(node->op_type());
  for (const Value* tensor : again.main().initializers()) weights.push_back(tensor->name());
  EXPECT_THAT(operators, ElementsAre("Concat", "Conv", "Sigmoid"));
  EXPECT_THAT(weights, ElementsAre("w2"));
}

TEST_F(RewriterOperations, weights_are_written_from_where_they_lie) {
  const auto elements = std::make_shared<std::vector<float>>(4096);
  std::iota(elements->begin(), elements->end(), 0.0F);
  const TensorBytes tensor{kFloat, {64, 64}, std::as_bytes(std::span(*elements))};
  const auto build = [&](bool as_view) {
    Model model = Model::create(17, 8, "weights", "slipway-tests");
    Rewriter rewriter(model);
    Value& x = rewriter.add_input(rewriter.main(), "x", {kFloat, Shape{2, 64}});
    Value& weight = as_view ? rewriter.add_initializer_view("w", tensor, elements)
                            : rewriter.add_initializer(rewriter.main(), "w", tensor);
    Node& product = rewriter.add_node(rewriter.main(), "MatMul", {&x, &weight}, {"y"});
    rewriter.add_output(*product.output(0));
    rewriter.set_type(*product.output(0), {kFloat, Shape{2, 64}});
    return model;
  };
  const Model inline_model = build(false), viewed = build(true);
  ASSERT_TRUE(inline_model.write(folder_.path() / "inline.onnx"));
  ASSERT_TRUE(viewed.write(folder_.path() / "viewed.onnx"));
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / "inline.onnx"),
            std::filesystem::file_size(folder_.path() / "viewed.onnx"));
  expect_same_files(folder_.path() / "inline.onnx", folder_.path() / "viewed.onnx");

  // Above the limit every weight moves to the data file, from a view and from the model's own bytes alike.
  for (const Model* model : {&inline_model, &viewed}) {
    const auto moved = write_with_one_data_file(*model, folder_.path() / "moved" / "model.onnx", 1000);
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_TRUE(*moved);
    EXPECT_LT(std::filesystem::file_size(folder_.path() / "moved" / "model.onnx"), 1000U);
    expect_same_files(folder_.path() / "inline.onnx", folder_.path() / "moved" / "model.onnx");
  }
}

TEST_F(RewriterOperations, a_view_that_does_not_fit_its_tensor_is_refused_and_no_file_can_name_one) {
  Model model = Model::create(17, 8, "weights", "slipway-tests");
  std::array<std::byte, 8> bytes{};
  {
    Rewriter rewriter(model);
    Value& weight = rewriter.add_initializer_view("w", {kFloat, {3}, bytes}, nullptr);
    rewriter.add_output(weight);
  }
  const auto written = model.write(folder_.path() / "model.onnx");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, ::testing::HasSubstr("need 12 bytes, but the view has 8"));
  const auto foreign = Model::parse(testing::external_weight_net({{"location", "*/view/0"}}), folder_.path());
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, ::testing::HasSubstr("not for a file"));
}

TEST_F(RewriterOperations, inference_follows_sizes_through_the_graph) {
  Model positions = parse(testing::positions_net());
  Rewriter rewriter(positions);
  const InferredTypes types(rewriter);
  EXPECT_EQ(types.integers(value(rewriter, "length")), (std::vector<std::int64_t>{4}));
  EXPECT_EQ(to_string(types.type(value(rewriter, "positions"))), "int64[4]");
  EXPECT_EQ(to_string(types.type(value(rewriter, "of_ids"))), "float32[1,4,4]");
  Model conv = parse(testing::conv_net(true));
  Rewriter of_conv(conv);
  EXPECT_EQ(to_string(InferredTypes(of_conv).type(value(of_conv, "c2"))), "float32[?,4,8,8]");
}

TEST_F(RewriterOperations, inference_takes_the_sizes_of_a_scalar_for_an_empty_list) {
  Model model = Model::create(17, 8, "sizes", "slipway-tests");
  Rewriter rewriter(model);
  const std::int64_t two = 2;
  Value& x = rewriter.add_input(rewriter.main(), "x", {kFloat, Shape{}});
  Value& factor = rewriter.add_initializer(
      rewriter.main(), "two", {element_type_of_dtype(Dtype::kInt64), {}, std::as_bytes(std::span(&two, 1))});
  Node& shape = rewriter.add_node(rewriter.main(), "Shape", {&x}, {"shape"});
  Node& product = rewriter.add_node(rewriter.main(), "Mul", {shape.output(0), &factor}, {"product"});
  EXPECT_EQ(InferredTypes(rewriter).integers(*product.output(0)), std::vector<std::int64_t>{});
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
