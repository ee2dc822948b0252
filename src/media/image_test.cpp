#include "media/image.hpp"

#include <gtest/gtest.h>

namespace slipway::media {
namespace {

TEST(Image, without_pixels_is_refused) {
  const auto image = Image::create(0, 5);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, base::Code::kInvalidArgument);
}

TEST(Image, keeps_its_memory_when_it_shrinks) {
  auto image = Image::create(64, 32);
  ASSERT_TRUE(image);
  const std::uint8_t* before = image->row(0);
  ASSERT_TRUE(image->resize(8, 8));
  EXPECT_EQ(image->row(0), before);
  EXPECT_EQ(image->row(1) - image->row(0), 24);
}

// The expected corners are those of the published table of EXIF orientations: where row 0 and column 0 are shown.
TEST(Upright, puts_the_first_stored_pixel_where_exif_says) {
  struct Case {
    Orientation orientation;
    bool is_right, is_bottom;
  };
  for (const auto& [orientation, is_right, is_bottom] :
       {Case{Orientation::kUpright, false, false}, Case{Orientation::kMirrored, true, false},
        Case{Orientation::kUpsideDown, true, true}, Case{Orientation::kFlipped, false, true},
        Case{Orientation::kTransposed, false, false}, Case{Orientation::kQuarterRight, true, false},
        Case{Orientation::kTransversed, true, true}, Case{Orientation::kQuarterLeft, false, true}}) {
    auto image = Image::create(3, 2);
    ASSERT_TRUE(image);
    image->row(0)[0] = 200;
    const auto turned = upright(std::move(*image), orientation);
    ASSERT_TRUE(turned);
    const bool lies = static_cast<int>(orientation) >= 5;
    EXPECT_EQ(turned->width(), lies ? 2 : 3);
    const int x = is_right ? turned->width() - 1 : 0, y = is_bottom ? turned->height() - 1 : 0;
    EXPECT_EQ(turned->row(y)[3 * x], 200) << static_cast<int>(orientation);
  }
}

}  // namespace
}  // namespace slipway::media
