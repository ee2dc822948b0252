#include <algorithm>
#include <functional>
#include <limits>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "compile/npu_faults/known_faults.hpp"
#include "compile/npu_faults/probe_graph.hpp"
#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/testing/python_oracle.hpp"

/// Whether the rewrites help is seen by the compiler itself, in compile/npu_probes; here, that ONNX Runtime computes
/// the same with and without them.
namespace slipway::compile::npu_faults {
namespace {

using onnx_graph::element_type_of_dtype;
using onnx_graph::Model;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> operators(Model& model) {
  std::vector<std::string> names;
  Rewriter graph(model);
  for (const auto* node : graph.main().nodes()) names.push_back(node->op_type());
  return names;
}

/// uint8[1,8,8,3] -> Transpose, whose type the file does not say -> Cast to `to`, an output and read by a Neg as well.
Model image_net(Dtype to) {
  Model model = Model::create(17, 8, "picture", "slipway-tests");
  Rewriter graph(model);
  auto& main = graph.main();
  Value& image = graph.add_input(main, "picture", {element_type_of_dtype(Dtype::kUint8), tensor::Shape{1, 8, 8, 3}});
  auto& transpose =
      graph.add_node(main, "Transpose", {&image}, {"planes"}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  auto& cast = graph.add_node(main, "Cast", {transpose.output(0)}, {"numbers"},
                              {{"to", std::int64_t{element_type_of_dtype(to)}}});
  auto& negated = graph.add_node(main, "Neg", {cast.output(0)}, {"negated"});
  graph.set_type(*cast.output(0), {element_type_of_dtype(to), tensor::Shape{1, 3, 8, 8}});
  graph.set_type(*negated.output(0), {element_type_of_dtype(to), tensor::Shape{1, 3, 8, 8}});
  graph.add_output(*cast.output(0));
  graph.add_output(*negated.output(0));
  return model;
}

/// int32[1,64] -> Cast to bool "mask", an output and read by a Not as well.
Model integer_mask_net() {
  Model model = Model::create(17, 8, "mask", "slipway-tests");
  Rewriter graph(model);
  auto& main = graph.main();
  const int truth = element_type_of_dtype(Dtype::kBool);
  Value& numbers = graph.add_input(main, "numbers", {element_type_of_dtype(Dtype::kInt32), tensor::Shape{1, 64}});
  auto& cast = graph.add_node(main, "Cast", {&numbers}, {"mask"}, {{"to", std::int64_t{truth}}});
  auto& inverse = graph.add_node(main, "Not", {cast.output(0)}, {"inverse"});
  graph.set_type(*cast.output(0), {truth, tensor::Shape{1, 64}});
  graph.set_type(*inverse.output(0), {truth, tensor::Shape{1, 64}});
  graph.add_output(*cast.output(0));
  graph.add_output(*inverse.output(0));
  return model;
}

std::string words(const std::vector<std::int64_t>& sizes) {
  return fmt::format("{}", fmt::join(sizes, ","));
}

std::vector<Avoided> avoided_in(Model& model, int htp_arch = 75, bool with_fp16 = true) {
  auto avoided = avoid_known_faults(model, htp_arch, with_fp16);
  EXPECT_TRUE(avoided) << (avoided ? "" : avoided.error().message);
  return avoided ? *std::move(avoided) : std::vector<Avoided>{};
}

std::string refusal_of(Model model) {
  const auto avoided = avoid_known_faults(model, 75, true);
  return avoided ? "taken" : avoided.error().message;
}

/// ONNX Runtime computes the same with a rewritten model as with the source, which the `onnx` checker takes too.
void expect_same(const std::function<Model()>& make, const std::string& what, int places = 1) {
  const auto folder = base::TemporaryFolder::create("npu-faults-test");
  ASSERT_TRUE(folder);
  const Model source = make();
  Model rewritten = make();
  const auto avoided = avoided_in(rewritten);
  ASSERT_THAT(avoided, SizeIs(1)) << what;
  EXPECT_EQ(avoided[0].places, places) << what;
  ASSERT_TRUE(source.write(folder->path() / "source.onnx"));
  ASSERT_TRUE(rewritten.write(folder->path() / "rewritten.onnx"));
  if (!onnx_graph::testing::has_python_oracle()) GTEST_SKIP() << "needs .deps/venv";
  const auto answer = onnx_graph::testing::ask_python_oracle(
      {"same", folder->path() / "source.onnx", folder->path() / "rewritten.onnx"});
  EXPECT_EQ(answer.status, 0) << what << ": " << answer.err;
}

TEST(KnownFaults, each_probe_is_a_graph_in_which_its_fault_is_avoided_once_or_refused_or_named) {
  for (const KnownFault& fault : known_faults()) {
    Model model = fault.probe();
    const auto avoided = avoid(fault, model);
    if (fault.is_remark_only()) {
      ASSERT_TRUE(avoided) << avoided.error().message;
      EXPECT_THAT(avoided->remaining, SizeIs(1)) << fault.id;
      continue;
    }
    if (fault.avoid == nullptr) {
      EXPECT_FALSE(avoided) << fault.id;
      continue;
    }
    ASSERT_TRUE(avoided) << avoided.error().message;
    EXPECT_GE(avoided->places, 1) << fault.id;
    const auto again = avoid(fault, model);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->places, 0) << fault.id << ": what was rewritten is not rewritten again";
  }
}

TEST(KnownFaults, a_type_is_followed_through_nodes_that_move_elements) {
  Model model = image_net(Dtype::kFloat32);
  const auto avoided = avoided_in(model);
  ASSERT_THAT(avoided, SizeIs(1));
  EXPECT_EQ(avoided[0].fault->id, "uint8-to-float");
  EXPECT_EQ(avoided[0].places, 1);
  EXPECT_THAT(operators(model), ElementsAre("Transpose", "Cast", "Cast", "Neg"));
}

TEST(KnownFaults, outputs_keep_their_names_and_types) {
  Model model = integer_mask_net();
  const auto before = model.summary().outputs;
  EXPECT_THAT(avoided_in(model), SizeIs(1));
  const auto after = model.summary().outputs;
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].name, before[i].name);
    EXPECT_EQ(after[i].dtype, before[i].dtype);
    EXPECT_EQ(after[i].shape, before[i].shape);
  }
}

