#include <thread>

#include "tests/contract/hub_world.hpp"

namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using ::testing::HasSubstr;

class HubAgents : public HubTest {};

TEST_F(HubAgents, puts_attached_devices_before_the_catalogue) {
  const auto devices = hub_.agents.devices();
  EXPECT_EQ(devices.front().name, "Test CPU");
  EXPECT_EQ(devices.front().presence, DevicePresence::kAttached);
  EXPECT_EQ(devices.front().agent_id, agent_id_);
  EXPECT_EQ(devices[1].presence, DevicePresence::kCatalogue);
  EXPECT_EQ(devices.size(), small_catalogue().size() + 1);
  EXPECT_EQ(hub_.agents.match({.name = "Samsung Galaxy Tab S7", .os = "", .attributes = {}})->size(), 1U);
  EXPECT_EQ(hub_.agents.frameworks().front().api_version, "2.50");
}

TEST_F(HubAgents, lets_an_attached_device_stand_before_its_catalogue_entry) {
  AgentRegistration registration;
  registration.name = "phone";
  registration.devices.emplace_back().name = "Samsung Galaxy S24";
  ASSERT_TRUE(hub_.agents.register_agent(agent_, registration));
  const auto matches = hub_.agents.match({.name = "Samsung Galaxy S24", .os = "", .attributes = {}}).value();
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(matches[0].presence, DevicePresence::kAttached);
}

TEST_F(HubAgents, refuses_devices_that_would_break_the_client) {
  AgentRegistration registration;
  registration.name = "bad";
  registration.devices.emplace_back().name = "X";
  registration.devices[0].attributes = {"a:b:c"};
  EXPECT_THAT(hub_.agents.register_agent(agent_, registration).error().message, HasSubstr("'a:b:c'"));
  registration.devices[0] = {};
  EXPECT_EQ(hub_.agents.register_agent(agent_, registration).error().code, Code::kInvalidArgument);
  EXPECT_EQ(hub_.agents.register_agent(agent_, {}).error().code, Code::kInvalidArgument);
}

TEST_F(HubAgents, forgets_the_devices_of_an_agent_that_falls_silent) {
  clock_.advance(std::chrono::seconds(90));
  EXPECT_EQ(hub_.agents.devices().front().name, "Test CPU");
  lease();
  clock_.advance(std::chrono::seconds(91));
  EXPECT_NE(hub_.agents.devices().front().name, "Test CPU");
  EXPECT_TRUE(hub_.agents.frameworks().empty());
  lease();
  EXPECT_EQ(hub_.agents.devices().front().name, "Test CPU");
}

TEST_F(HubAgents, keeps_the_id_of_an_instance_that_registers_again) {
  EXPECT_EQ(register_agent(), agent_id_);
  EXPECT_TRUE(hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>}));
}

TEST_F(HubAgents, of_one_name_work_side_by_side_and_leave_with_their_own_jobs_alone) {
  const auto model = inspected_model();
  const Job first = compile(model.id), second = compile(model.id);
  const std::string twin = register_agent("i2");
  ASSERT_NE(twin, agent_id_);
  const auto mine = hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>});
  const auto its = hub_.agents.lease(agent_, twin, {kKindOf<kinds::Compile>});
  ASSERT_TRUE(mine && *mine && its && *its);
  EXPECT_THAT(hub_.jobs.log(user_, (*its)->job.id).value(), HasSubstr("by agent local (" + twin + ")"));
  EXPECT_EQ(std::ranges::count(hub_.agents.devices(), "Test CPU", &Device::name), 1);

  ASSERT_TRUE(hub_.agents.leave(agent_, twin));
  EXPECT_EQ(hub_.jobs.job(user_, (*its)->job.id)->state, JobState::kCreated);
  EXPECT_EQ(hub_.jobs.job(user_, (*mine)->job.id)->state, JobState::kOptimizingModel);
  EXPECT_TRUE(hub_.agents.renew(agent_, (*mine)->job.id, (*mine)->job.lease_token));
  EXPECT_TRUE(hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>})) << "the other one is still registered";
  EXPECT_EQ(hub_.agents.devices().front().name, "Test CPU");
}

