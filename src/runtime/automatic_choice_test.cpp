#include "runtime/automatic_choice.hpp"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "runtime/choice_cache.hpp"
#include "runtime/testing/environment.hpp"

namespace slipway::runtime {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): one test
namespace fs = std::filesystem;
using base::Code;
using ::testing::HasSubstr;

tensor::NamedTensors one_output(std::vector<float> values) {
  const tensor::Shape shape = {static_cast<std::int64_t>(values.size())};
  tensor::NamedTensors outputs;
  outputs.push_back(
      {"y", tensor::Tensor::copy_of(tensor::Dtype::kFloat32, shape, std::as_bytes(std::span(values))).value()});
  return outputs;
}

class AutomaticChoiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    request_.models = {folder_.path() / "model.onnx"};
    write_model("first");
    request_.session.intra_op_threads = 2;
    request_.cache_folder = folder_.path() / "cache";
    request_.program_version = "1";
  }

  void write_model(std::string_view content) const { std::ofstream(request_.models.front()) << content; }

  /// Providers that take these times and give these outputs; others are not here.
  void provide(const std::string& name, double median_us, std::vector<float> outputs) {
    times_[name] = {median_us, std::move(outputs)};
  }

  base::Result<AutomaticChoice> choose() {
    runs_ = 0;
    return choose_provider(request_, [this](const fs::path&, const Candidate& candidate) -> base::Result<CandidateRun> {
      ++runs_;
      const auto found = times_.find(candidate.provider);
      if (found == times_.end()) return base::fail(Code::kUnavailable, "{} is not here", candidate.provider);
      return CandidateRun{found->second.first, one_output(found->second.second)};
    });
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-choice").value();
  AutomaticRequest request_;
  std::map<std::string, std::pair<double, std::vector<float>>> times_;
  int runs_ = 0;
};

TEST_F(AutomaticChoiceTest, the_fastest_provider_is_chosen_and_kept_and_used_again) {
  provide("cpu", 100, {1, 2});
  provide("openvino", 50, {1, 2.0001F});
  const auto first = choose();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->chosen, (Candidate{"openvino", 2}));
  EXPECT_FALSE(first->was_kept);
  EXPECT_EQ(first->note, "");
  EXPECT_GT(runs_, 0);
  const auto second = choose();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->chosen, first->chosen);
  EXPECT_TRUE(second->was_kept);
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(second->file, first->file);
  EXPECT_EQ(second->measured_at, first->measured_at);
}

TEST_F(AutomaticChoiceTest, a_provider_whose_outputs_are_off_is_not_chosen_however_fast) {
  provide("cpu", 100, {1, 2});
  provide("openvino", 10, {1, 2.1F});
  provide("xnnpack", 20, {1, NAN});
  const auto choice = choose();
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->chosen.provider, "cpu");
  for (const CandidateMeasurement& each : choice->candidates) {
    if (each.candidate.provider == "openvino" || each.candidate.provider == "xnnpack") {
      EXPECT_THAT(each.refusal, HasSubstr("off by"));
    }
  }
}

TEST_F(AutomaticChoiceTest, another_model_machine_version_or_wish_is_measured_anew) {
  provide("cpu", 100, {1});
  ASSERT_TRUE(choose());
  write_model("second");
  ASSERT_TRUE(choose());
  EXPECT_GT(runs_, 0) << "the model changed";
  std::ofstream(folder_.path() / "model.onnx.data") << "weights";
  ASSERT_TRUE(choose());
  EXPECT_GT(runs_, 0) << "its weights changed";
  request_.program_version = "2";
  ASSERT_TRUE(choose());
  EXPECT_GT(runs_, 0) << "the version changed";
  request_.session.intra_op_threads = 1;
  ASSERT_TRUE(choose());
  EXPECT_GT(runs_, 0) << "the threads changed";
  ASSERT_TRUE(choose());
  EXPECT_EQ(runs_, 0);
}

TEST_F(AutomaticChoiceTest, a_broken_kept_choice_is_ignored_with_a_note) {
  provide("cpu", 100, {1});
  const fs::path file = choose()->file;
  for (const std::string_view content : {"", "{", "{\"schema\":\"provider-choice/1\"}", "[1]", "\xff\xfe",
                                         "{\"schema\":\"provider-choice/1\",\"key\":7,\"provider\":{}}"}) {
    std::ofstream(file, std::ios::trunc) << content;
    const auto choice = choose();
    ASSERT_TRUE(choice) << content;
    EXPECT_FALSE(choice->was_kept) << content;
    EXPECT_THAT(choice->note, HasSubstr("ignored")) << content;
    EXPECT_TRUE(choose()->was_kept) << "what was broken is written anew";
  }
}