TEST(KnownFaults, a_graph_stays_as_it_is_on_chips_and_for_types_that_have_no_fault) {
  Model integers_only = image_net(Dtype::kFloat32);
  EXPECT_THAT(avoided_in(integers_only, 68, false), IsEmpty());
  Model to_integers = image_net(Dtype::kInt32);
  EXPECT_THAT(avoided_in(to_integers), IsEmpty());
  EXPECT_THAT(operators(to_integers), ElementsAre("Transpose", "Cast", "Neg"));
}

using Integers = std::vector<std::int64_t>;

/// A nearest Resize of `data`.
onnx_graph::Value* resized(ProbeGraph& graph, onnx_graph::Value* data, const char* coordinates, const char* rounding,
                           const Integers& sizes) {
  return graph.node(
      "Resize", {data, nullptr, nullptr, graph.integers(sizes)},
      {{"coordinate_transformation_mode", std::string(coordinates)}, {"nearest_mode", std::string(rounding)}});
}

/// Every kind of coordinates with every rounding, larger and smaller, to an output each.
Model all_nearest_resizes() {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {1, 3, 6, 8});
  for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}) {
    for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
      for (const Integers& sizes : std::vector<Integers>{{1, 3, 9, 13}, {1, 3, 4, 1}}) {
        graph.output(resized(graph, data, coordinates, rounding, sizes), Dtype::kFloat32, sizes);
      }
    }
  }
  return std::move(graph).finish();
}

TEST(NearestResize, gathers_what_onnx_runtime_picks) {
  expect_same(all_nearest_resizes, "all", 24);
}

