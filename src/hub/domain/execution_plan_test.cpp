#include "hub/domain/execution_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/domain/inspection.hpp"
#include "hub/domain/kinds/list.hpp"

// A board is a registration here and nothing else: no such hardware is needed to decide what may run on it.
namespace slipway::hub::domain {
namespace {

using ::testing::HasSubstr;

Device board() {
  Device device;
  device.name = "Snapdragon board";
  device.presence = DevicePresence::kAttached;
  device.execution_targets = {ExecutionTarget::kCpu, ExecutionTarget::kHtp};
  device.chip = {
      .name = "qcs6490", .soc_model = 35, .htp_arch = 68, .supports_fp16 = true, .supports_weight_sharing = false};
  return device;
}

Device board_that_offers_its_cpu() {
  Device device = board();
  device.execution_targets = {ExecutionTarget::kCpu};
  return device;
}

Device board_in_the_catalogue() {
  Device device = board();
  device.presence = DevicePresence::kCatalogue;
  device.execution_targets.clear();
  return device;
}

JobFacts run_on(const Device& device, const std::string& options = "") {
  JobFacts facts;
  facts.models.emplace_back().model.id = "m1";
  facts.devices = {device};
  facts.options = parse_options(kinds::Inference::kEntry, options).value();
  return facts;
}

JobFacts run_compiled_on(const Device& device, CompileTarget target, const std::string& options = "") {
  JobFacts facts = run_on(device, options);
  facts.models[0].model.type = model_type_of(target);
  facts.models[0].origin = Origin{.job_id = "j1", .source_model_id = "m0", .target = target, .device = board()};
  return facts;
}

void expect_refused(const JobFacts& facts, const std::string& says) {
  const auto plan = plan_run(facts);
  ASSERT_FALSE(plan) << says;
  EXPECT_THAT(plan.error().message, HasSubstr(says));
}

TEST(PlanRun, measures_on_the_htp_of_an_attached_board) {
  EXPECT_EQ(plan_run(run_on(board())), (ExecutionPlan{.runs_on = ExecutionTarget::kHtp,
                                                      .provider = Provider::kQnn,
                                                      .fallback_allowed = true,
                                                      .figures = Figures::kMeasured}));
  EXPECT_EQ(needs_of(*plan_run(run_on(board())), board()), "device:Snapdragon board");
}

TEST(PlanRun, forbids_the_fallback_where_the_options_leave_the_cpu_out) {
  const auto plan = plan_run(run_on(board(), "--compute_unit npu"));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->runs_on, ExecutionTarget::kHtp);
  EXPECT_FALSE(plan->fallback_allowed);
}

TEST(PlanRun, takes_the_cpu_of_a_board_where_the_options_ask_for_it) {
  EXPECT_EQ(plan_run(run_on(board(), "--compute_unit cpu")), ExecutionPlan{});
}

TEST(PlanRun, emulates_the_htp_of_a_board_that_is_only_in_the_catalogue) {
  const auto plan = plan_run(run_on(board_in_the_catalogue()));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->runs_on, ExecutionTarget::kHtpEmulator);
  EXPECT_EQ(plan->figures, Figures::kEmulated);
  EXPECT_EQ(needs_of(*plan, board_in_the_catalogue()), "qnn");
}

TEST(PlanRun, keeps_to_the_cpu_of_a_board_whose_agent_offers_no_npu) {
  EXPECT_EQ(plan_run(run_on(board_that_offers_its_cpu())), ExecutionPlan{});
  expect_refused(run_on(board_that_offers_its_cpu(), "--compute_unit npu"), "only its CPU can be used");
  expect_refused(run_on(board_that_offers_its_cpu(), "--onnx_execution_providers qnn"),
                 "the agent of Snapdragon board offers its CPU only");
  expect_refused(
      run_compiled_on(board_that_offers_its_cpu(), CompileTarget::kQnnContextBinary),
      "was compiled to qnn_context_binary for an NPU, but the agent of Snapdragon board offers its CPU only");
}

TEST(PlanRun, says_what_is_converted_first) {
  EXPECT_EQ(plan_run(run_compiled_on(board(), CompileTarget::kPrecompiledQnnOnnx))->converts_first, Conversion::kNone);
  EXPECT_EQ(plan_run(run_compiled_on(board(), CompileTarget::kQnnContextBinary))->converts_first,
            Conversion::kWrapBinary);
  EXPECT_EQ(plan_run(run_compiled_on(board(), CompileTarget::kQnnDlc))->converts_first, Conversion::kCompileSource);
}

TEST(PlanRun, never_takes_what_was_made_for_an_npu_to_a_cpu) {
  expect_refused(run_compiled_on(board(), CompileTarget::kPrecompiledQnnOnnx, "--compute_unit cpu"),
                 "only its NPU can be used");
  JobFacts uploaded = run_on(board_that_offers_its_cpu());
  uploaded.models[0].model.inspection.emplace().facts = {{kHoldsFact, kHoldsContextBinary}};
  expect_refused(uploaded, "holds a context binary, made for an NPU");
  uploaded.devices = {board()};
  EXPECT_EQ(plan_run(uploaded)->runs_on, ExecutionTarget::kHtp);
}

TEST(PlanCompile, embeds_a_context_binary_without_compiling_anything) {
  JobFacts facts = run_compiled_on(board_in_the_catalogue(), CompileTarget::kQnnContextBinary);
  facts.options = {};
  EXPECT_EQ(plan_compile(facts),
            (ExecutionPlan{.target = CompileTarget::kPrecompiledQnnOnnx, .converts_first = Conversion::kEmbedBinary}));
}

TEST(PlanCompile, compares_what_is_made_for_an_npu_on_the_emulator) {
  JobFacts facts = run_on(board());
  facts.options = parse_options(kinds::Compile::kEntry, "--target_runtime qnn_dlc --compute_unit npu").value();
  EXPECT_EQ(plan_compile(facts), (ExecutionPlan{.target = CompileTarget::kQnnDlc,
                                                .runs_on = ExecutionTarget::kHtpEmulator,
                                                .provider = Provider::kQnn,
                                                .fallback_allowed = false,
                                                .figures = Figures::kEmulated}));
  facts.options = parse_options(kinds::Compile::kEntry, "").value();
  EXPECT_EQ(plan_compile(facts)->runs_on, ExecutionTarget::kCpu);
}

TEST(Offers, leave_the_emulator_to_agents_that_emulate) {
  const std::vector<Framework> qairt = {
      {.name = "QAIRT", .api_version = "2.50", .api_tags = {}, .full_version = "2.50.0"}};
  Device machine;
  machine.name = "CPU";
  machine.presence = DevicePresence::kAttached;
  EXPECT_THAT(offers_of({machine}, qairt), ::testing::ElementsAre("device:CPU", "qnn"));
  EXPECT_THAT(offers_of({machine}, {}), ::testing::ElementsAre("device:CPU"));
  EXPECT_THAT(offers_of({board()}, qairt), ::testing::ElementsAre("device:Snapdragon board"));
}

}  // namespace
}  // namespace slipway::hub::domain
