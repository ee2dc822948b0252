#include "tests/contract/hub_world.hpp"
#include "tests/contract/stores.hpp"

// How long an agent has a job, and with what it may end it.
namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

class HubLeases : public HubTest {
 protected:
  [[nodiscard]] JobState state_of(const Job& job) { return hub_.jobs.job(user_, job.id)->state; }
};

// Somebody sets the clock on the wall, or it is corrected over the network after a long sleep.
TEST_F(HubLeases, outlast_every_step_of_the_clock_on_the_wall) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  for (const auto step : {hours(1), -hours(5), hours(24 * 400)}) {
    clock_.step(step);
    hub_.sweep();
    EXPECT_EQ(state_of(job), JobState::kOptimizingModel);
    EXPECT_EQ(hub_.agents.devices().front().name, "Test CPU") << "nor has the agent fallen silent";
    ASSERT_TRUE(hub_.agents.renew(agent_, job.id, spec->job.lease_token));
  }
  clock_.advance(seconds(29));
  hub_.sweep();
  EXPECT_EQ(state_of(job), JobState::kOptimizingModel);
  clock_.advance(seconds(1));
  hub_.sweep();
  EXPECT_EQ(state_of(job), JobState::kCreated) << "time that passes ends them";
}

TEST_F(HubLeases, let_a_result_in_only_as_it_was_announced) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  const auto contents = compiled(outcome);
  const auto complete_with = [&](const ResultFile& file) {
    return hub_.agents.complete(agent_, job.id, spec->job.lease_token, to_document(outcome), {file}).error();
  };
  ResultFile file = upload_result(spec->job, "target.onnx", "12345678").value();
  file.etags.pop_back();
  EXPECT_EQ(complete_with(file).code, Code::kInvalidArgument);
  EXPECT_THAT(complete_with(file).message, HasSubstr("\"target.onnx\": the upload has 2 parts, but 1"));

  const auto plan = hub_.agents.plan_result_upload(agent_, job.id, spec->job.lease_token, 8).value();
  file = {.name = "target.onnx", .upload_id = plan.id, .etags = {send(plan.id, 0, "1234"), send(plan.id, 1, "5")}};
  EXPECT_EQ(complete_with(file).code, Code::kFailedPrecondition);
  EXPECT_THAT(complete_with(file).message, HasSubstr("8 bytes were announced, but 5 arrived"));

  const Job other = compile(inspected_model().id);
  const auto other_spec = lease();
  file = upload_result(other_spec->job, "target.onnx", "12345678").value();
  EXPECT_EQ(complete_with(file).code, Code::kPermissionDenied);
  file.upload_id = "none";
  EXPECT_EQ(complete_with(file).code, Code::kNotFound);
  EXPECT_EQ(state_of(job), JobState::kOptimizingModel) << "the agent may still do better";
  EXPECT_TRUE(complete(spec->job, outcome, contents));
}

TEST_F(HubLeases, take_an_empty_result_and_keep_no_upload_of_what_was_taken) {
  const Job job = compile(inspected_model().id);
  const auto spec = lease();
  JobOutcome outcome;
  const auto contents = compiled(outcome);
  outcome.artifacts = {{.type = ArtifactType::kProfileTrace, .filename = "trace.json"}};
  std::vector<ResultFile> files = {upload_result(spec->job, "trace.json", "").value()};
  for (const auto& [name, content] : contents) files.push_back(upload_result(spec->job, name, content).value());
  ASSERT_TRUE(hub_.agents.complete(agent_, job.id, spec->job.lease_token, to_document(outcome), files));
  EXPECT_EQ(hub_.jobs.artifacts(user_, job.id, ArtifactType::kProfileTrace)->front().blob.size_bytes, 0U);
  for (const ResultFile& file : files) EXPECT_FALSE(rows_->upload(file.upload_id)) << file.name;
  EXPECT_TRUE(hub_.agents.complete(agent_, job.id, spec->job.lease_token, to_document(outcome), files))
      << "also when asked again";
}

HubSettings settings() {
  return {.hub_version = "test"};
}