TEST(NearestResize, one_that_the_compiler_gets_right_stays) {
  for (const auto& [coordinates, rounding, sizes] : std::vector<std::tuple<const char*, const char*, Integers>>{
           {"asymmetric", "floor", {1, 3, 9, 13}},
           {"half_pixel", "round_prefer_floor", {1, 3, 12, 16}},
           {"half_pixel", "round_prefer_ceil", {1, 3, 9, 13}}}) {
    ProbeGraph graph;
    auto* const data = graph.input(Dtype::kFloat32, {1, 3, 6, 8});
    auto* const made = resized(graph, data, coordinates, rounding, sizes);
    Model model = std::move(graph).with_output(made, Dtype::kFloat32, sizes);
    EXPECT_THAT(avoided_in(model), IsEmpty()) << coordinates << ' ' << rounding;
  }
}

TEST(EdgePads, are_gathered_also_where_they_cut) {
  for (const Integers& pads : std::vector<Integers>{{0, 0, 1, 2, 0, 0, 2, 1}, {0, 1, -2, 0, 0, 0, 3, -1}}) {
    expect_same(
        [&] {
          ProbeGraph graph;
          auto* const data = graph.input(Dtype::kFloat32, {1, 3, 6, 8});
          auto* const padded = graph.node("Pad", {data, graph.integers(pads)}, {{"mode", std::string("edge")}});
          return std::move(graph).with_output(
              padded, Dtype::kFloat32,
              {1 + pads[0] + pads[4], 3 + pads[1] + pads[5], 6 + pads[2] + pads[6], 8 + pads[3] + pads[7]});
        },
        words(pads));
  }
}

Model pool_net(std::int64_t size, const Integers& pads, std::int64_t counts_pads, const tensor::Shape& output) {
  ProbeGraph graph;
  auto* const pooled = graph.node("AveragePool", {graph.input(Dtype::kFloat32, {1, 4, size, size})},
                                  {{"kernel_shape", Integers{3, 3}},
                                   {"strides", Integers{2, 2}},
                                   {"pads", pads},
                                   {"ceil_mode", std::int64_t{1}},
                                   {"count_include_pad", counts_pads}});
  return std::move(graph).with_output(pooled, Dtype::kFloat32, output);
}

TEST(LastWindows, are_padded_where_pads_are_not_counted_and_refused_where_they_are) {
  expect_same([] { return pool_net(8, {0, 0, 0, 0}, 0, {1, 4, 4, 4}); }, "no pads");
  expect_same([] { return pool_net(8, {0, 0, 0, 0}, 1, {1, 4, 4, 4}); }, "no pads that would be counted");
  expect_same([] { return pool_net(8, {1, 1, 1, 1}, 0, {1, 4, 5, 5}); }, "pads");
  Model fits = pool_net(7, {0, 0, 0, 0}, 0, {1, 4, 3, 3});
  EXPECT_THAT(avoided_in(fits), IsEmpty());
  EXPECT_THAT(refusal_of(pool_net(8, {1, 1, 1, 1}, 1, {1, 4, 5, 5})), HasSubstr("counts its pads"));
}

Model normalization_net(const tensor::Shape& shape) {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, shape);
  const std::vector<float> scale = {1.25F, 0.5F, 2}, bias = {-0.5F, 0, 1};
  const auto channels = static_cast<std::ptrdiff_t>(shape[1]);
  auto* const normal = graph.node("InstanceNormalization",
                                  {data, graph.floats({scale.begin(), scale.begin() + channels}),
                                   graph.floats({bias.begin(), bias.begin() + channels})},
                                  {{"epsilon", 0.5F}});
  return std::move(graph).with_output(normal, Dtype::kFloat32, shape);
}

TEST(LongRows, are_folded_with_their_batch_and_channels) {
  for (const tensor::Shape& shape :
       std::vector<tensor::Shape>{{1, 1, 66150}, {16, 1, 4224}, {2, 3, 12000}, {1, 2, 10, 8192}, {2, 1, 65521}}) {
    expect_same([&] { return normalization_net(shape); }, words(shape));
  }
  Model square = normalization_net({1, 1, 512, 512});
  EXPECT_THAT(avoided_in(square), IsEmpty());
}

