#include "pipelines/segmentation/upsampled_argmax.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::segmentation {
namespace {

using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
Signature signature_of(int width, int height, const tensor::Tensor& logits,
                       const std::optional<tensor::Quantization>& quantization) {
  const tensor::TensorSpec input{
      .name = "image", .dtype = tensor::Dtype::kFloat32, .shape = {1, 3, height, width}, .quantization = std::nullopt};
  const tensor::TensorSpec output{
      .name = "mask", .dtype = logits.dtype(), .shape = logits.shape(), .quantization = quantization};
  auto signature = read_signature({input}, {output}, {});
  EXPECT_TRUE(signature) << (signature ? "" : signature.error().message);
  return std::move(signature).value();
}

// The expected classes are the argmax of ONNX Runtime's Resize.
TEST(UpsampledArgmax, equals_the_argmax_of_the_whole_upsampled_tensor) {
  const auto arrays = tensor::read_npz("tests/golden/segmentation/argmax.npz");
  ASSERT_TRUE(arrays) << arrays.error().message;
  const auto description = nlohmann::json::parse(*base::read_file("tests/golden/segmentation/argmax.json", 1 << 20));
  ASSERT_GE(description["cases"].size(), 7U);
  for (const auto& entry : description["cases"]) {
    const std::string name = entry["name"];
    const tensor::Tensor& logits = named(*arrays, name + ".logits");
    std::optional<tensor::Quantization> quantization;
    if (!entry["quantization"].is_null()) quantization = {entry["quantization"][0], entry["quantization"][1]};
    const int width = entry["input"][0], height = entry["input"][1];
    UpsampledArgmax argmax(signature_of(width, height, logits, quantization));
    const auto placement =
        media::place(entry["picture"][0], entry["picture"][1], width, height, media::Fit::kLetterbox);
    LabelMap map;
    for (int again = 0; again < 2; ++again) ASSERT_TRUE(argmax.run(logits, 0, placement, map)) << name;
    const tensor::Tensor& expected = named(*arrays, name + ".labels");
    ASSERT_EQ((tensor::Shape{map.height, map.width}), expected.shape()) << name;
    const auto labels = expected.values<std::uint8_t>(),
               clear = named(*arrays, name + ".is_clear").values<std::uint8_t>();
    int wrong = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) wrong += clear[i] != 0 && labels[i] != map.labels[i] ? 1 : 0;
    EXPECT_EQ(wrong, 0) << name;
  }
}

TEST(UpsampledArgmax, follows_a_placement_that_changes) {
  const auto arrays = tensor::read_npz("tests/golden/segmentation/argmax.npz");
  ASSERT_TRUE(arrays);
  const tensor::Tensor& logits = named(*arrays, "eight_times.logits");
  const Signature signature = signature_of(256, 128, logits, std::nullopt);
  UpsampledArgmax used(signature), fresh(signature);
  LabelMap one, other;
  ASSERT_TRUE(used.run(logits, 0, media::place(100, 100, 256, 128, media::Fit::kLetterbox), one));
  EXPECT_EQ(one.width, 128);
  ASSERT_TRUE(used.run(logits, 0, media::place(300, 100, 256, 128, media::Fit::kLetterbox), one));
  ASSERT_TRUE(fresh.run(logits, 0, media::place(300, 100, 256, 128, media::Fit::kLetterbox), other));
  EXPECT_EQ(one.labels, other.labels);
}

TEST(UpsampledArgmax, names_an_output_of_another_size) {
  const auto logits = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 19, 8, 16}).value();
  const auto wrong = tensor::Tensor::zeros(tensor::Dtype::kFloat32, {1, 19, 8, 15}).value();
  UpsampledArgmax argmax(signature_of(128, 64, logits, std::nullopt));
  LabelMap map;
  const auto done = argmax.run(wrong, 0, media::place(128, 64, 128, 64, media::Fit::kLetterbox), map);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("'mask'"), std::string::npos) << done.error().message;
}

TEST(ReadSignature, refuses_what_is_no_map_of_classes_by_name) {
  const auto spec = [](std::string name, tensor::Shape shape) {
    return tensor::TensorSpec{std::move(name), tensor::Dtype::kFloat32, std::move(shape), std::nullopt};
  };
  const auto input = spec("image", {1, 3, 64, 128});
  EXPECT_FALSE(read_signature({input}, {spec("mask", {1, 19, 128, 256})}, {}));
  EXPECT_FALSE(read_signature({input}, {spec("mask", {1, 1, 8, 16})}, {}));
  const auto refused = read_signature({input}, {spec("boxes", {1, 84, 8400})}, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("'boxes'"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(read_signature({spec("grey", {1, 1, 64, 128})}, {spec("mask", {1, 19, 8, 16})}, {}));
}

}  // namespace
}  // namespace slipway::pipelines::segmentation
