#include "media/image_to_tensor.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "media/testing/golden.hpp"
#include "tensor/float16.hpp"
#include "tensor/npz.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::media {
namespace {

using tensor::testing::named;
using testing::view_of;

TEST(Place, centres_a_letterbox_and_gives_the_odd_pixel_to_right_and_bottom) {
  const Placement wide = place(1280, 720, 640, 480, Fit::kLetterbox);
  EXPECT_EQ(wide.scale_x, 0.5);
  EXPECT_EQ(wide.inner_width, 640);
  EXPECT_EQ(wide.inner_height, 360);
  EXPECT_EQ(wide.pad_top, 60);
  const Placement odd = place(100, 101, 64, 48, Fit::kLetterbox);
  EXPECT_EQ(odd.inner_width, 47);
  EXPECT_EQ(odd.pad_left, 8);
  EXPECT_EQ(odd.to_image_x(8), 0);
  EXPECT_NEAR(odd.to_image_y(48), 101, 1e-9);
}

// 1545 · (480 / 1545) is a hair below 480 in double precision, and the rule rounds down.
TEST(Place, rounds_down_as_the_reference_does) {
  EXPECT_EQ(place(1986, 1545, 640, 480, Fit::kLetterbox).inner_height, 479);
  EXPECT_EQ(place(20000, 1, 640, 480, Fit::kLetterbox).inner_height, 1);
}

TEST(Place, stretches_each_side_by_itself) {
  const Placement placement = place(320, 120, 640, 480, Fit::kStretch);
  EXPECT_EQ(placement.scale_x, 2);
  EXPECT_EQ(placement.scale_y, 4);
  EXPECT_EQ(placement.to_image_y(480), 120);
}

TEST(ImageToTensor, writes_halves_where_the_network_takes_them) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * 50 * 37);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 31);
  ImageInput input{.width = 64, .height = 96, .mean = kImageNetMean, .deviation = kImageNetDeviation};
  std::vector<float> floats(std::size_t{3} * 64 * 96);
  const ImageView image{pixels.data(), 50, 37, 150};
  auto convert = ImageToTensor::create(input, Fit::kLetterbox);
  ASSERT_TRUE(convert && convert->convert(image, std::as_writable_bytes(std::span(floats))));
  input.dtype = tensor::Dtype::kFloat16;
  std::vector<std::uint16_t> halves(floats.size());
  convert = ImageToTensor::create(input, Fit::kLetterbox);
  ASSERT_TRUE(convert && convert->convert(image, std::as_writable_bytes(std::span(halves))));
  for (std::size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(halves[i], tensor::half_from_float(floats[i])) << i;
}

template <typename T>
double largest_difference(std::span<const std::byte> found, const tensor::Tensor& expected) {
  const std::span stored(reinterpret_cast<const T*>(found.data()), found.size() / sizeof(T));
  return tensor::testing::largest_difference(stored, expected.values<T>());
}

// ONNX Runtime's Resize and QuantizeLinear made the expected tensors.
TEST(ImageToTensor, equals_onnx_runtimes_resize_and_quantize_linear) {
  const auto arrays = tensor::read_npz("tests/golden/face_det_lite/preprocess.npz");
  ASSERT_TRUE(arrays) << arrays.error().message;
  const auto description =
      nlohmann::json::parse(*base::read_file("tests/golden/face_det_lite/preprocess.json", 1 << 20));
  ASSERT_GE(description["cases"].size(), 15U);
  for (const auto& entry : description["cases"]) {
    const std::string name = entry["name"];
    ImageInput input{.width = description["width"], .height = description["height"]};
    const std::string channel = entry["channel"];
    input.channels = channel == "luma" ? Channels::kLuma : channel == "blue" ? Channels::kBlue : Channels::kRgb;
    input.layout = entry["layout"] == "nchw" ? Layout::kNchw : Layout::kNhwc;
    input.dtype = *tensor::dtype_from_name(entry["dtype"].get<std::string>());
    if (entry.contains("scale")) input.quantization = {entry["scale"], entry["zero_point"]};
    auto converter = ImageToTensor::create(input, entry["fit"] == "stretch" ? Fit::kStretch : Fit::kLetterbox);
    ASSERT_TRUE(converter) << converter.error().message;
    const tensor::Tensor& expected = named(*arrays, name + ".tensor");
    std::vector<std::byte> out(converter->size_bytes(), std::byte{0xEE});
    ASSERT_EQ(out.size(), expected.size_bytes()) << name;
    const ImageView image = view_of(named(*arrays, name + ".picture"));
    for (int again = 0; again < 2; ++again) ASSERT_TRUE(converter->convert(image, out)) << name;
    switch (input.dtype) {
      case tensor::Dtype::kFloat32:
        EXPECT_LT(largest_difference<float>(out, expected), 1e-5) << name;
        break;
      // A value on the edge between two steps may fall to either side.
      case tensor::Dtype::kUint8:
        EXPECT_LE(largest_difference<std::uint8_t>(out, expected), 1) << name;
        break;
      case tensor::Dtype::kInt8:
        EXPECT_LE(largest_difference<std::int8_t>(out, expected), 1) << name;
        break;
      default:
        EXPECT_LE(largest_difference<std::uint16_t>(out, expected), 1) << name;
        break;
    }
  }
}