TEST(LongRows, one_of_a_prime_length_stays_and_is_named) {
  Model model = normalization_net({1, 1, 65537});
  const auto avoided = avoided_in(model);
  ASSERT_THAT(avoided, SizeIs(1));
  EXPECT_EQ(avoided[0].places, 0);
  EXPECT_THAT(to_string(avoided[0]), HasSubstr("InstanceNormalization 'y/InstanceNormalization' of rows of 65537"));
}

/// q(uint8[1,1,66150]) -> DequantizeLinear -> InstanceNormalization -> QuantizeLinear
Model quantized_row_net() {
  ProbeGraph graph;
  auto* const scale = graph.number(0.02F);
  auto* const q = graph.node("QuantizeLinear", {graph.input(Dtype::kFloat32, {1, 1, 66150}), scale, graph.byte(128)});
  auto* const data = graph.node("DequantizeLinear", {q, scale, graph.byte(128)});
  auto* const normal = graph.node("InstanceNormalization", {data, graph.floats({1}), graph.floats({0})});
  auto* const quantized = graph.node("QuantizeLinear", {normal, scale, graph.byte(128)});
  auto* const back = graph.node("DequantizeLinear", {quantized, scale, graph.byte(128)});
  return std::move(graph).with_output(back, Dtype::kFloat32, {1, 1, 66150});
}

TEST(LongRows, quantised_ones_stay_between_their_grids) {
  expect_same(quantized_row_net, "QDQ");
  Model model = quantized_row_net();
  avoided_in(model);
  EXPECT_THAT(operators(model), ElementsAre("QuantizeLinear", "DequantizeLinear", "Reshape", "QuantizeLinear",
                                            "DequantizeLinear", "InstanceNormalization", "QuantizeLinear",
                                            "DequantizeLinear", "Reshape", "QuantizeLinear", "DequantizeLinear"));
}

/// Gathers with one index alone, so the result has no axis for it.
Model one_index_net() {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {7, 4});
  auto* const index = graph.input(Dtype::kInt64, {});
  return std::move(graph).with_output(graph.node("Gather", {data, index}), Dtype::kFloat32, {4});
}

Model one_truth_net() {
  ProbeGraph graph;
  auto* const number = graph.input(Dtype::kInt64, {});
  auto* const truth = graph.node("Cast", {number}, {{"to", std::int64_t{element_type_of_dtype(Dtype::kBool)}}});
  return std::move(graph).with_output(truth, Dtype::kBool, {});
}

TEST(Rewrites, give_scalars_no_axis) {
  expect_same(one_index_net, "index");
  expect_same(one_truth_net, "truth");
}

/// Numbers over all of 32 bits, and what a caller adds to them.
onnx_graph::Value* spread_numbers(ProbeGraph& graph, Dtype dtype, std::int64_t step) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = -32; i < 32; ++i) numbers.push_back(i * step + i % 5);
  auto* const sum = graph.node("Add", {graph.input(Dtype::kInt64, {1, 64}), graph.integers(numbers)});
  return graph.node("Cast", {sum}, {{"to", std::int64_t{element_type_of_dtype(dtype)}}});
}

/// What a Mod divides by: one constant, or for 0 odd numbers of both signs that only a run knows.
onnx_graph::Value* divisor(ProbeGraph& graph, Dtype dtype, std::int64_t constant) {
  const onnx_graph::Attributes to = {{"to", std::int64_t{element_type_of_dtype(dtype)}}};
  if (constant != 0 && dtype == Dtype::kInt64) return graph.integers({constant});
  if (constant != 0) return graph.node("Cast", {graph.integers({constant})}, to);
  auto* const even = graph.node("Mul", {spread_numbers(graph, Dtype::kInt64, 7001), graph.integers({2})});
  return graph.node("Cast", {graph.node("Add", {even, graph.integers({1})})}, to);
}