TEST_F(HubAgents, end_with_the_successor_that_works_where_they_did) {
  compile(inspected_model().id);
  const auto spec = lease();
  const std::string successor = register_agent("i2", "i1");
  EXPECT_EQ(hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>}).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.agents.devices().front().agent_id, successor);
  EXPECT_EQ(hub_.jobs.job(user_, spec->job.id)->state, JobState::kOptimizingModel)
      << "what may have ended the first one waits for its lease, and the attempt counts";
}

TEST_F(HubAgents, puts_a_job_back_whose_lease_is_not_renewed) {
  const Job job = compile(inspected_model().id);
  const auto first = lease();
  clock_.advance(std::chrono::seconds(20));
  EXPECT_EQ(hub_.agents.renew(agent_, job.id, first->job.lease_token).value(), clock_.now() + std::chrono::seconds(30));
  clock_.advance(std::chrono::seconds(29));
  hub_.sweep();
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kOptimizingModel);
  clock_.advance(std::chrono::seconds(1));
  hub_.sweep();
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kCreated);
  EXPECT_EQ(hub_.agents.renew(agent_, job.id, first->job.lease_token).error().code, Code::kAborted);

  const auto second = lease();
  EXPECT_EQ(second->job.attempt, 2);
  JobOutcome outcome;
  const auto files = compiled(outcome);
  EXPECT_EQ(complete(first->job, outcome, files).error().code, Code::kAborted);
  EXPECT_EQ(hub_.agents.append_log(agent_, job.id, first->job.lease_token, "ghost").error().code, Code::kAborted);
  EXPECT_EQ(hub_.agents.plan_result_upload(agent_, job.id, first->job.lease_token, 5).error().code, Code::kAborted);
  ASSERT_TRUE(complete(second->job, outcome, files));
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kDone);
  EXPECT_THAT(hub_.jobs.log(user_, job.id).value(), ::testing::Not(HasSubstr("ghost")));
}

TEST_F(HubAgents, puts_the_job_of_an_agent_that_leaves_back_at_once) {
  const Job job = compile(inspected_model().id);
  const auto first = lease();
  const int before = changes_;
  EXPECT_EQ(hub_.agents.leave(user_, agent_id_).error().code, Code::kPermissionDenied);
  ASSERT_TRUE(hub_.agents.leave(agent_, agent_id_));
  EXPECT_GT(changes_, before) << "whoever waits for work is woken";
  EXPECT_EQ(hub_.jobs.job(user_, job.id)->state, JobState::kCreated);
  EXPECT_NE(hub_.agents.devices().front().name, "Test CPU");
  EXPECT_EQ(hub_.agents.renew(agent_, job.id, first->job.lease_token).error().code, Code::kAborted);
  EXPECT_EQ(hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>}).error().code, Code::kNotFound);
  EXPECT_TRUE(hub_.agents.leave(agent_, agent_id_)) << "also twice";
  agent_id_ = register_agent();
  const auto second = lease();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->job.id, job.id);
  EXPECT_EQ(second->job.attempt, 1) << "being told to end is not the job's fault";
  EXPECT_THAT(hub_.jobs.log(user_, job.id).value(), HasSubstr("handed back"));
}

TEST_F(HubAgents, fails_a_job_after_three_attempts_and_what_waits_for_it) {
  const Job job = compile(inspected_model().id);
  const Job waiting = hub_.jobs.submit(user_, submission<kinds::Profile>(target_model_of(job), "Test CPU")).value();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_EQ(lease()->job.attempt, attempt);
    clock_.advance(std::chrono::seconds(31));
    hub_.sweep();
  }
  const Job ended = hub_.jobs.job(user_, job.id).value();
  EXPECT_EQ(ended.state, JobState::kFailed);
  EXPECT_EQ(ended.outcome->failure_type, FailureType::kRuntimeCrash);
  EXPECT_THAT(ended.outcome->failure_reason, HasSubstr("3 attempts"));
  EXPECT_EQ(hub_.jobs.job(user_, waiting.id)->outcome->failure_type, FailureType::kFailedDependency);
  EXPECT_FALSE(lease());
}

