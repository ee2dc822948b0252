#include "media/image_file.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "tensor/npz.hpp"
#include "tensor/testing/golden.hpp"

namespace slipway::media {
namespace {

const std::filesystem::path kImages = "tests/golden/media";

std::string content_of(const std::filesystem::path& path) {
  auto content = base::read_file(path, 1 << 20);
  EXPECT_TRUE(content) << content.error().message;
  return content.value_or("");
}

base::Result<Image> decode(const std::string& content, const ImageLimits& limits = {}) {
  return decode_image(std::as_bytes(std::span(content)), "picture", limits);
}

double largest_difference(const Image& image, const tensor::Tensor& expected) {
  if (expected.shape() != tensor::Shape{image.height(), image.width(), 3}) return 999;
  const auto values = expected.values<std::uint8_t>();
  return tensor::testing::largest_difference(std::span(image.row(0), values.size()), values);
}

// Pillow encoded the images and said what they decode to: greys, palettes, alpha, 16 bits, CMYK, animations and all
// eight orientations.
TEST(DecodeImage, gives_the_pixels_that_pillow_gives) {
  const auto expected = tensor::read_npz(kImages / "expected.npz");
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_GE(expected->size(), 30U);
  for (const auto& [name, pixels] : *expected) {
    const auto image = read_image(kImages / name);
    ASSERT_TRUE(image) << name << ": " << image.error().message;
    EXPECT_EQ(largest_difference(*image, pixels), 0) << name << " " << image->width() << "x" << image->height();
  }
}

TEST(DecodeImage, says_that_an_image_ends_early) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "deep_rgb.png", "lossy.webp",
                           "animated.webp", "alpha.webp", "rgb.bmp", "rgb.gif"}) {
    const std::string whole = content_of(kImages / name);
    for (const double share : {0.1, 0.5, 0.8}) {
      const auto image = decode(whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      ASSERT_FALSE(image) << name << " " << share;
      EXPECT_EQ(image.error().code, base::Code::kDataLoss) << name << " " << share << ": " << image.error().message;
    }
  }
}

TEST(DecodeImage, says_that_pixels_are_damaged) {
  std::string png = content_of(kImages / "rgb.png");
  png[png.size() / 2] = static_cast<char>(png[png.size() / 2] ^ 0x55);
  const auto image = decode(png);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, base::Code::kDataLoss) << image.error().message;
}

TEST(DecodeImage, refuses_what_is_no_image_and_names_the_kinds_it_takes) {
  for (const std::string content : {"", "P6 1 1 255 abc", "<svg/>"}) {
    const auto image = decode(content);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().code, base::Code::kInvalidArgument);
    EXPECT_NE(image.error().message.find("JPEG, PNG, WebP, BMP, GIF, TIFF or AVIF"), std::string::npos)
        << image.error().message;
  }
}

TEST(DecodeImage, says_that_a_file_is_empty_and_how_a_limit_is_raised) {
  EXPECT_NE(decode("").error().message.find("an empty file"), std::string::npos);
  const auto image = decode(content_of(kImages / "rgb.png"), {.max_pixels = 1});
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().message.find("--max-pixels"), std::string::npos) << image.error().message;
}

// The header alone decides: the bytes announce far more pixels than there is memory for.
TEST(DecodeImage, refuses_too_many_pixels_before_taking_memory) {
  std::string png = content_of(kImages / "rgb.png");
  png.replace(16, 8, std::string("\x7F\xFF\xFF\xFF\x7F\xFF\xFF\xFF", 8));
  std::string bmp = content_of(kImages / "rgb.bmp");
  bmp.replace(18, 8, std::string("\xFF\xFF\x00\x00\xFF\xFF\x00\x00", 8));
  std::string gif = content_of(kImages / "rgb.gif");
  gif.replace(6, 4, "\xFF\xFF\xFF\xFF");
  std::string jpeg = content_of(kImages / "rgb.jpg");
  const std::size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFE\xFE\xFE\xFE");
  for (const std::string& content : {png, bmp, gif, jpeg}) {
    const auto image = decode(content);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().code, base::Code::kResourceExhausted) << image.error().message;
  }
}

TEST(DecodeImage, the_limit_is_the_callers) {
  const std::string png = content_of(kImages / "rgb.png");
  EXPECT_TRUE(decode(png, {.max_pixels = 37 * 22}));
  const auto refused = decode(png, {.max_pixels = 37 * 22 - 1});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("37x22"), std::string::npos) << refused.error().message;
}

TEST(DecodeImage, survives_any_byte_turned_over) {
  for (const char* name :
       {"rgb.jpg", "turned_6.jpg", "rgb.png", "turned.png", "palette.png", "animated.webp", "palette.bmp", "rgb.gif"}) {
    std::string content = content_of(kImages / name);
    for (std::size_t i = 0; i < content.size(); i += 3) {
      const char before = content[i];
      content[i] = static_cast<char>(before ^ 0xFF);
      const auto image = decode(content, {.max_pixels = 1 << 20});
      EXPECT_TRUE(!image || image->width() >= 1);
      content[i] = before;
    }
  }
}

TEST(ExifOrientation, reads_both_byte_orders_and_ignores_nonsense) {
  const auto orientation = [](std::string_view tiff) { return exif_orientation(std::as_bytes(std::span(tiff))); };
  using namespace std::string_view_literals;
  EXPECT_EQ(orientation("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"sv), Orientation::kQuarterRight);
  EXPECT_EQ(orientation("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"sv), Orientation::kUpsideDown);
  EXPECT_EQ(orientation("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"sv), Orientation::kUpright);
  EXPECT_EQ(orientation("II*\0\xFF\xFF\xFF\xFF"sv), Orientation::kUpright);
  EXPECT_EQ(orientation("II*\0\x08\0\0\0\xFF\xFF"sv), Orientation::kUpright);
}

TEST(EncodeImage, png_comes_back_unchanged_and_jpeg_nearly) {
  const auto image = read_image(kImages / "rgb.png");
  ASSERT_TRUE(image);
  const auto png = encode_png(image->view());
  ASSERT_TRUE(png) << png.error().message;
  const auto again = decode(*png);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(std::equal(image->row(0), image->row(0) + 37 * 22 * 3, again->row(0)));
  const auto jpeg = encode_jpeg(image->view(), 95);
  ASSERT_TRUE(jpeg);
  const auto near = decode(*jpeg);
  ASSERT_TRUE(near);
  EXPECT_EQ(near->width(), 37);
  EXPECT_NEAR(near->row(10)[3 * 5 + 1], image->row(10)[3 * 5 + 1], 12);
}

TEST(WriteImage, needs_a_known_ending) {
  const auto image = read_image(kImages / "rgb.png");
  ASSERT_TRUE(image);
  const auto written = write_image("picture.tiff", image->view());
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find(".png"), std::string::npos);
}

}  // namespace
}  // namespace slipway::media
