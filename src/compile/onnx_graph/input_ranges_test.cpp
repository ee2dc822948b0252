#include "compile/onnx_graph/input_ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/node_names.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"

namespace slipway::compile::onnx_graph {
namespace {

std::vector<std::optional<InputRange>> ranges_of(const std::string& bytes) {
  return input_ranges(Model::parse(bytes, ".").value());
}

TEST(InputRanges, of_an_index_reaches_to_the_last_row_and_a_mask_is_0_or_1) {
  const auto ranges = ranges_of(testing::masked_lookup_net());
  ASSERT_EQ(ranges.size(), 2U);
  ASSERT_TRUE(ranges[0]);
  EXPECT_EQ(ranges[0]->lowest, 0);
  EXPECT_EQ(ranges[0]->highest, 29);
  ASSERT_TRUE(ranges[1]);
  EXPECT_EQ(ranges[1]->lowest, 0);
  EXPECT_EQ(ranges[1]->highest, 1);
}

TEST(InputRanges, of_what_is_quantised_at_once_is_what_its_scale_and_zero_point_hold) {
  const auto ranges = ranges_of(testing::quantized_conv_net());
  ASSERT_EQ(ranges.size(), 1U);
  ASSERT_TRUE(ranges[0]);
  EXPECT_EQ(ranges[0]->lowest, 0);
  EXPECT_NEAR(ranges[0]->highest, 1, 1e-6);
}

TEST(InputRanges, are_open_where_no_reader_says_anything) {
  EXPECT_FALSE(ranges_of(testing::conv_net())[0]);
  for (const auto& range : ranges_of(testing::lookup_net())) EXPECT_FALSE(range) << "the index is a sum of both";
}

TEST(NodeNames, are_given_where_there_are_none_and_say_where_the_node_stands) {
  auto model = Model::read("tests/golden/compile/q_multi_partition.onnx").value();
  const auto places = name_nodes(model);
  EXPECT_EQ(places.size(), 6U);
  EXPECT_EQ(places.at("Det_2"), "node 2 (Det, output 'd')");
  EXPECT_TRUE(name_nodes(model).empty()) << "every node has a name now";
}

TEST(NodeNames, that_a_model_has_are_kept) {
  auto model = Model::parse(testing::conv_net(), ".").value();
  EXPECT_TRUE(name_nodes(model).empty());
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
