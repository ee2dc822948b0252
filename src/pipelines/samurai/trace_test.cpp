#include "pipelines/samurai/trace.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/testing/value_of.hpp"

namespace slipway::pipelines::samurai {
namespace {

using base::testing::value_of;
using nlohmann::json;

const std::filesystem::path kTraces = "tests/golden/samurai/traces";
constexpr std::uint64_t kLimit = 1 << 22;

void expect_near(const json& expected, const json& found, const std::string& where) {
  ASSERT_EQ(expected.is_null(), found.is_null()) << where;
  if (expected.is_null()) return;
  if (expected.is_number()) {
    const double value = expected;
    EXPECT_NEAR(found.get<double>(), value, 1e-9 * std::max(1.0, std::abs(value))) << where;
    return;
  }
  ASSERT_EQ(expected.size(), found.size()) << where;
  for (std::size_t i = 0; i < expected.size(); ++i) expect_near(expected[i], found[i], fmt::format("{}[{}]", where, i));
}

// The decisions were made by the NumPy reading of the rules, with whole 8×8 matrices.
TEST(Replay, decides_as_the_numpy_reading_does) {
  int traces = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTraces)) {
    const std::string text = *base::read_file(entry.path(), kLimit);
    const auto frames = value_of(read_trace(text, entry.path().string()));
    const std::vector<Decision> decisions = replay(frames);
    const json expected = json::parse(text)["decisions"];
    ASSERT_EQ(expected.size(), decisions.size());
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      const json found = json_of(decisions[i]);
      const std::string where = fmt::format("{} frame {}: ", entry.path().stem().string(), i);
      EXPECT_EQ(expected[i]["choice"], found["choice"]) << where;
      EXPECT_EQ(expected[i]["stable"], found["stable"]) << where;
      EXPECT_EQ(expected[i]["memory"], found["memory"]) << where;
      EXPECT_EQ(expected[i]["pointers"], found["pointers"]) << where;
      for (const char* key : {"kf_score", "mean", "cov_diag"}) expect_near(expected[i][key], found[key], where + key);
    }
    ++traces;
  }
  EXPECT_GE(traces, 6);
}

TEST(Replay, a_trace_that_begins_after_the_prompt_equals_one_with_it) {
  const std::string text = *base::read_file(kTraces / "drawn.json", kLimit);
  auto frames = *read_trace(text, "drawn");
  ASSERT_EQ(frames.front().candidates.size(), 1U);
  const std::vector<Decision> whole = replay(frames);
  frames.erase(frames.begin());
  const std::vector<Decision> rest = replay(frames);
  ASSERT_EQ(rest.size() + 1, whole.size());
  for (std::size_t i = 0; i < rest.size(); ++i) EXPECT_EQ(json_of(rest[i]), json_of(whole[i + 1]));
}

TEST(ReadTrace, reads_what_it_writes) {
  const auto frames = *read_trace(*base::read_file(kTraces / "occlusion.json", kLimit), "occlusion");
  json written = {{"frames", json::array()}};
  for (const TraceFrame& frame : frames) written["frames"].push_back(json(json_of(frame)));
  const auto again = value_of(read_trace(written.dump(), "again"));
  ASSERT_EQ(again.size(), frames.size());
  EXPECT_EQ(json_of(again.back()), json_of(frames.back()));
}

TEST(ReadTrace, says_where_a_bad_trace_is_bad) {
  const std::string good =
      R"({"frame":1,"boxes":[[0,0,9,9],[0,0,8,8],[1,1,2,2]],"ious":[0.5,0.4,0.3],"object_score":2})";
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string frame = good;
    return R"({"frames":[)" + frame.replace(frame.find(from), from.size(), to) + "]}";
  };
  ASSERT_TRUE(read_trace(with("9,9", "9,9"), "t"));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not JSON"},
      {"{\"frames\":[", "not JSON"},
      {"[]", "expected {\"frames\""},
      {"{\"frames\":3}", "expected {\"frames\""},
      {"{\"frames\":[3]}", "frames[0]: expected an object, found number"},
      {with("\"frame\":1", "\"frame\":2"), "frames[0].frame: expected 0 or 1, found 2"},
      {with("\"frame\":1", "\"frame\":1.5"), "frames[0].frame"},
      {R"({"frames":[)" + good + "," + good + "]}", "frames[1].frame: expected 2, found 1"},
      {with("\"boxes\"", "\"boxen\""), "frames[0].boxes: missing"},
      {with("[0,0,9,9]", "[0,0,9]"), "frames[0].boxes[0]: expected [x0, y0, x1, y1], found 3 values"},
      {with("[0,0,9,9]", "[0,0,\"9\",9]"), "frames[0].boxes[0][2]: expected a number, found string"},
      {with("[0,0,9,9]", "[10,0,9,9]"), "frames[0].boxes[0]: expected x0 <= x1"},
      {with("[0,0,9,9]", "[0,0,1e300,9]"), "between -1e9 and 1e9"},
      {with("0.5,0.4,0.3", "0.5,0.4"), "as many boxes as ious"},
      {with("[0.5,0.4,0.3]", "null"), "frames[0].ious: expected a list, found null"},
      {with("\"object_score\":2", "\"score\":2"), "frames[0].object_score: missing"},
  };
  for (const auto& [text, message] : cases) {
    const auto frames = read_trace(text, "t.json");
    ASSERT_FALSE(frames) << text;
    EXPECT_EQ(frames.error().code, base::Code::kInvalidArgument);
    EXPECT_NE(frames.error().message.find(message), std::string::npos) << frames.error().message;
    EXPECT_TRUE(frames.error().message.starts_with("t.json")) << frames.error().message;
  }
}

TEST(MemoryRule, keeps_a_bounded_number_of_frames) {
  MemoryRule rule;
  for (int frame = 0; frame < 100'000; ++frame) rule.record(0.9, 3, 0.8);
  EXPECT_EQ(rule.memories().size(), 7U);
  EXPECT_EQ(rule.memories().back(), (MemorySlot{6, 99'999}));
  EXPECT_EQ(rule.pointers().size(), 16U);
  EXPECT_EQ(rule.pointers().front(), (PointerAge{100'000, 0}));
}

}  // namespace
}  // namespace slipway::pipelines::samurai
