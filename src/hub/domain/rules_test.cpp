#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "hub/domain/inspection.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/domain/token_text.hpp"

namespace slipway::hub::domain {
namespace {

TEST(JobState, is_one_that_a_transition_leads_to_or_none) {
  for (int number = 0; number < 256; ++number) {
    const JobState state{number};
    const bool is_known = std::ranges::find(all_states(), state) != all_states().end();
    bool is_reached = state == JobState::kCreated;  // where each job begins
    for (const JobState from : all_states()) is_reached |= may_follow(from, state);
    EXPECT_EQ(is_reached, is_known) << number;
    EXPECT_EQ(is_queued(state) || is_running(state) || is_terminal(state), is_known) << number;
    EXPECT_EQ(state_name(state) != "UNSPECIFIED", is_known || state == JobState::kLinkingModels) << number;
    for (const JobState other : all_states()) {
      EXPECT_FALSE(!is_known && (may_follow(state, other) || may_follow(other, state))) << number;
    }
  }
  std::set<JobState> once(all_states().begin(), all_states().end());
  EXPECT_EQ(once.size(), all_states().size()) << "each once";
  EXPECT_EQ(once, (std::set{JobState::kCreated, JobState::kDone, JobState::kFailed, JobState::kOptimizingModel,
                            JobState::kMeasuringPerformance, JobState::kRunningInference, JobState::kQuantizingModel}));
}

// A table with such a kind would not compile.
TEST(JobState, of_those_that_run_is_none_that_waits_or_has_ended) {
  for (const JobState state : all_states()) {
    EXPECT_EQ(may_run_in(state), !is_queued(state) && !is_terminal(state)) << state_name(state);
    EXPECT_EQ(may_run_in(state), is_running(state)) << state_name(state);
  }
}

TEST(JobState, is_known_by_its_number_or_not_at_all) {
  for (const JobState state : all_states()) EXPECT_EQ(state_of_number(static_cast<int>(state)), state);
  for (const std::int64_t number : {-1L, 0L, 2L, 51L + 256L, 1L << 40}) EXPECT_FALSE(state_of_number(number)) << number;
}

TEST(JobState, never_leaves_an_end) {
  for (const JobState from : {JobState::kDone, JobState::kFailed}) {
    for (const JobState to : all_states())
      EXPECT_FALSE(may_follow(from, to)) << state_name(from) << " " << state_name(to);
  }
}

TEST(JobState, ends_well_only_by_way_of_running) {
  EXPECT_FALSE(may_follow(JobState::kCreated, JobState::kDone));
  for (const KindEntry& kind : JobKinds::kEntries) {
    for (const JobState running : kind.running) {
      EXPECT_TRUE(may_follow(JobState::kCreated, running)) << kind.name;
      EXPECT_TRUE(may_follow(running, JobState::kDone)) << kind.name;
      EXPECT_TRUE(may_follow(running, JobState::kFailed)) << kind.name;
      EXPECT_TRUE(may_follow(running, JobState::kCreated)) << kind.name;
      EXPECT_FALSE(is_terminal(running));
    }
  }
  EXPECT_FALSE(may_follow(JobState::kOptimizingModel, JobState::kRunningInference));
}

// The client can draw these states of each job type and no others.
TEST(JobState, runs_in_the_states_that_the_client_can_draw) {
  EXPECT_EQ(kinds::Compile{}.running_state(), JobState::kOptimizingModel);
  kinds::Inference inference;
  EXPECT_EQ(inference.running_state(), JobState::kRunningInference);
  inference.is_profiling = true;
  EXPECT_EQ(inference.running_state(), JobState::kMeasuringPerformance);
  for (const KindEntry& kind : JobKinds::kEntries) {
    const auto payload = empty_payload(kind.number).value();
    const JobState running = std::visit([](const auto& alternative) { return alternative.running_state(); }, payload);
    EXPECT_NE(std::ranges::find(kind.running, running), kind.running.end()) << kind.name;
  }
}

// The checksum was computed with Python's zlib.crc32.
TEST(TokenText, ends_with_a_checksum_that_others_can_compute) {
  EXPECT_EQ(token_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"), "slw_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef07kqpP");
}

TEST(TokenText, is_refused_after_any_change) {
  const std::string text = token_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef");
  EXPECT_TRUE(is_token_text(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(is_token_text(changed)) << i;
  }
  EXPECT_FALSE(is_token_text(""));
  EXPECT_FALSE(is_token_text(text + "a"));
  EXPECT_FALSE(is_token_text(text.substr(1)));
}

TEST(DownloadName, has_no_dot_but_the_extension) {
  EXPECT_EQ(download_name("net_v1.0", ".onnx"), "net_v1_0.onnx");
  EXPECT_EQ(download_name("net.onnx", ".onnx"), "net.onnx");
  EXPECT_EQ(download_name("net.onnx", ".onnx.zip"), "net.onnx.zip");
  EXPECT_EQ(download_name("net.onnx.zip", ".onnx.zip"), "net.onnx.zip");
  EXPECT_EQ(download_name("../../etc/passwd", ".bin"), "______etc_passwd.bin");
  EXPECT_EQ(download_name("", ".h5"), "unnamed.h5");
  EXPECT_EQ(download_name("a\nb", ".log"), "a_b.log");
}

TEST(DownloadName, is_cut_between_characters) {
  const std::string name = download_name(std::string(119, 'a') + "ä", ".onnx");
  EXPECT_EQ(name, std::string(119, 'a') + ".onnx");
}

TEST(ApplyInspection, types_a_model_by_its_content) {
  Model model;
  model.type = ModelType::kOnnx;
  Inspection inspection;
  inspection.format = "tflite";
  apply_inspection(model, inspection);
  EXPECT_EQ(model.type, ModelType::kTflite);

  model.type = ModelType::kAimetOnnx;
  inspection.format = "onnx directory";
  apply_inspection(model, inspection);
  EXPECT_EQ(model.type, ModelType::kAimetOnnx);
  EXPECT_TRUE(model.is_directory);
}

}  // namespace
}  // namespace slipway::hub::domain
