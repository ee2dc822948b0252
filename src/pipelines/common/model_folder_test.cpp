#include "pipelines/common/model_folder.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::pipelines {
namespace {

class ModelFolderTest : public ::testing::Test {
 protected:
  ModelFolderTest() : folder_(std::move(base::TemporaryFolder::create("model")).value()) {}
  void describe(const std::string& text) { ASSERT_TRUE(base::write_file_durably(folder_.path() / "model.yaml", text)); }
  base::TemporaryFolder folder_;
};

TEST_F(ModelFolderTest, gives_the_graphs_file_and_the_scales_of_its_tensors) {
  describe(R"(schema: 1
name: face_det_lite
graphs:
  detector:
    file: detector.onnx
    inputs:
      - {name: image, shape: [1, 1, 480, 640], dtype: uint8, scale: 0.0039, zero_point: 3}
    outputs:
      - {name: heatmap, shape: [1, 1, 60, 80], dtype: float32}
)");
  for (const char* graph : {"", "detector"}) {
    const auto model = find_model(folder_.path(), graph);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->path, folder_.path() / "detector.onnx");
    ASSERT_EQ(model->quantization.size(), 1U);
    EXPECT_EQ(model->quantization.at("image"), (tensor::Quantization{0.0039F, 3}));
  }
  const auto other = find_model(folder_.path(), "landmark");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("there are: detector"), std::string::npos) << other.error().message;
}

TEST_F(ModelFolderTest, a_bare_file_stands_for_itself) {
  const auto file = folder_.path() / "x.onnx";
  ASSERT_TRUE(base::write_file_durably(file, "x"));
  EXPECT_EQ(find_model(file, "anything")->path, file);
  EXPECT_EQ(find_model(folder_.path() / "missing.onnx", "").error().code, base::Code::kNotFound);
}

TEST_F(ModelFolderTest, says_what_is_wrong_with_a_description) {
  EXPECT_FALSE(find_model(folder_.path(), ""));
  for (const char* text :
       {"[1, 2", "schema: 2\ngraphs: {}", "schema: 1", "schema: 1\ngraphs: {a: {}}", "schema: one",
        "schema: 1\ngraphs: {a: {file: ../secret.onnx}}", "schema: 1\ngraphs: {a: {file: /etc/passwd}}",
        "schema: 1\ngraphs: {a: {file: a.onnx, inputs: [{name: x, scale: wide}]}}"}) {
    describe(text);
    const auto model = find_model(folder_.path(), "");
    ASSERT_FALSE(model) << text;
    EXPECT_NE(model.error().message.find("model.yaml"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace slipway::pipelines
