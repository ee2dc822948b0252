#include "convert/convert.hpp"

#include <cstring>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::convert {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Convert, weights_that_are_not_numbers_are_taken_and_said) {
  std::string bytes = base::read_file("tests/golden/convert/torch_script/scripted.pt", 1U << 20U).value();
  const auto folder = base::TemporaryFolder::create("slipway-convert-test").value();
  const auto write_and_convert = [&] {
    const auto path = folder.path() / "scripted.pt";
    std::ofstream(path, std::ios::binary) << bytes;
    return convert(path, {.input_specs = {{"x", tensor::Dtype::kFloat32, {2, 4}, {}}}, .output_names = {}});
  };
  const auto whole = write_and_convert();
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_THAT(whole->remarks, IsEmpty());

  // The first storage, layers.0.weight: its bytes lie behind the entry's header, at a multiple of 64.
  const std::size_t name = bytes.find("scripted/data/0");
  ASSERT_NE(name, std::string::npos);
  const std::size_t extra =
      static_cast<unsigned char>(bytes[name - 2]) + 256U * static_cast<unsigned char>(bytes[name - 1]);
  const std::size_t at = name + std::string_view("scripted/data/0").size() + extra;
  ASSERT_EQ(at % 64, 0U);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(&bytes[at + 4], &nan, sizeof nan);
  std::memcpy(&bytes[at + 20], &nan, sizeof nan);
  const auto damaged = write_and_convert();
  ASSERT_TRUE(damaged) << damaged.error().message;
  EXPECT_THAT(
      damaged->remarks,
      ElementsAre("'layers.0.weight' holds 2 of 16 elements that are not a number (NaN): it was taken as it is."));
}

}  // namespace
}  // namespace slipway::convert
