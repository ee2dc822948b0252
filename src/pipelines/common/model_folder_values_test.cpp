#include <fstream>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "pipelines/common/model_folder.hpp"

namespace slipway::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kDescription = R"(schema: 1
name: toy
labels: [a, b]
graphs:
  second:
    file: two.onnx
    inputs:
    - {name: image, dtype: uint8, shape: [1, 3, -1, 5], scale: 0.25, zero_point: 7}
    outputs: [{name: y, dtype: float32, shape: [1]}]
    stem_weights: [1.0, 0.5]
  first: {file: one.onnx}
constants: {rate: 44100, form: outside, list: [x, y]}
)";

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"one.onnx", "two.onnx"}) std::ofstream(folder_.path() / name) << "x";
  }
  base::Result<ModelFolder> open(std::string_view text) const {
    std::ofstream(folder_.path() / "model.yaml") << text;
    return ModelFolder::open(folder_.path());
  }
  std::string error_of(std::string text, const std::string& from, const std::string& to) const {
    text.replace(text.find(from), from.size(), to);
    const auto folder = open(text);
    return folder ? "opened" : folder.error().message;
  }
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("model").value();
};

TEST_F(Folder, gives_graphs_in_the_order_of_the_file_and_values_by_dotted_path) {
  const auto folder = open(kDescription);
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  EXPECT_EQ(folder->name(), "toy");
  EXPECT_THAT(folder->labels(), ElementsAre("a", "b"));
  ASSERT_EQ(folder->graphs().size(), 2U);
  EXPECT_EQ(folder->graphs()[0].name, "second");
  const tensor::TensorSpec expected{"image", tensor::Dtype::kUint8, {1, 3, -1, 5}, tensor::Quantization{0.25F, 7}};
  EXPECT_THAT(folder->graphs()[0].inputs, ElementsAre(expected));
  EXPECT_EQ(folder->number("constants.rate")->value(), 44100);
  EXPECT_EQ(folder->word("constants.form")->value(), "outside");
  EXPECT_THAT(folder->numbers("graphs.second.stem_weights")->value(), ElementsAre(1.0, 0.5));
  EXPECT_THAT(folder->words("constants.list")->value(), ElementsAre("x", "y"));
  EXPECT_FALSE(folder->number("constants.absent")->has_value());
  EXPECT_FALSE(folder->number("name.deeper.still")->has_value());
  EXPECT_FALSE(folder->number("constants.form").has_value());
  // Reading must not change the document.
  EXPECT_EQ(folder->number("constants.rate")->value(), 44100);
}

TEST_F(Folder, refuses_what_is_not_a_description) {
  const std::string text(kDescription);
  EXPECT_THAT(error_of(text, "schema: 1", "schema: 2"), HasSubstr("expected 'schema: 1'"));
  EXPECT_THAT(error_of(text, "one.onnx", "../one.onnx"), HasSubstr("is not a file of this folder"));
  EXPECT_THAT(error_of(text, "uint8", "uint9"), HasSubstr("uint9"));
  EXPECT_THAT(error_of(text, "[1, 3, -1, 5]", "five"), HasSubstr("model.yaml"));
  EXPECT_THAT(error_of(text, "graphs:", "graphs: ]"), HasSubstr("model.yaml"));
  EXPECT_EQ(ModelFolder::open(folder_.path() / "nothing").error().code, base::Code::kNotFound);
}

TEST_F(Folder, a_bare_file_is_a_model_of_one_graph) {
  const auto folder = ModelFolder::open(folder_.path() / "one.onnx");
  ASSERT_TRUE(folder.has_value());
  EXPECT_TRUE(folder->is_bare_file());
  EXPECT_EQ(folder->graphs()[0].name, "one");
  EXPECT_FALSE(folder->number("constants.rate")->has_value());
}

}  // namespace
}  // namespace slipway::pipelines