TEST(ImageToTensor, pads_with_the_value_of_black_in_the_networks_range) {
  auto converter = ImageToTensor::create({.width = 8, .height = 8, .gain = 2.0F / 255, .bias = -1}, Fit::kLetterbox);
  ASSERT_TRUE(converter);
  auto white = Image::create(8, 4);
  ASSERT_TRUE(white);
  std::fill_n(white->row(0), 8 * 4 * 3, std::uint8_t{255});
  std::vector<float> out(8 * 8 * 3);
  ASSERT_TRUE(converter->convert(white->view(), std::as_writable_bytes(std::span(out))));
  EXPECT_EQ(out[0], -1);
  EXPECT_EQ(out[8 * 4], 1);
  EXPECT_EQ(out[8 * 6], -1);
}

TEST(ImageToTensor, normalises_each_channel_and_pads_with_the_grey_that_was_asked_for) {
  auto converter = ImageToTensor::create(
      {.width = 4, .height = 4, .mean = {0.5F, 0.25F, 0}, .deviation = {0.5F, 0.25F, 2}, .padding = 51},
      Fit::kLetterbox);
  ASSERT_TRUE(converter);
  auto image = Image::create(4, 2);
  ASSERT_TRUE(image);
  for (int i = 0; i < 4 * 2; ++i)
    std::copy_n(std::array<std::uint8_t, 3>{255, 0, 102}.data(), 3, image->row(0) + 3 * i);
  std::vector<float> out(4 * 4 * 3);
  ASSERT_TRUE(converter->convert(image->view(), std::as_writable_bytes(std::span(out))));
  const std::array<float, 3> padding = {(0.2F - 0.5F) / 0.5F, (0.2F - 0.25F) / 0.25F, 0.1F}, inside = {1, -1, 0.2F};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(out[16 * c], padding[c], 1e-6) << c;
    EXPECT_NEAR(out[16 * c + 5], inside[c], 1e-6) << c;
  }
  EXPECT_FALSE(ImageToTensor::create({.width = 4, .height = 4, .deviation = {1, 0, 1}}, Fit::kLetterbox));
}

TEST(ImageToTensor, reads_a_view_with_gaps_between_its_rows) {
  auto wide = Image::create(20, 4), narrow = Image::create(10, 4);
  ASSERT_TRUE(wide && narrow);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 30; ++x) wide->row(y)[x] = narrow->row(y)[x] = static_cast<std::uint8_t>(7 * x + 40 * y);
    std::fill_n(wide->row(y) + 30, 30, std::uint8_t{255});
  }
  auto converter = ImageToTensor::create({.width = 10, .height = 4}, Fit::kLetterbox);
  ASSERT_TRUE(converter);
  std::vector<std::byte> a(converter->size_bytes()), b(converter->size_bytes());
  ASSERT_TRUE(converter->convert({wide->row(0), 10, 4, 60}, a));
  ASSERT_TRUE(converter->convert(narrow->view(), b));
  EXPECT_EQ(a, b);
}

TEST(ImageToTensor, names_what_is_missing_for_an_integer_input) {
  const auto converter =
      ImageToTensor::create({.width = 8, .height = 8, .dtype = tensor::Dtype::kUint8}, Fit::kLetterbox);
  ASSERT_FALSE(converter);
  EXPECT_NE(converter.error().message.find("zero point"), std::string::npos);
  EXPECT_FALSE(ImageToTensor::create({.width = 8, .height = 8, .dtype = tensor::Dtype::kFloat64}, Fit::kLetterbox));
  EXPECT_FALSE(ImageToTensor::create({.width = 0, .height = 8}, Fit::kLetterbox));
  EXPECT_FALSE(ImageToTensor::create(
      {.width = 8, .height = 8, .dtype = tensor::Dtype::kInt8, .quantization = tensor::Quantization{NAN, 0}},
      Fit::kLetterbox));
}

TEST(ImageToTensor, refuses_an_empty_image_and_a_wrong_buffer) {
  auto converter = ImageToTensor::create({.width = 8, .height = 8}, Fit::kLetterbox);
  ASSERT_TRUE(converter);
  std::vector<std::byte> out(converter->size_bytes());
  EXPECT_FALSE(converter->convert({}, out));
  auto image = Image::create(8, 8);
  EXPECT_FALSE(converter->convert(image->view(), std::span(out).first(10)));
}

}  // namespace
}  // namespace slipway::media