TEST_F(HubAgents, does_not_wait_for_ever_for_an_inspection_that_kills_its_agent) {
  const auto model = upload_model();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    ASSERT_TRUE(lease());
    clock_.advance(std::chrono::seconds(31));
    hub_.sweep();
  }
  EXPECT_THAT(hub_.contents.model(user_, model.id)->inspection->error, HasSubstr("could not be inspected"));
}

TEST_F(HubAgents, gives_a_job_only_to_an_agent_that_can_do_it) {
  const auto model = inspected_model();
  compile(model.id, "Samsung Galaxy S24", "--target_runtime qnn_dlc");
  ASSERT_TRUE(hub_.jobs.submit(user_, submission<kinds::Profile>(model.id, "Test CPU")));
  AgentRegistration registration;
  registration.name = "plain";
  registration.devices.emplace_back().name = "Another CPU";
  const std::string plain = hub_.agents.register_agent(agent_, registration).value();
  const std::vector<JobKind> kinds = {kKindOf<kinds::Compile>, kKindOf<kinds::Profile>, kKindOf<kinds::Inference>};
  EXPECT_FALSE(hub_.agents.lease(agent_, plain, kinds)->has_value());
  EXPECT_TRUE(lease());
  EXPECT_TRUE(lease());
}

// No such board is here: what it may run follows from its registration alone.
TEST_F(HubAgents, may_offer_the_npu_of_their_device_which_is_then_measured) {
  AgentRegistration registration;
  registration.name = "bench";
  Device& board = registration.devices.emplace_back();
  board.name = "Snapdragon board";
  board.execution_targets = {ExecutionTarget::kCpu, ExecutionTarget::kHtp};
  board.chip.soc_model = 57;  // all that its kernel says
  registration.frameworks = {{.name = "QAIRT", .api_version = "2.50", .api_tags = {}, .full_version = "2.50.0.1"}};
  const std::string bench = hub_.agents.register_agent(agent_, registration).value();
  const auto matched = hub_.agents.match({.name = "Snapdragon board", .os = "", .attributes = {}}).value();
  EXPECT_EQ(matched.at(0).chip.htp_arch, 75) << "as the catalogue knows the chip";

  const auto model = inspected_model();
  const Job job = hub_.jobs.submit(user_, submission<kinds::Profile>(model.id, "Snapdragon board")).value();
  EXPECT_EQ(job.state, JobState::kCreated);
  EXPECT_FALSE(lease()) << "another machine's agent";
  const auto spec = hub_.agents.lease(agent_, bench, {kKindOf<kinds::Profile>}).value();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->job.id, job.id);
  EXPECT_EQ(spec->plan, (ExecutionPlan{.runs_on = ExecutionTarget::kHtp,
                                       .provider = Provider::kQnn,
                                       .fallback_allowed = true,
                                       .figures = Figures::kMeasured}));
  // What is emulated and compiled stays with the agent that emulates.
  ASSERT_TRUE(hub_.jobs.submit(
      user_, submission<kinds::Compile>(model.id, "Samsung Galaxy S24", "--target_runtime qnn_context_binary")));
  EXPECT_FALSE(hub_.agents.lease(agent_, bench, {kKindOf<kinds::Compile>}).value());
  EXPECT_TRUE(lease());

  board.chip.soc_model = 4711;
  EXPECT_THAT(hub_.agents.register_agent(agent_, registration).error().message,
              HasSubstr("the catalogue knows no chip of SoC model 4711"));
  board.execution_targets = {ExecutionTarget::kHtpEmulator};
  EXPECT_THAT(hub_.agents.register_agent(agent_, registration).error().message, HasSubstr("offers an emulator"));
}

