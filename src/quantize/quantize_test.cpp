#include "quantize/quantize.hpp"

#include <cmath>
#include <limits>

#include "quantize/equalize_layers.hpp"
#include "quantize/testing/operator_cases.hpp"
#include "quantize/testing/quantize_test.hpp"
#include <gmock/gmock.h>

#include "compile/onnx_graph/testing/tiny_models.hpp"

namespace slipway::quantize {
namespace {

using compile::onnx_graph::Model;
using compile::onnx_graph::Rewriter;
using ::testing::Contains;
using ::testing::Field;
using testing::FloatGraph;
using ::testing::HasSubstr;
using testing::model_of;
using testing::normal_samples;
using testing::operator_cases;
using testing::operators_of;
using Value = FloatGraph::Value;

class Quantize : public testing::QuantizeTest {};

/// Boxes of up to 640 pixels and scores of 0 to 1, joined as the YOLO family joins them.
Model detector() {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 3, 8, 8});
  Value* const features = graph.node("Relu", {graph.node("Conv", {image, graph.random({8, 3, 1, 1})})});
  Value* const offsets = graph.node("Conv", {features, graph.random({4, 8, 1, 1}, 0.1)});
  Value* const boxes = graph.node("Mul", {graph.node("Sigmoid", {offsets}), graph.floats({}, {640})});
  Value* const scores = graph.node("Sigmoid", {graph.node("Conv", {features, graph.random({2, 8, 1, 1})})});
  Value* const flat_boxes = graph.node("Reshape", {boxes, graph.integers({1, 4, 64})});
  Value* const flat_scores = graph.node("Reshape", {scores, graph.integers({1, 2, 64})});
  Value* const joined = graph.node("Concat", {flat_boxes, flat_scores}, {{"axis", std::int64_t{1}}}, "joined");
  graph.output(graph.node("Transpose", {joined}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}}, "detections"),
               {1, 64, 6});
  return graph.finish();
}

TEST_F(Quantize, lets_boxes_and_scores_that_meet_keep_ranges_of_their_own) {
  const Model model = detector();
  const auto quantized = quantize_copy(model);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_EQ(quantized->parted_joins.size(), 1U);
  EXPECT_THAT(quantized->without, Contains(Field(&TensorWithoutEncoding::name, "detections")));

  const auto folder = base::TemporaryFolder::create("slipway-quantize-test").value();
  ASSERT_TRUE(model.write(folder.path() / "float.onnx"));
  ASSERT_TRUE(quantized->model.write(folder.path() / "quantized.onnx"));
  const auto sample = normal_samples(model.summary().inputs, 1).read(0).value();
  const auto run = [&](const char* name) {
    return runtime::Session::load(environment_, folder.path() / name, {}).value()->run(sample).value();
  };
  const auto expected = run("float.onnx"), found = run("quantized.onnx");
  const auto a = expected[0].tensor.values<float>(), b = found[0].tensor.values<float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    // With one encoding for both, a step would be 2.5 and every score 0.
    EXPECT_NEAR(a[i], b[i], i % 6 < 4 ? 30 : 0.05);
  }
}

TEST_F(Quantize, folds_batch_normalization_into_the_weights_before_it) {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 3, 6, 6});
  Value* const conv = graph.node("Conv", {image, graph.random({4, 3, 3, 3})});
  Value* const normal = graph.node("BatchNormalization", {conv, graph.random({4}), graph.random({4}), graph.random({4}),
                                                          graph.floats({4}, {1, 2, 3, 4})});
  graph.output(normal, {1, 4, 4, 4});
  const Model model = graph.finish();
  const auto folded = quantize_copy(model);
  ASSERT_TRUE(folded) << folded.error().message;
  EXPECT_EQ(folded->folded_normalizations, 1);
  EXPECT_FALSE(operators_of(folded->model).contains("BatchNormalization"));
  EXPECT_GT(compare(model, *folded).outputs[0].sqnr_db, 35);

  Options options;
  options.folds_batch_normalization = false;
  const auto left = quantize_copy(model, options);
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_THAT(left->float_nodes, Contains(Field(&FloatNode::op_type, "BatchNormalization")));
}

