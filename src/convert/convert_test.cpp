#include "convert/convert.hpp"

#include <cstring>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"

namespace slipway::convert {
namespace {

using base::Result;
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

TEST(Convert, what_is_no_archive_of_a_model_is_called_what_it_is) {
  const auto folder = base::TemporaryFolder::create("slipway-convert-test").value();
  const auto path = folder.path() / "network.onnx";
  std::ofstream(path, std::ios::binary) << "\x08\x0a\x12\x07slipway";
  const auto other = convert(path, {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(other.error().message, HasSubstr("an ONNX model is converted already"));

  // A checkpoint has the pickle of a trace, and neither constants nor code.
  const auto weights = convert("tests/golden/convert/archive/weights.pt", {});
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error().code, base::Code::kUnimplemented);
  EXPECT_THAT(weights.error().message, HasSubstr("torch.save wrote this"));
  EXPECT_THAT(weights.error().message, HasSubstr("torch.export.export"));
  const auto format = format_of("tests/golden/convert/archive/weights.pt");
  ASSERT_FALSE(format) << "the verbs that take any model ask this first";
  EXPECT_EQ(format.error().message, weights.error().message);
}

Result<Converted> converted(const std::string& archive, const tensor::Shape& shape) {
  return convert("tests/golden/convert/" + archive,
                 {.input_specs = {{"x", tensor::Dtype::kFloat32, shape, {}}}, .output_names = {}});
}

TEST(Convert, inputs_of_more_elements_than_can_be_counted_are_refused) {
  const auto vast = converted("torch_script/scripted.pt", {std::int64_t{1} << 40, std::int64_t{1} << 40, 4});
  ASSERT_FALSE(vast);
  EXPECT_EQ(vast.error().code, base::Code::kInvalidArgument);
  EXPECT_THAT(vast.error().message, HasSubstr("[1099511627776,1099511627776,4]"));
}

TEST(Convert, an_input_that_does_not_meet_the_weights_is_refused_at_the_call_with_both_shapes) {
  struct Case {
    std::string archive;
    tensor::Shape right, wrong;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"torch_script/scripted.pt", {2, 4}, {2, 5}, "float32[2,5] and float32[4,4]"},
      {"archive/traced.pt",
       {1, 1, 5, 5},
       {1, 2, 5, 5},
       "Conv cannot be computed of float32[1,2,5,5] and float32[2,1,3,3]"},
  };
  for (const Case& one : cases) {
    EXPECT_TRUE(converted(one.archive, one.right)) << one.archive;
    const auto refused = converted(one.archive, one.wrong);
    ASSERT_FALSE(refused) << one.archive;
    EXPECT_THAT(refused.error().message, HasSubstr(one.message));
  }
}

}  // namespace
}  // namespace slipway::convert
