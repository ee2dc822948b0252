#include "compile/onnx_graph/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx.pb.h>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/onnx_graph/testing/python_oracle.hpp"
#include "compile/onnx_graph/testing/tiny_models.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::testing::value_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class ModelFiles : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return folder_.path(); }
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("onnx-graph-test").value();
};

TEST_F(ModelFiles, summary_tells_what_the_file_says_of_itself) {
  const auto model = value_of(Model::parse(testing::conv_net(), {}));
  const ModelSummary summary = model.summary();
  EXPECT_EQ(summary.graph_name, "conv_net");
  EXPECT_THAT(summary.opsets, ElementsAre(Pair("", 13)));
  ASSERT_EQ(summary.inputs.size(), 1U);
  EXPECT_EQ(summary.inputs[0].name, "image");
  EXPECT_EQ(summary.inputs[0].shape, (tensor::Shape{1, 3, 16, 16}));
  EXPECT_THAT(summary.op_counts[0], Pair("Conv", 2));
  EXPECT_EQ(summary.parameter_count, 8 + 4 * 8 * 9);  // w1 is a Constant node
  EXPECT_EQ(summary.weight_bytes, 4U * (8 + 4 * 8 * 9));
  EXPECT_THAT(summary.external_files, IsEmpty());
  EXPECT_FALSE(summary.has_qdq);
}

TEST_F(ModelFiles, a_dynamic_dimension_is_minus_one) {
  const auto model = value_of(Model::parse(testing::conv_net(true), {}));
  EXPECT_EQ(model.summary().inputs[0].shape, (tensor::Shape{-1, 3, 16, 16}));
}

TEST_F(ModelFiles, a_quantized_boundary_carries_its_scale) {
  auto model = value_of(Model::parse(testing::quantized_conv_net(), {}));
  EXPECT_TRUE(model.summary().has_qdq);
  EXPECT_FALSE(model.summary().inputs[0].quantization);  // float at the boundary
  // Without the outer QuantizeLinear the input is quantised itself.
  auto& graph = *model.mutable_proto().mutable_graph();
  graph.mutable_node()->DeleteSubrange(0, 1);
  graph.mutable_input(0)->set_name("image_q");
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::UINT8);
  const auto quantization = model.summary().inputs[0].quantization;
  ASSERT_TRUE(quantization);
  EXPECT_FLOAT_EQ(quantization->scale, 1.0F / 255.0F);
  EXPECT_EQ(quantization->zero_point, 0);
}

TEST_F(ModelFiles, what_is_written_reads_back_equal) {
  const std::string bytes = testing::conv_net();
  const auto model = Model::parse(bytes, {});
  ASSERT_TRUE(model->write(folder() / "net.onnx"));
  const auto again = value_of(Model::read(folder() / "net.onnx"));
  EXPECT_EQ(again.proto().SerializeAsString(), bytes);
}

TEST_F(ModelFiles, writing_does_not_write_through_a_second_name_of_the_file) {
  testing::write(folder() / "first.onnx", testing::conv_net());
  std::filesystem::create_hard_link(folder() / "first.onnx", folder() / "second.onnx");
  ASSERT_TRUE(Model::parse(testing::lookup_net(), {})->write(folder() / "second.onnx"));
  EXPECT_EQ(*base::read_file(folder() / "first.onnx", 1 << 20), testing::conv_net());
}

TEST_F(ModelFiles, external_files_follow_a_model_to_another_folder_and_merge_into_one) {
  if (!testing::has_python_oracle()) GTEST_SKIP() << "needs .deps/venv";
  testing::write(folder() / "net.onnx", testing::conv_net());
  std::filesystem::create_directory(folder() / "split");
  const auto made = testing::ask_python_oracle({"split", folder() / "net.onnx", folder() / "split"});
  ASSERT_EQ(made.status, 0) << made.err;

  const auto model = value_of(Model::read(folder() / "split" / "split.onnx"));
  ASSERT_EQ(model.summary().external_files.size(), 2U);

  ASSERT_TRUE(model.write(folder() / "copy" / "copy.onnx"));
  const auto copied = testing::ask_python_oracle({"same", folder() / "net.onnx", folder() / "copy" / "copy.onnx"});
  EXPECT_EQ(copied.status, 0) << copied.err;

  const auto merged = value_of(write_with_one_data_file(model, folder() / "merged" / "model.onnx"));
  EXPECT_TRUE(merged);
  EXPECT_THAT(Model::read(folder() / "merged" / "model.onnx")->summary().external_files, ElementsAre("model.data"));
  const auto same = testing::ask_python_oracle({"same", folder() / "net.onnx", folder() / "merged" / "model.onnx"});
  EXPECT_EQ(same.status, 0) << same.err;
}

TEST_F(ModelFiles, a_model_without_external_data_gets_no_data_file) {
  const auto written = write_with_one_data_file(*Model::parse(testing::conv_net(), {}), folder() / "model.onnx");
  ASSERT_TRUE(written);
  EXPECT_FALSE(*written);
  EXPECT_FALSE(std::filesystem::exists(folder() / "model.data"));
}

}  // namespace
}  // namespace slipway::compile::onnx_graph