TEST_F(Quantize, keeps_the_mean_of_an_output_where_rounded_weights_would_move_it) {
  // Groups, and weights that are all rounded the same way.
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 4, 6, 6});
  Value* const positive = graph.node("Add", {graph.node("Relu", {image}), graph.floats({}, {4})});
  std::vector<float> weights(8 * 2, 0.4F / 127);
  for (std::size_t i = 0; i < weights.size(); i += 2) weights[i] = 1;
  graph.output(graph.node("Conv", {positive, graph.floats({8, 2, 1, 1}, weights, "w")}, {{"group", std::int64_t{2}}}),
               {1, 8, 6, 6});
  const Model model = graph.finish();
  Options options;
  options.activations = ActivationType::kUint16;  // so that the weights alone are wrong
  const auto corrected = quantize_copy(model, options);
  options.corrects_biases = false;
  const auto left = quantize_copy(model, options);
  ASSERT_TRUE(corrected && left);
  EXPECT_GT(compare(model, *corrected).outputs[0].sqnr_db, compare(model, *left).outputs[0].sqnr_db + 6);
}

/// Three convolutions, the second depthwise, whose channels differ a hundredfold.
Model uneven_network() {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 3, 6, 6});
  std::vector<float> uneven(8 * 3);
  for (std::size_t i = 0; i < uneven.size(); ++i)
    uneven[i] = (i % 2 == 0 ? 1.0F : -0.8F) * (i / 3 % 2 == 0 ? 10.0F : 0.1F);
  Value* const wide = graph.node("Conv", {image, graph.floats({8, 3, 1, 1}, uneven, "uneven"), graph.random({8}, 0.1)});
  Value* const deep =
      graph.node("Conv", {graph.node("Relu", {wide}), graph.random({8, 1, 3, 3}), graph.random({8}, 0.1)},
                 {{"group", std::int64_t{8}}});
  Value* const slope = graph.node("PRelu", {deep, graph.random({8, 1, 1}, 0.1)});
  graph.output(graph.node("Conv", {slope, graph.random({4, 8, 1, 1})}), {1, 4, 4, 4});
  return graph.finish();
}

TEST_F(Quantize, equalises_layers_without_changing_what_the_network_gives) {
  const Model model = uneven_network();
  Options options;
  options.activations = ActivationType::kUint16;
  options.equalizes_layers = true;
  const auto quantized = quantize_copy(model, options);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_EQ(quantized->equalized_pairs, 2);
  EXPECT_GT(compare(model, *quantized).outputs[0].sqnr_db, 30);

  Model equal = model.copy_for_folder({});
  {
    Rewriter graph(equal);
    EXPECT_EQ(equalize_layers(graph), 2);
  }
  Quantized untouched{.model = std::move(equal)};
  EXPECT_GT(compare(model, untouched).outputs[0].sqnr_db, 110);
}

TEST_F(Quantize, gives_a_bias_room_where_the_weights_of_a_channel_are_tiny) {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 1, 4, 4});
  Value* const weight = graph.floats({2, 1, 1, 1}, {1e-9F, 1}, "weight");
  graph.output(graph.node("Conv", {image, weight, graph.floats({2}, {5, 0.1F}, "bias")}), {1, 2, 4, 4});
  const Model model = graph.finish();
  const auto quantized = quantize_copy(model);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_GT(compare(model, *quantized).outputs[0].sqnr_db, 30);
}

TEST_F(Quantize, writes_pairs_that_an_old_opset_knows) {
  FloatGraph graph(11);
  Value* const image = graph.input("image", {1, 3, 6, 6});
  graph.output(graph.node("Conv", {image, graph.random({8, 3, 3, 3}, 0.3), graph.random({8})}), {1, 8, 4, 4});
  const Model model = graph.finish();
  const auto quantized = quantize_copy(model);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_GT(compare(model, *quantized).outputs[0].sqnr_db, 35);
}

TEST_F(Quantize, leaves_excluded_nodes_and_operators_in_float) {
  const Model model = detector();
  Options options;
  options.excluded_operators = {"Sigmoid"};
  const auto quantized = quantize_copy(model, options);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_THAT(quantized->float_nodes, Contains(Field(&FloatNode::reason, "excluded")).Times(2));
  options.excluded_operators = {"Sigmoids"};
  const auto refused = quantize_copy(model, options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("did you mean 'Sigmoid'?"));
}