TEST_F(HubAgents, ends_a_job_whose_result_makes_no_sense) {
  struct Row {
    std::function<void(JobOutcome&)> change;
    std::string says;
  };
  for (const Row& row : std::vector<Row>{
           {[](JobOutcome& o) { compile_result(o).target_file = "missing.onnx"; },
            "named 'missing.onnx' as the target model"},
           {[](JobOutcome& o) {
              compile_result(o).companion_files = {{"x", "nope"}};
            },
            "named 'nope' as a companion"},
           {[](JobOutcome& o) { o.artifacts = {{.type = ArtifactType::kProfileTrace, .filename = "t.json"}}; },
            "named 't.json' as an artifact"},
           {[](JobOutcome& o) { o.succeeded = false; }, "without saying why"}}) {
    const Job job = compile(upload_model("model " + row.says).id);
    inspect(image_model());
    const auto spec = lease();
    JobOutcome outcome;
    const auto files = compiled(outcome);
    row.change(outcome);
    ASSERT_TRUE(complete(spec->job, outcome, files));
    const Job ended = hub_.jobs.job(user_, job.id).value();
    EXPECT_EQ(ended.state, JobState::kFailed);
    EXPECT_NE(ended.outcome->failure_type, FailureType::kUnspecified);
    EXPECT_FALSE(ended.outcome->succeeded);
    EXPECT_THAT(ended.outcome->failure_reason, HasSubstr(row.says));
    EXPECT_EQ(hub_.contents.model(user_, target_model_of(job))->upload, UploadState::kWaiting);
  }
}

TEST_F(HubAgents, shortens_what_a_hostile_process_says_and_tames_its_file_names) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  outcome.failure_reason = std::string(1 << 20, 'x') + "ä";
  outcome.artifacts = {{.type = ArtifactType::kProfileTrace, .filename = "../../trace.v1.json"}};
  ASSERT_TRUE(complete(spec->job, outcome, {{"../../trace.v1.json", "{}"}}));
  EXPECT_LT(hub_.jobs.job(user_, job.id)->outcome->failure_reason.size(), 10'000U);
  EXPECT_EQ(hub_.jobs.artifacts(user_, job.id, ArtifactType::kProfileTrace)->front().filename, "______trace_v1.json");
}

TEST_F(HubAgents, plans_uploads_of_results) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  const auto plan = hub_.agents.plan_result_upload(agent_, job.id, spec->job.lease_token, 9);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->part_count, 3U);
  EXPECT_EQ(plan->subject_id, job.id);
  EXPECT_EQ(hub_.agents.plan_result_upload(agent_, job.id, spec->job.lease_token, 0)->part_count, 1U);
  EXPECT_EQ(hub_.agents.plan_result_upload(agent_, job.id, "stale", 9).error().code, Code::kAborted);
  EXPECT_EQ(hub_.agents.plan_result_upload(agent_, job.id, spec->job.lease_token, 1001).error().code,
            Code::kResourceExhausted);
}

TEST_F(HubAgents, works_through_jobs_from_many_threads) {
  const auto model = inspected_model();
  constexpr int kJobs = 24;
  std::atomic<int> ended = 0, wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int n = 0; n < kJobs / 3; ++n) {
          if (!hub_.jobs.submit(user_, submission<kinds::Compile>(model.id, "Test CPU"))) ++wrong;
          if (!hub_.jobs.jobs(user_, {}, {}) || hub_.agents.devices().empty()) ++wrong;
        }
      });
    }
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int n = 0; ended < kJobs && n < 100'000; ++n) {
          const auto leased = hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>});
          if (!leased) ++wrong;
          if (!leased || !*leased) {
            std::this_thread::yield();
            continue;
          }
          JobOutcome outcome;
          const auto files = compiled(outcome);
          if (!complete((*leased)->job, outcome, files)) ++wrong;
          ++ended;
          hub_.sweep();
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ended, kJobs);
  JobFilter filter;
  filter.states = {JobState::kDone};
  EXPECT_EQ(hub_.jobs.jobs(user_, filter, {})->total, static_cast<std::uint64_t>(kJobs));
}

}  // namespace
}  // namespace slipway::hub
