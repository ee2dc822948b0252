#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "pipelines/samurai/frame_input.hpp"
#include "pipelines/samurai/mask_geometry.hpp"
#include "tensor/npz.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::pipelines::samurai {
namespace {

using tensor::testing::named;

// The original's loader leaves it to Pillow's default, which is bicubic.
TEST(SquareResize, gives_pillows_bicubic_pixels) {
  const auto arrays = *tensor::read_npz("tests/golden/samurai/resize.npz");
  constexpr int kSide = 32;
  SquareResize resize(kSide);
  for (const std::string name : {"wide", "tall", "same_width", "small", "square", "wide"}) {
    const tensor::Tensor& frame = named(arrays, name + ".frame");
    const auto height = static_cast<int>(frame.shape()[0]), width = static_cast<int>(frame.shape()[1]);
    const auto pixels = frame.values<std::uint8_t>();
    std::vector<float> planes(3 * kSide * kSide);
    ASSERT_TRUE(resize.to_planes({pixels.data(), width, height, std::ptrdiff_t{3} * width}, planes));
    const auto expected = named(arrays, name + ".square").values<std::uint8_t>();
    for (std::size_t i = 0; i < planes.size(); ++i) {
      const std::size_t channel = i / (kSide * kSide), at = i % (kSide * kSide);
      ASSERT_EQ(planes[i], static_cast<float>(expected[3 * at + channel]) / 255.0F) << name << " " << i;
    }
  }
}

TEST(SquareResize, refuses_an_empty_image) {
  std::vector<float> planes(3 * 8 * 8);
  const auto done = SquareResize(8).to_planes({}, planes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::Code::kInvalidArgument);
}

// The masks were enlarged by ONNX Runtime's Resize.
TEST(EnlargeAndCut, gives_the_mask_and_box_of_onnx_runtimes_resize) {
  const auto arrays = *tensor::read_npz("tests/golden/samurai/masks.npz");
  Mask mask;
  int boxes = 0;
  for (const std::string size : {"larger", "wide", "smaller"}) {
    for (const std::string kind : {"blob", "noise", "corner", "none"}) {
      const std::string name = size + "." + kind;
      const tensor::Tensor& logits = named(arrays, name + ".logits");
      const tensor::Tensor& expected = named(arrays, name + ".mask");
      const auto side = static_cast<int>(logits.shape()[0]);
      const auto height = static_cast<int>(expected.shape()[0]), width = static_cast<int>(expected.shape()[1]);
      enlarge_and_cut(logits.values<float>(), side, width, height, mask);
      const auto pixels = expected.values<std::uint8_t>();
      ASSERT_TRUE(std::ranges::equal(mask.pixels, pixels)) << name;
      Box box{1e9, 1e9, -1, -1};
      std::int64_t area = 0;
      for (std::size_t i = 0; i < pixels.size(); ++i) {
        if (pixels[i] == 0) continue;
        const auto x = static_cast<double>(i % static_cast<std::size_t>(width));
        const auto y = static_cast<double>(i / static_cast<std::size_t>(width));
        box = {std::min(box.x1, x), std::min(box.y1, y), std::max(box.x2, x), std::max(box.y2, y)};
        ++area;
      }
      EXPECT_EQ(mask.area, area) << name;
      EXPECT_EQ(mask.box, area > 0 ? box : Box{}) << name;
      boxes += area > 0 ? 1 : 0;
      if (width == height) {
        EXPECT_EQ(enlarged_bounds(logits.values<float>(), side, width), mask.box) << name;
      }
    }
  }
  EXPECT_GE(boxes, 6);
}

// As PyTorch shrinks them, antialiased.
TEST(ResizedWithAntialias, gives_pytorchs_values_at_a_quarter) {
  const auto arrays = *tensor::read_npz("tests/golden/samurai/prompts.npz");
  for (const std::string name : {"disc", "small", "edge", "noise"}) {
    const auto mask = named(arrays, name + ".mask").values<std::uint8_t>();
    const auto expected = named(arrays, name + ".quarter").values<float>();
    ASSERT_EQ(mask.size(), 64U * 64U);
    ASSERT_EQ(expected.size(), 16U * 16U);
    const Plane square{64, 64, {mask.begin(), mask.end()}};
    const std::vector<float> shrunk = resized_with_antialias(square, 16, 16).values;
    for (std::size_t i = 0; i < shrunk.size(); ++i) ASSERT_NEAR(shrunk[i], expected[i], 1e-6) << name << " " << i;
  }
}

TEST(ResizedWithAntialias, brings_a_mask_of_any_size_to_pytorchs_square) {
  const auto arrays = *tensor::read_npz("tests/golden/samurai/prompts.npz");
  for (const std::string name : {"wide", "tall", "small"}) {
    const tensor::Tensor& mask = named(arrays, name + "_frame.mask");
    const auto height = static_cast<int>(mask.shape()[0]), width = static_cast<int>(mask.shape()[1]);
    const auto pixels = mask.values<std::uint8_t>();
    const auto expected = named(arrays, name + "_frame.square").values<float>();
    const Plane square = resized_with_antialias({width, height, {pixels.begin(), pixels.end()}}, 64, 64);
    ASSERT_EQ(square.values.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(square.values[i], expected[i], 1e-6) << name << " " << i;
      ASSERT_EQ(square.values[i] >= 0.5F, expected[i] >= 0.5F) << name << " " << i;
    }
  }
}

TEST(EnlargeAndCut, counts_what_is_no_number_as_outside) {
  std::vector<float> logits(64, std::nanf(""));
  Mask mask;
  enlarge_and_cut(logits, 8, 20, 10, mask);
  EXPECT_EQ(mask.area, 0);
  EXPECT_EQ(enlarged_bounds(logits, 8, 32), Box{});
}

}  // namespace
}  // namespace slipway::pipelines::samurai
