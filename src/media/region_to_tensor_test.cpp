#include "media/region_to_tensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "media/testing/golden.hpp"
#include "tensor/float16.hpp"
#include "tensor/npz.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::media {
namespace {

using tensor::testing::named;
using testing::view_of;

constexpr int kSize = 24;

ImageInput bytes_input(Layout layout) {
  ImageInput input;
  input.width = input.height = kSize;
  input.layout = layout;
  input.dtype = tensor::Dtype::kUint8;
  input.quantization = tensor::Quantization{1.0F / 255, 0};
  return input;
}

class Warp : public ::testing::Test {
 protected:
  void SetUp() override {
    auto read = tensor::read_npz("tests/golden/mediapipe_face/warp.npz");
    ASSERT_TRUE(read) << read.error().message;
    arrays_ = std::move(*read);
  }
  [[nodiscard]] Affine map(const std::string& name) const {
    const auto m = named(arrays_, name + ".map").values<double>();
    return {m[0], m[1], m[2], m[3], m[4], m[5]};
  }
  tensor::NamedTensors arrays_;
};

TEST_F(Warp, gives_the_bits_of_both_open_cv_warps) {
  const ImageView image = view_of(named(arrays_, "picture"));
  for (const std::string name : {"level", "turned", "edge", "far"}) {
    for (const std::string border : {"zero", "replicate"}) {
      for (const std::string way : {"perspective", "affine"}) {
        auto warp =
            RegionToTensor::create(bytes_input(Layout::kNhwc), border == "zero" ? Border::kZero : Border::kReplicate,
                                   way == "affine" ? WarpRounding::kWarpAffine : WarpRounding::kWarpPerspective);
        ASSERT_TRUE(warp) << warp.error().message;
        std::vector<std::byte> out(warp->size_bytes());
        ASSERT_TRUE(warp->convert(image, map(name), out));
        const auto expected = named(arrays_, name + "." + border + "." + way).bytes();
        EXPECT_TRUE(std::ranges::equal(out, expected)) << name << " " << border << " " << way;
      }
    }
  }
}

TEST_F(Warp, puts_the_same_values_into_every_layout_and_dtype) {
  const ImageView image = view_of(named(arrays_, "picture"));
  const auto expected = named(arrays_, "turned.zero.perspective").values<std::uint8_t>();
  constexpr std::size_t kPixels = kSize * kSize;
  for (const Layout layout : {Layout::kNhwc, Layout::kNchw}) {
    const auto place = [&](std::size_t i) { return layout == Layout::kNhwc ? i : i % 3 * kPixels + i / 3; };
    ImageInput real = bytes_input(layout);
    real.dtype = tensor::Dtype::kFloat32;
    real.gain = 2.0F / 255;
    real.bias = -1;
    auto warp = RegionToTensor::create(real, Border::kZero, WarpRounding::kWarpPerspective);
    ASSERT_TRUE(warp);
    std::vector<float> floats(3 * kPixels);
    ASSERT_TRUE(warp->convert(image, map("turned"), std::as_writable_bytes(std::span(floats))));

    ImageInput stored = bytes_input(layout);
    stored.dtype = tensor::Dtype::kInt16;
    stored.quantization = tensor::Quantization{1.0F / 2550, -7};
    warp = RegionToTensor::create(stored, Border::kZero, WarpRounding::kWarpPerspective);
    ASSERT_TRUE(warp);
    std::vector<std::int16_t> shorts(3 * kPixels);
    ASSERT_TRUE(warp->convert(image, map("turned"), std::as_writable_bytes(std::span(shorts))));

    real.dtype = tensor::Dtype::kFloat16;
    warp = RegionToTensor::create(real, Border::kZero, WarpRounding::kWarpPerspective);
    ASSERT_TRUE(warp);
    std::vector<std::uint16_t> halves(3 * kPixels);
    ASSERT_TRUE(warp->convert(image, map("turned"), std::as_writable_bytes(std::span(halves))));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(halves[i], tensor::half_from_float(floats[i])) << i;
      ASSERT_NEAR(floats[place(i)], expected[i] / 127.5 - 1, 1e-6) << i;
      ASSERT_EQ(shorts[place(i)], 10 * expected[i] - 7) << i;
    }
  }
}

TEST_F(Warp, survives_images_of_one_pixel_and_regions_far_away_or_huge) {
  const std::vector<std::uint8_t> pixel = {10, 20, 30};
  auto warp = RegionToTensor::create(bytes_input(Layout::kNhwc), Border::kReplicate, WarpRounding::kWarpPerspective);
  auto affine = RegionToTensor::create(bytes_input(Layout::kNhwc), Border::kReplicate, WarpRounding::kWarpAffine);
  ASSERT_TRUE(warp && affine);
  std::vector<std::byte> out(warp->size_bytes());
  for (RegionToTensor* each : {&*warp, &*affine}) {
    for (const double factor : {1e-9, 1.0, 1e9, 1e300}) {
      const Affine huge{factor, -factor, factor, factor, factor, -factor};
      ASSERT_TRUE(each->convert({pixel.data(), 1, 1, 3}, huge, out));
      EXPECT_EQ(static_cast<int>(out[0]), 10) << factor;
      EXPECT_EQ(static_cast<int>(out[out.size() - 1]), 30) << factor;
    }
  }
}

TEST(RegionToTensor, refuses_what_cannot_be_cut) {
  auto warp = RegionToTensor::create(bytes_input(Layout::kNhwc), Border::kZero, WarpRounding::kWarpPerspective);
  ASSERT_TRUE(warp);
  const std::vector<std::uint8_t> pixel = {10, 20, 30};
  std::vector<std::byte> out(warp->size_bytes()), small(3);
  const ImageView image{pixel.data(), 1, 1, 3};
  EXPECT_FALSE(warp->convert({}, {}, out));
  EXPECT_FALSE(warp->convert(image, {}, small));
  EXPECT_FALSE(warp->convert(image, {std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, 1, 0}, out));
  ImageInput grey = bytes_input(Layout::kNhwc);
  grey.channels = Channels::kLuma;
  EXPECT_FALSE(RegionToTensor::create(grey, Border::kZero, WarpRounding::kWarpPerspective));
}

}  // namespace
}  // namespace slipway::media
