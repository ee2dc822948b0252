#include "media/camera.hpp"

#include <gmock/gmock.h>

namespace slipway::media {
namespace {

using ::testing::HasSubstr;

// A camera that works is no part of a build machine; what is refused, is refused anywhere.
TEST(Camera, says_that_a_device_does_not_exist) {
  const auto camera = Camera::open("/dev/video4242");
  ASSERT_FALSE(camera.has_value());
  EXPECT_EQ(camera.error().code, base::Code::kNotFound);
  EXPECT_THAT(camera.error().message, HasSubstr("/dev/video4242"));
  EXPECT_THAT(camera.error().message, HasSubstr("this machine has"));
}

TEST(Camera, says_that_another_device_is_none) {
  ASSERT_TRUE(is_camera_path("/dev/null"));
  ::testing::internal::CaptureStderr();
  const auto camera = Camera::open("/dev/null");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");  // libv4l would say something
  ASSERT_FALSE(camera.has_value());
  EXPECT_EQ(camera.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(camera.error().message, HasSubstr("/dev/null: expected a Video4Linux camera"));
}

TEST(Camera, is_not_looked_for_behind_files_and_folders) {
  EXPECT_FALSE(is_camera_path("/"));
  EXPECT_FALSE(is_camera_path("CMakeLists.txt"));
}

}  // namespace
}  // namespace slipway::media
