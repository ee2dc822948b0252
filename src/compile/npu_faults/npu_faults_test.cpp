#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/npu_faults/known_faults.hpp"
#include "compile/onnx_graph/element_type.hpp"

/// Whether the rewrites help is seen by the compiler itself, in compile/npu_probes.
namespace slipway::compile::npu_faults {
namespace {

using onnx_graph::element_type_of_dtype;
using onnx_graph::Model;
using onnx_graph::Rewriter;
using onnx_graph::Value;
using tensor::Dtype;
using ::testing::ElementsAre;
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

TEST(KnownFaults, each_probe_is_a_graph_in_which_its_fault_is_avoided_once) {
  for (const KnownFault& fault : known_faults()) {
    Model model = fault.probe();
    Rewriter graph(model);
    EXPECT_EQ(fault.avoid(graph), 1) << fault.id;
    EXPECT_EQ(fault.avoid(graph), 0) << fault.id << ": what was rewritten is not rewritten again";
  }
}

TEST(KnownFaults, a_type_is_followed_through_nodes_that_move_elements) {
  Model model = image_net(Dtype::kFloat32);
  const auto avoided = avoid_known_faults(model, 75, true);
  ASSERT_THAT(avoided, SizeIs(1));
  EXPECT_EQ(avoided[0].fault->id, "uint8-to-float");
  EXPECT_EQ(avoided[0].places, 1);
  EXPECT_THAT(operators(model), ElementsAre("Transpose", "Cast", "Cast", "Neg"));
}

TEST(KnownFaults, outputs_keep_their_names_and_types) {
  Model model = integer_mask_net();
  const auto before = model.summary().outputs;
  EXPECT_THAT(avoid_known_faults(model, 75, true), SizeIs(1));
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
  EXPECT_THAT(avoid_known_faults(integers_only, 68, false), IsEmpty());
  Model to_integers = image_net(Dtype::kInt32);
  EXPECT_THAT(avoid_known_faults(to_integers, 75, true), IsEmpty());
  EXPECT_THAT(operators(to_integers), ElementsAre("Transpose", "Cast", "Neg"));
}

}  // namespace
}  // namespace slipway::compile::npu_faults
