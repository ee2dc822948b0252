// What holds for jobs of every kind: the plan, and how failures are named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/onnx_graph/testing/tiny_models.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/testing/job_folder.hpp"
#include "runtime/profiling.hpp"

namespace slipway::hub::executor {
namespace {

namespace tiny = compile::onnx_graph::testing;
using domain::FailureType;
using domain::kinds::Inference;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::snapdragon;

class Execute : public testing::JobFolderTest {};

// What the domain decided is done, even where the options or the device speak for something else.
TEST_F(Execute, obeys_the_plan_and_nothing_else) {
  tiny::write(model(), tiny::conv_net());
  set_job(profiling(), snapdragon());
  spec_.options.max_profiler_iterations = 2;
  spec_.plan = domain::ExecutionPlan{.runs_on = domain::ExecutionTarget::kCpu};
  const auto outcome = execute_as_planned();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_FALSE(run_result(outcome).profile->place().is_emulated);
  EXPECT_THAT(run_result(outcome).profile->placement, HasSubstr("CPU"));
}

// An emulator stays one, whatever a plan calls it: no figure of it may become a device's.
TEST_F(Execute, never_shows_a_time_of_the_emulator_even_if_the_plan_says_measured) {
  need_npu();
  if (IsSkipped()) return;
  tiny::write(model(), tiny::conv_net());
  set_job(profiling(), snapdragon());
  spec_.plan = domain::ExecutionPlan{.runs_on = domain::ExecutionTarget::kHtp,
                                     .provider = domain::Provider::kQnn,
                                     .fallback_allowed = true,
                                     .figures = domain::Figures::kMeasured};
  const auto outcome = execute_as_planned();
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_TRUE(run_result(outcome).profile->place().is_emulated);
  EXPECT_THAT(run_result(outcome).profile->figures().inference.times_us, IsEmpty());
}

TEST_F(Execute, fails_a_spec_without_a_plan) {
  tiny::write(model(), tiny::conv_net());
  spec_.job.payload = Inference{};
  const auto outcome = execute_as_planned();
  EXPECT_EQ(outcome.failure_type, FailureType::kInternal);
  EXPECT_THAT(outcome.failure_reason, HasSubstr("no plan"));
}

TEST(FailureOf, goes_by_the_reason_and_not_by_the_text) {
  const auto type = [](base::Error error, Step step = Step::kRun) { return failure_of(error, step).type; };
  EXPECT_EQ(type({base::Code::kResourceExhausted, "x", base::Reason::kOutOfDisk}), FailureType::kOutOfDisk);
  EXPECT_EQ(type({base::Code::kResourceExhausted, "x", base::Reason::kOutOfMemory}), FailureType::kOutOfMemory);
  EXPECT_EQ(type({base::Code::kPermissionDenied, "x", base::Reason::kReadOnly}), FailureType::kInternal);
  EXPECT_EQ(type({base::Code::kResourceExhausted, "a sample is named \"No space left\""}, Step::kReadData),
            FailureType::kInvalidInputs);
  const base::Error unloadable{base::Code::kInternal, "the result was made but cannot be loaded on the CPU"};
  EXPECT_EQ(type(unloadable, Step::kCompile), FailureType::kQnnToolError);
  EXPECT_EQ(type(unloadable, Step::kLoad), FailureType::kRuntimeUnknown) << "no tool of Qualcomm's was asked";
}

}  // namespace
}  // namespace slipway::hub::executor

int main(int argc, char** argv) {
  if (const auto status = slipway::runtime::run_phase_if_asked(argc, argv)) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
