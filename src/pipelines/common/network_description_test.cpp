#include "pipelines/common/network_description.hpp"

#include <gtest/gtest.h>

#include "pipelines/common/plausibility.hpp"

namespace slipway::pipelines {
namespace {

using Names = std::vector<std::string>;

struct Case {
  const char* text;
  Names names;
};

class ClassNames : public ::testing::TestWithParam<Case> {};

TEST_P(ClassNames, are_read_as_they_are_written) {
  EXPECT_EQ(class_names_of(GetParam().text), GetParam().names) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Forms, ClassNames,
                         ::testing::Values(Case{"{0: 'person', 1: 'car'}", {"person", "car"}},
                                           Case{R"({0: "bird's nest"})", {"bird's nest"}},
                                           Case{R"({0: 'a\'b'})", {"a'b"}}, Case{"{1: 'b', 0: 'a'}", {"a", "b"}},
                                           Case{R"({"0": "a", "1": "b"})", {"a", "b"}},
                                           Case{R"(["a", "b"])", {"a", "b"}}, Case{"{0: 'a',}", {"a"}},
                                           Case{" [ 'a' ] ", {"a"}}, Case{"{0: '\xE6\xBC\xA2'}", {"\xE6\xBC\xA2"}}));

INSTANTIATE_TEST_SUITE_P(NoForms, ClassNames,
                         ::testing::Values(Case{"", {}}, Case{"person", {}}, Case{"{", {}}, Case{"{0: 'a'", {}},
                                           Case{"{0: 'a', 2: 'b'}", {}}, Case{"{0: 'a', 0: 'b'}", {}},
                                           Case{"{-1: 'a'}", {}}, Case{"{0 'a'}", {}}, Case{"{0: a}", {}},
                                           Case{"{0: 'a'} x", {}}, Case{"{0: 'a\\", {}}, Case{"[]", {}},
                                           Case{"[['a']]", {}}, Case{"{99999999999999999999: 'a'}", {}}));

TEST(Plausibility, refuses_scores_that_are_none_and_boxes_that_are_nowhere) {
  Plausibility network("YOLOv8 detectors");
  EXPECT_TRUE(network.begin_image());
  for (const double score : {0.0, 0.5, 1.0, 1.004, -0.004}) EXPECT_TRUE(network.check_score(score)) << score;
  for (const double score : {500.0, -1.0, 1.5}) {
    EXPECT_EQ(network.check_score(score).error().code, base::Code::kInvalidArgument) << score;
  }
  EXPECT_TRUE(network.check_has_numbers(true));
  EXPECT_FALSE(network.check_has_numbers(false));
  EXPECT_TRUE(network.check_box({-100, -100, 1000, 700}, 640, 480));
  EXPECT_FALSE(network.check_box({0, 0, 2600, 10}, 640, 480));
  EXPECT_FALSE(network.check_box({0, -2000, 10, 10}, 640, 480));
}

TEST(Plausibility, is_looked_at_in_the_first_ten_images) {
  Plausibility network("YOLOv8 detectors");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(network.begin_image());
  EXPECT_FALSE(network.begin_image());
}

}  // namespace
}  // namespace slipway::pipelines
