#include "pipelines/samurai/mask_choice.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace slipway::pipelines::samurai {
namespace {

// The choices were made by the original package's own code (python/reference/samurai/choice_golden.py): equal
// candidates, candidates that only the rounding of float32 tells apart or makes equal, IoUs exactly at a limit, empty
// masks.
TEST(MaskChoice, takes_the_candidate_that_the_original_takes_where_they_tie) {
  const auto rows = nlohmann::json::parse(*base::read_file("tests/golden/samurai/choices.json", 1 << 20));
  int asked_motion = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    MaskChoice choice(rows[i]["weight"]);
    const nlohmann::json& frames = rows[i]["frames"];
    for (std::size_t frame = 0; frame < frames.size(); ++frame) {
      const nlohmann::json& expected = frames[frame];
      const std::string where = fmt::format("row {} frame {}", i, frame);
      std::vector<Candidate> candidates;
      for (std::size_t k = 0; k < 3; ++k) {
        const auto side = [&](std::size_t at) { return expected["boxes"][k][at].get<double>(); };
        candidates.push_back({{side(0), side(1), side(2), side(3)}, expected["ious"][k]});
      }
      const Choice found = choice.choose(candidates);
      ASSERT_EQ(found.index, expected["choice"].get<std::size_t>()) << where;
      ASSERT_EQ(choice.stable_frames(), expected["stable"].get<int>()) << where;
      ASSERT_EQ(found.motion_score.has_value(), !expected["motion"].is_null()) << where;
      if (found.motion_score) {
        EXPECT_NEAR(*found.motion_score, expected["motion"].get<double>(), 1e-9) << where;
        ++asked_motion;
      }
      for (std::size_t k = 0; k < 8; ++k) {
        EXPECT_NEAR(choice.filter()->mean()[k], expected["mean"][k].get<double>(), 1e-7) << where << " " << k;
      }
    }
  }
  EXPECT_GT(asked_motion, 200);
}

}  // namespace
}  // namespace slipway::pipelines::samurai
