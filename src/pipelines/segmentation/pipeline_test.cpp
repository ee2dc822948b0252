#include "pipelines/segmentation/pipeline.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "pipelines/segmentation/labels.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::segmentation {
namespace {

std::shared_ptr<runtime::Environment> environment() {
  static const std::shared_ptr<runtime::Environment> kOpened = [] {
    const auto paths = runtime::locate_libraries();
    SLIPWAY_CHECK(paths.has_value(), "ONNX Runtime was set up");
    return std::move(runtime::Environment::open(*paths)).value();
  }();
  return kOpened;
}

const tensor::Tensor& named(const tensor::NamedTensors& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &tensor::NamedTensor::name);
  SLIPWAY_CHECK(found != tensors.end(), "the golden has this array");
  return found->tensor;
}

// ONNX Runtime's Python package ran the network between the halves of the NumPy reading.
TEST(Segmenter, GivesTheClassesOfTheReference) {
  const auto arrays = tensor::read_npz("tests/golden/segmentation/pipeline.npz");
  ASSERT_TRUE(arrays) << arrays.error().message;
  const tensor::Tensor& pixels = named(*arrays, "picture");
  const auto width = static_cast<int>(pixels.shape()[1]), height = static_cast<int>(pixels.shape()[0]);
  const media::ImageView view{pixels.values<std::uint8_t>().data(), width, height, std::ptrdiff_t{3} * width};
  for (const std::string name : {"plain", "normalised"}) {
    Config config;
    if (name == "normalised") {
      config.mean = media::kImageNetMean;
      config.deviation = media::kImageNetDeviation;
    }
    auto segmenter = Segmenter::load(environment(), "tests/golden/segmentation/tiny.onnx", {}, config);
    ASSERT_TRUE(segmenter) << segmenter.error().message;
    EXPECT_EQ((*segmenter)->labels(), cityscapes_labels());
    Segments segments;
    for (int again = 0; again < 2; ++again) ASSERT_TRUE((*segmenter)->run(view, segments));
    const auto expected = named(*arrays, name).values<std::uint8_t>();
    ASSERT_EQ(segments.map.labels.size(), expected.size());
    int wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) wrong += expected[i] != segments.map.labels[i] ? 1 : 0;
    EXPECT_LE(wrong, static_cast<int>(expected.size() / 2000)) << name;  // rounding at borders
  }
}

TEST(DrawSegments, MixesTheColourOfTheNearestCell) {
  auto image = media::Image::create(4, 2);
  ASSERT_TRUE(image);
  draw_segments(*image, {2, 1, {0, 1}}, {{100, 0, 0}, {0, 0, 200}});
  EXPECT_EQ(image->row(1)[3], 50);
  EXPECT_EQ(image->row(1)[3 * 2 + 2], 100);
}

}  // namespace
}  // namespace slipway::pipelines::segmentation