// A hub that starts finds leases by the clock of a process that is no more.
TEST(HubRestart, gives_agents_one_lease_in_which_to_be_heard_whatever_the_clocks_did) {
  for (const auto step : {hours(0), hours(5), -hours(5)}) {
    const auto folder = base::TemporaryFolder::create("slipway-restart").value();
    const auto file = folder.path() / "hub.sqlite";
    const base::testing::ManualClock clock;
    storage::MemoryBlobStore blobs(clock);
    base::testing::CountedIds ids;
    {
      const auto rows = storage::SqliteStore::open(file, clock).value();
      ASSERT_TRUE(rows->insert_model(uploaded_model("m1")));
      for (const char* id : {"j1", "j2"}) {
        ASSERT_TRUE(rows->insert_job(compile_job(id, "m1"), {}));
        ASSERT_TRUE(rows->lease_job(lease_by("token of " + std::string(id), rows->lease_time())).value());
      }
    }
    clock.advance(hours(1));
    clock.step(step);
    const auto rows = storage::SqliteStore::open(file, clock).value();
    Hub hub(settings(), {*rows, blobs, clock, ids}, {});
    hub.sweep();
    clock.advance(seconds(20));
    ASSERT_TRUE(rows->renew_lease("j1", "token of j1", rows->lease_time() + seconds(30)));
    clock.advance(seconds(10));
    hub.sweep();
    EXPECT_EQ(rows->job("j1")->state, JobState::kOptimizingModel) << "its agent is still there";
    EXPECT_EQ(rows->job("j2")->state, JobState::kCreated) << "its agent has not been heard of";
  }
}

/// Rows of a store that now and then cannot answer.
class PassingFailure final : public storage::MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  [[nodiscard]] base::Result<Model> model(const std::string& id) const override {
    if (failures > 0 && failures-- > 0) return base::fail(Code::kUnavailable, "the store is busy");
    return MemoryStore::model(id);
  }
  /// A full disk takes no renewal, but what frees leases may still fit.
  [[nodiscard]] base::Result<void> renew_lease(const std::string& job_id, const std::string& lease_token,
                                               base::Time until) override {
    if (is_full) return base::fail(base::Reason::kOutOfDisk, "no room for a row");
    return MemoryStore::renew_lease(job_id, lease_token, until);
  }
  mutable std::atomic<int> failures = 0;
  bool is_full = false;
};

class HubOnFailingStore : public ::testing::Test {
 protected:
  void SetUp() override {
    hub_.sweep();
    ASSERT_TRUE(rows_.insert_model(uploaded_model("m1")));
    ASSERT_TRUE(rows_.insert_job(compile_job("j1", "m1"), {}));
    AgentRegistration registration;
    registration.name = "local";
    agent_id_ = hub_.agents.register_agent(agent_, registration).value();
  }

  const base::testing::ManualClock clock_;
  PassingFailure rows_{clock_};
  storage::MemoryBlobStore blobs_{clock_};
  base::testing::CountedIds ids_;
  Hub hub_{settings(), {rows_, blobs_, clock_, ids_}, {}};
  const Actor agent_{.user = {}, .scope = Scope::kAgent};
  std::string agent_id_;
};

TEST_F(HubOnFailingStore, that_cannot_write_a_renewal_is_held_to_the_word_that_was_given) {
  const auto spec = hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>}).value().value();
  rows_.is_full = true;
  for (int renewal = 0; renewal < 12; ++renewal) {
    clock_.advance(seconds(10));
    EXPECT_TRUE(hub_.agents.renew(agent_, "j1", spec.job.lease_token));
    hub_.sweep();
    ASSERT_EQ(rows_.job("j1")->state, JobState::kOptimizingModel) << renewal;
  }
  clock_.advance(seconds(30));
  hub_.sweep();
  EXPECT_EQ(rows_.job("j1")->state, JobState::kCreated) << "nobody has renewed since";
}

TEST_F(HubOnFailingStore, that_cannot_answer_for_a_moment_costs_a_job_nothing) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    rows_.failures = 1;
    EXPECT_EQ(hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>}).error().code, Code::kUnavailable);
    EXPECT_EQ(rows_.job("j1")->state, JobState::kCreated);
  }
  const auto spec = hub_.agents.lease(agent_, agent_id_, {kKindOf<kinds::Compile>});
  ASSERT_TRUE(spec && *spec) << (spec ? "no work" : spec.error().message);
  EXPECT_EQ((*spec)->job.attempt, 1) << "what the store did counts as no attempt";
  EXPECT_THAT(rows_.log("j1").value(), HasSubstr("the store is busy"));
}

}  // namespace
}  // namespace slipway::hub
