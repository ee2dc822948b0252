#include "pipelines/segmentation/pipeline.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/testing/value_of.hpp"
#include "pipelines/common/testing/golden.hpp"
#include "pipelines/segmentation/labels.hpp"
#include "tensor/npz.hpp"

namespace slipway::pipelines::segmentation {
namespace {

using base::testing::value_of;
using namespace pipelines::testing;  // NOLINT(google-build-using-namespace): one test
// ONNX Runtime's Python package ran the network between the halves of the NumPy reading.
TEST(Segmenter, gives_the_classes_of_the_reference) {
  const auto arrays = value_of(tensor::read_npz("tests/golden/segmentation/pipeline.npz"));
  const media::ImageView view = view_of(named(arrays, "picture"));
  for (const std::string name : {"plain", "normalised"}) {
    Config config;
    if (name == "normalised") {
      config.mean = media::kImageNetMean;
      config.deviation = media::kImageNetDeviation;
    }
    auto segmenter = value_of(Segmenter::load(environment(), "tests/golden/segmentation/tiny.onnx", {}, config));
    EXPECT_EQ(segmenter->labels(), cityscapes_labels());
    Segments segments;
    for (int again = 0; again < 2; ++again) ASSERT_TRUE(segmenter->run(view, segments));
    const auto expected = named(arrays, name).values<std::uint8_t>();
    ASSERT_EQ(segments.map.labels.size(), expected.size());
    int wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) wrong += expected[i] != segments.map.labels[i] ? 1 : 0;
    EXPECT_LE(wrong, static_cast<int>(expected.size() / 2000)) << name;  // rounding at borders
  }
}

TEST(Segmenter, gives_in_a_batch_what_it_gives_one_by_one) {
  const auto arrays = value_of(tensor::read_npz("tests/golden/segmentation/pipeline.npz"));
  const media::ImageView whole = view_of(named(arrays, "picture"));
  const std::vector<media::ImageView> images = {
      {whole.row(20), 80, 60, whole.stride_bytes}, whole, {whole.data, 100, 40, whole.stride_bytes}};
  auto single = value_of(Segmenter::load(environment(), "tests/golden/segmentation/tiny.onnx", {}, {}));
  Config config;
  config.batch = 3;
  auto batched = value_of(Segmenter::load(environment(), "tests/golden/segmentation/tiny_batch.onnx", {}, config));
  std::vector<Segments> segments(3);
  for (const std::size_t count : {3U, 2U}) {
    const auto done = batched->run(std::span(images).first(count), std::span(segments).first(count));
    ASSERT_TRUE(done) << done.error().message;
    for (std::size_t i = 0; i < count; ++i) {
      Segments alone;
      ASSERT_TRUE(single->run(images[i], alone));
      EXPECT_EQ(segments[i].map.width, alone.map.width);
      EXPECT_EQ(segments[i].map.labels, alone.map.labels) << i;
    }
  }
  const auto fixed = Segmenter::load(environment(), "tests/golden/segmentation/tiny.onnx", {}, config);
  ASSERT_FALSE(fixed);
  EXPECT_NE(fixed.error().message.find("a batch of 3"), std::string::npos) << fixed.error().message;
}

TEST(DrawSegments, mixes_the_colour_of_the_nearest_cell) {
  auto image = media::Image::create(4, 2);
  ASSERT_TRUE(image);
  draw_segments(*image, {2, 1, {0, 1}}, {{100, 0, 0}, {0, 0, 200}});
  EXPECT_EQ(image->row(1)[3], 33);
  EXPECT_EQ(image->row(1)[3 * 2 + 2], 66);
}

TEST(DrawSegments, takes_the_nearest_cell_at_every_size) {
  for (const int width : {1, 2, 3, 5, 7, 64, 100, 333}) {
    for (const int cells : {1, 2, 3, 5, 8, 60, 255}) {
      auto image = media::Image::create(width, 3);
      ASSERT_TRUE(image);
      LabelMap map{cells, 1, {}};
      std::vector<media::Colour> colours;
      for (int i = 0; i < cells; ++i) {
        map.labels.push_back(static_cast<std::uint8_t>(i));
        colours.push_back({static_cast<std::uint8_t>(i), 0, 0});
      }
      draw_segments(*image, map, colours);
      for (int x = 0; x < width; ++x) EXPECT_EQ(image->row(2)[3 * x], nearest_cell(x, width, cells) / 3);
    }
  }
}

}  // namespace
}  // namespace slipway::pipelines::segmentation