TEST_F(AutomaticChoiceTest, a_kept_choice_of_an_emulator_or_of_nobody_measured_is_ignored) {
  provide("cpu", 100, {1});
  const fs::path file = choose()->file;
  for (const std::string_view provider : {"qnn", "openvino", "nothing"}) {
    std::string text = base::read_file(file, 1 << 20).value();
    // Only the choice itself has no "median_us" after it.
    const auto at = text.rfind("\"provider\": \"cpu\"");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, std::string_view("\"provider\": \"cpu\"").size(), fmt::format("\"provider\": \"{}\"", provider));
    std::ofstream(file, std::ios::trunc) << text;
    const auto choice = choose();
    ASSERT_TRUE(choice);
    EXPECT_FALSE(choice->was_kept) << provider;
    EXPECT_EQ(choice->chosen.provider, "cpu");
  }
}

TEST_F(AutomaticChoiceTest, emulators_are_never_candidates) {
  SessionOptions session;
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    session.provider.precision = precision;
    for (const Candidate& candidate : candidates_for(session, 8)) EXPECT_FALSE(is_emulated(candidate.provider));
  }
}

TEST_F(AutomaticChoiceTest, threads_that_were_asked_for_are_kept_and_others_are_measured) {
  SessionOptions session;
  session.intra_op_threads = 3;
  for (const Candidate& candidate : candidates_for(session, 8)) EXPECT_EQ(candidate.threads, 3);
  session.intra_op_threads = 0;
  std::vector<int> threads;
  for (const Candidate& candidate : candidates_for(session, 8)) {
    if (candidate.provider == "cpu") threads.push_back(candidate.threads);
  }
  EXPECT_THAT(threads, ::testing::ElementsAre(8, 4, 1));
}

TEST_F(AutomaticChoiceTest, a_reference_that_does_not_run_is_an_error_and_nothing_is_chosen_in_silence) {
  provide("openvino", 10, {1});
  const auto choice = choose();
  ASSERT_FALSE(choice);
  EXPECT_THAT(choice.error().message, HasSubstr("cpu is not here"));
  EXPECT_FALSE(fs::exists(request_.cache_folder));
}

TEST_F(AutomaticChoiceTest, no_candidate_within_the_tolerance_is_an_error_that_names_each) {
  request_.session.provider.precision = Precision::kBfloat16;
  provide("cpu", 100, {1});
  provide("openvino", 10, {2});
  const auto choice = choose();
  ASSERT_FALSE(choice);
  EXPECT_EQ(choice.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(choice.error().message, HasSubstr("openvino: its outputs are off by 1.0e+00, more than 0.1"));
}

TEST_F(AutomaticChoiceTest, a_cache_that_cannot_be_written_is_said_and_the_choice_stands) {
  provide("cpu", 100, {1});
  std::ofstream(folder_.path() / "file") << "no folder";
  request_.cache_folder = folder_.path() / "file/cache";
  const auto choice = choose();
  ASSERT_TRUE(choice) << choice.error().message;
  EXPECT_EQ(choice->chosen.provider, "cpu");
  EXPECT_THAT(choice->note, HasSubstr("not kept"));
}

TEST_F(AutomaticChoiceTest, a_real_model_is_measured_in_processes_of_their_own) {
  request_.models = {kModels / "conv.onnx"};
  request_.session.intra_op_threads = 1;
  const auto choice = choose_provider(request_, measure_in_process(request_, folder_.path()));
  ASSERT_TRUE(choice) << choice.error().message;
  const auto cpu = std::ranges::find(choice->candidates, Candidate{"cpu", 1}, &CandidateMeasurement::candidate);
  ASSERT_NE(cpu, choice->candidates.end());
  EXPECT_GT(cpu->median_us.value_or(0), 0);
  EXPECT_EQ(cpu->difference, 0);
  EXPECT_TRUE(fs::exists(choice->file));
}

}  // namespace
}  // namespace slipway::runtime