TEST_F(Quantize, stores_integers_at_the_border_when_asked_and_is_compared_as_reals) {
  const Model model = model_of(operator_cases()[10]);
  Options options;
  options.quantizes_io = true;
  const auto quantized = quantize_copy(model, options);
  ASSERT_TRUE(quantized) << quantized.error().message;
  const auto summary = quantized->model.summary();
  EXPECT_EQ(summary.inputs[0].dtype, tensor::Dtype::kUint8);
  EXPECT_EQ(summary.outputs[0].dtype, tensor::Dtype::kUint8);
  EXPECT_TRUE(summary.outputs[0].quantization);
  EXPECT_GT(compare(model, *quantized).outputs[0].sqnr_db, 30);
}

TEST_F(Quantize, gives_the_same_bytes_for_the_same_samples) {
  Options options;
  options.scheme = RangeScheme::kAuto;
  const Model model = detector();
  const auto one = quantize_copy(model, options), other = quantize_copy(model, options);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->model.bytes(), other->model.bytes());
}

TEST_F(Quantize, refuses_what_is_quantised_already) {
  const auto model = Model::parse(compile::onnx_graph::testing::quantized_conv_net(), {});
  ASSERT_TRUE(model);
  const auto refused = quantize_copy(*model);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("quantised already"));
}

TEST_F(Quantize, refuses_no_samples_samples_that_do_not_fit_and_samples_of_nothing_finite) {
  const Model model = model_of(operator_cases().front());
  EXPECT_THAT(quantize_copy(model, {}, 0).error().message, HasSubstr("no sample"));
  auto wrong = model.summary().inputs;
  wrong[0].shape = {1, 3, 5, 5};
  const auto unfit = quantize(environment_, model.copy_for_folder({}), normal_samples(wrong, 1), {});
  ASSERT_FALSE(unfit);
  EXPECT_THAT(unfit.error().message, HasSubstr("calibration sample 0"));
  EXPECT_THAT(unfit.error().message, HasSubstr("float32[1,3,6,6]"));
  EXPECT_THAT(unfit.error().message, HasSubstr("float32[1,3,5,5]"));
  const auto infinite = quantize_copy(model, {}, 2, std::numeric_limits<float>::infinity());
  ASSERT_FALSE(infinite);
  EXPECT_THAT(infinite.error().message, HasSubstr("NaN or infinities"));
}

TEST_F(Quantize, leaves_samples_with_nan_out_and_says_which) {
  const Model model = model_of(operator_cases().front());
  Samples samples = normal_samples(model.summary().inputs, 4);
  samples.read = [read = samples.read](std::int64_t sample) {
    auto made = read(sample);
    if (sample == 2) made->front().tensor.values<float>()[5] = std::numeric_limits<float>::quiet_NaN();
    return made;
  };
  const auto quantized = quantize(environment_, model.copy_for_folder({}), samples, {});
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_EQ(quantized->samples, 3);
  EXPECT_THAT(quantized->left_out_samples, ::testing::ElementsAre("sample 2: 1 in 'image'"));
}

TEST_F(Quantize, refuses_a_weight_that_is_not_finite_and_names_it) {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 1, 4, 4});
  Value* const weight = graph.floats({1, 1, 1, 1}, {std::numeric_limits<float>::infinity()}, "endless");
  graph.output(graph.node("Conv", {image, weight}), {1, 1, 4, 4});
  EXPECT_THAT(quantize_copy(graph.finish()).error().message, HasSubstr("'endless'"));
}

TEST_F(Quantize, survives_activations_that_are_constant) {
  FloatGraph graph;
  Value* const image = graph.input("image", {1, 1, 4, 4});
  Value* const zero = graph.node("Mul", {image, graph.floats({}, {0})});
  graph.output(graph.node("Conv", {zero, graph.random({2, 1, 1, 1}), graph.floats({2}, {1, -2}, "bias")}),
               {1, 2, 4, 4});
  const Model model = graph.finish();
  const auto quantized = quantize_copy(model);
  ASSERT_TRUE(quantized) << quantized.error().message;
  EXPECT_GT(compare(model, *quantized).outputs[0].sqnr_db, 30);
}

TEST_F(Quantize, says_so_when_an_output_is_worthless) {
  const Model model = model_of(operator_cases()[10]);
  const auto quantized = quantize_copy(model, {}, 4, 0.001);  // ranges of numbers a thousand times too small
  ASSERT_TRUE(quantized) << quantized.error().message;
  const auto compared = compare(model, *quantized);
  EXPECT_TRUE(compared.has_alarm());
  EXPECT_THAT(compared.outputs[0].alarm, HasSubstr("clipped"));
}

}  // namespace
}  // namespace slipway::quantize