Model remainders_net() {
  ProbeGraph graph;
  for (const Dtype dtype : {Dtype::kInt32, Dtype::kInt64}) {
    for (const std::int64_t fmod : {0, 1}) {
      for (const std::int64_t constant : {0, 7, -7, 70001, -70001}) {
        auto* const number = spread_numbers(graph, dtype, 30000017);
        auto* const left = graph.node("Mod", {number, divisor(graph, dtype, constant)}, {{"fmod", fmod}});
        graph.output(left, dtype, {1, 64});
      }
    }
  }
  return std::move(graph).finish();
}

TEST(Remainders, have_the_values_and_signs_of_mod) {
  expect_same(remainders_net, "int32 and int64, by constants and by computed numbers", 20);
}

TEST(Remainders, of_bytes_are_refused_by_name) {
  ProbeGraph graph;
  auto* const left = graph.node("Mod", {graph.input(Dtype::kUint8, {1, 64}), graph.byte(7)});
  EXPECT_THAT(refusal_of(std::move(graph).with_output(left, Dtype::kUint8, {1, 64})),
              HasSubstr("Mod 'y/Mod' of uint8"));
}

Model clip_net(std::optional<std::int64_t> lowest, std::optional<std::int64_t> highest) {
  ProbeGraph graph;
  auto* const number = spread_numbers(graph, Dtype::kInt64, 30000017);
  auto* const clipped = graph.node(
      "Clip", {number, lowest ? graph.integer(*lowest) : nullptr, highest ? graph.integer(*highest) : nullptr});
  return std::move(graph).with_output(clipped, Dtype::kInt64, {1, 64});
}

TEST(WideClips, have_the_values_of_clip_with_one_bound_or_two) {
  expect_same([] { return clip_net(-16777219, 900000007); }, "both");
  expect_same([] { return clip_net(-16777219, std::nullopt); }, "lowest");
  expect_same([] { return clip_net(std::nullopt, 16777219); }, "highest");
  Model near = clip_net(-1000, 255);
  EXPECT_THAT(avoided_in(near), IsEmpty());
}

std::string remarks_of(Model model) {
  std::string words;
  for (const auto& avoided : avoided_in(model)) words += to_string(avoided) + '\n';
  return words;
}

TEST(SumsInFloat, of_numbers_are_named_and_counts_of_a_mask_are_not) {
  ProbeGraph graph;
  auto* const axis = graph.integers({1});
  auto* const sum = graph.node("ReduceSum", {graph.input(Dtype::kInt32, {1, 64}), axis});
  EXPECT_THAT(remarks_of(std::move(graph).with_output(sum, Dtype::kInt32, {1, 1})),
              HasSubstr("left as it is: ReduceSum 'y/ReduceSum'"));
  ProbeGraph masks;
  auto* const ones = masks.node("Cast", {masks.input(Dtype::kBool, {1, 64})},
                                {{"to", std::int64_t{element_type_of_dtype(Dtype::kInt32)}}});
  auto* const count = masks.node("ReduceSum", {ones, masks.integers({1})});
  EXPECT_EQ(remarks_of(std::move(masks).with_output(count, Dtype::kInt32, {1, 1})), "");
}

/// float32[1,24] -> Sigmoid -> what `lead` makes of it -> an output
Model sigmoid_net(const std::function<Value*(ProbeGraph&, Value*)>& lead, const tensor::Shape& output,
                  const tensor::Shape& shape = {1, 24}) {
  ProbeGraph graph;
  Value* const made = lead(graph, graph.node("Sigmoid", {graph.input(Dtype::kFloat32, shape)}));
  return std::move(graph).with_output(made, Dtype::kFloat32, output);
}

TEST(SigmoidsOfOutputs, are_written_out_and_those_inside_stay) {
  const auto itself = [](ProbeGraph&, Value* value) { return value; };
  const auto moved = [](ProbeGraph& graph, Value* value) {
    Value* const rows = graph.node("Reshape", {value, graph.integers({1, 4, 6})});
    return graph.node("Transpose", {graph.node("Concat", {rows, rows}, {{"axis", std::int64_t{1}}})});
  };
  const auto squared = [](ProbeGraph& graph, Value* value) { return graph.node("Mul", {value, value}); };
  expect_same([&] { return sigmoid_net(itself, {1, 24}); }, "an output");
  expect_same([&] { return sigmoid_net(moved, {6, 8, 1}); }, "in other places of an output");
  Model inside = sigmoid_net(squared, {1, 24});
  EXPECT_THAT(avoided_in(inside), IsEmpty());
  Model large = sigmoid_net(itself, {1, 1 << 21}, {1, 1 << 21});
  EXPECT_THAT(avoided_in(large), IsEmpty());
}

TEST(ManyPairs, are_named_by_their_number_and_few_are_not) {
  const auto fault = std::ranges::find(known_faults(), "many-pairs", &KnownFault::id);
  EXPECT_THAT(remarks_of(fault->probe()), HasSubstr("Reshape 'y/Reshape' to 1048576 pairs"));
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {1, 64, 256});
  auto* const pairs = graph.node("Reshape", {data, graph.integers({1, 64, 128, 2})});
  EXPECT_EQ(remarks_of(std::move(graph).with_output(pairs, Dtype::kFloat32, {1, 64, 128, 2})), "");
}

TEST(NarrowingCasts, of_numbers_are_named_and_of_classes_are_not) {
  const std::int64_t uint8 = element_type_of_dtype(Dtype::kUint8);
  ProbeGraph graph;
  auto* const best = graph.node("ArgMax", {graph.input(Dtype::kFloat32, {1, 64})}, {{"axis", std::int64_t{1}}});
  auto* const classes = graph.node("Cast", {best}, {{"to", uint8}});
  EXPECT_EQ(remarks_of(std::move(graph).with_output(classes, Dtype::kUint8, {1, 1})), "");
}

Model index_net(Dtype dtype, const char* made_by) {
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kFloat32, {7, 4});
  auto* index = graph.input(dtype, {5});
  if (*made_by != '\0') index = graph.node(made_by, {index}, {{"axis", std::int64_t{0}}});
  const bool is_one = *made_by != '\0';
  return std::move(graph).with_output(graph.node("Gather", {data, index}), Dtype::kFloat32, {is_one ? 1 : 5, 4});
}

TEST(Indices, that_may_be_negative_are_counted_from_the_start) {
  expect_same([] { return index_net(Dtype::kInt32, ""); }, "int32");
  expect_same([] { return index_net(Dtype::kInt64, ""); }, "int64");
  Model never_negative = index_net(Dtype::kFloat32, "ArgMax");
  EXPECT_THAT(avoided_in(never_negative), IsEmpty());
}

TEST(EmptyTensors, inside_are_folded_and_at_the_boundary_refused_by_name) {
  const auto fault = std::ranges::find(known_faults(), "empty-tensors", &KnownFault::id);
  expect_same(fault->probe, "Slice to nothing", 2);
  ProbeGraph graph;
  auto* const sum = graph.node("Relu", {graph.input(Dtype::kFloat32, {0, 8})});
  EXPECT_THAT(refusal_of(std::move(graph).with_output(sum, Dtype::kFloat32, {0, 8})),
              AllOf(HasSubstr("input 'x0' is float32[0,8]"), HasSubstr("Relu 'y/Relu'")));
}

TEST(WideIntegers, a_constant_is_refused_by_name_and_an_end_of_a_slice_is_none) {
  const auto fault = std::ranges::find(known_faults(), "wide-integers", &KnownFault::id);
  EXPECT_THAT(refusal_of(fault->probe()), HasSubstr("Add 'y/Add' reads the constant 1099511627776"));
  ProbeGraph graph;
  auto* const data = graph.input(Dtype::kInt64, {1, 64});
  auto* const end = graph.integers({std::numeric_limits<std::int64_t>::max()});
  auto* const part = graph.node("Slice", {data, graph.integers({1}), end, graph.integers({1})});
  EXPECT_EQ(refusal_of(std::move(graph).with_output(part, Dtype::kInt64, {1, 63})), "taken");
}

}  // namespace
}  // namespace slipway::compile::npu_faults
