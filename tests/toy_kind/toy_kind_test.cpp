// A kind of jobs that production does not have goes the whole way: from the client's message through the queue and the
// sandboxed process's entry to the answers and the page. What it adds is in tests/toy_kind/hub and one entry in the
// list.
#include <fstream>

#include "tests/contract/hub_world.hpp"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "hub/domain/document.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/executor/execute.hpp"
#include "hub/protocol/agent_messages.hpp"
#include "hub/protocol/internal/wire.hpp"
#include "hub/protocol/job_report.hpp"
#include "hub/protocol/jobs.hpp"
#include "hub/protocol/query.hpp"

namespace slipway::hub {
namespace {

namespace api = protocol::internal::api;
namespace fs = std::filesystem;
using domain::kinds::Toy;
using ::testing::HasSubstr;

class ToyKind : public HubTest {
 protected:
  /// What the official client would send.
  static std::string request(const std::vector<std::string>& models, const std::string& options = "") {
    api::Job message;
    api::LinkJob& arm = *message.mutable_link_job();
    for (const std::string& id : models) arm.mutable_models()->add_models()->set_model_id(id);
    arm.mutable_device()->set_name("Test CPU");
    arm.set_options(options);
    return message.SerializeAsString();
  }
  base::Result<domain::Job> submit(const std::vector<std::string>& models, const std::string& options = "") {
    SLIPWAY_ASSIGN(const auto submission, protocol::decode_submission(request(models, options)));
    return hub_.jobs.submit(user_, submission);
  }
  domain::Model uploaded(const std::string& content) {
    const auto model = upload_model(content);
    inspect(image_model());
    return model;
  }
  /// Executes a leased job in its folder, as an agent and its process do.
  domain::JobOutcome execute(const domain::JobSpec& spec, const std::vector<std::string>& contents) {
    const fs::path folder = folder_.path() / "job";
    for (const char* name : {"in", "work", "out"}) fs::create_directories(folder / name);
    const auto read = domain::job_spec_from_document(domain::to_document(spec));
    EXPECT_TRUE(read) << read.error().message;
    for (std::size_t i = 0; i < contents.size(); ++i) {
      std::ofstream(folder / "in" / read->models.at(i).file) << contents[i];
    }
    return executor::execute(*read, folder, {}, [](std::string_view) {});
  }
};

TEST_F(ToyKind, goes_from_the_clients_message_to_its_result) {
  const auto first = uploaded("one "), second = uploaded("two");
  const auto job = submit({first.id, second.id});
  ASSERT_TRUE(job) << job.error().message;
  const std::string target_id = domain::target_model_of(*job);
  EXPECT_EQ(hub_.contents.model(user_, target_id)->type, domain::ModelType::kQnnContextBinary);

  const auto spec = lease();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->job.id, job->id);
  EXPECT_EQ(hub_.jobs.job(user_, job->id)->state, domain::JobState::kLinkingModels);
  ASSERT_EQ(spec->models.size(), 2U);
  EXPECT_TRUE(spec->plan);

  const domain::JobOutcome outcome = execute(*spec, {"one ", "two"});
  ASSERT_TRUE(outcome.succeeded) << outcome.failure_reason;
  EXPECT_THAT(domain::files_of(outcome), ::testing::ElementsAre("joined.bin"));
  ASSERT_TRUE(complete(spec->job, outcome, {{"joined.bin", "one two"}}));

  protocol::JobView view;
  view.job = hub_.jobs.job(user_, job->id).value();
  view.models = {first, second};
  view.target = hub_.contents.model(user_, target_id).value();
  EXPECT_EQ(view.job.state, domain::JobState::kDone);
  EXPECT_EQ(view.target->content, blob_of("one two"));

  api::Job answer;
  ASSERT_TRUE(answer.ParseFromString(protocol::encode_job(view)));
  EXPECT_EQ(answer.link_job().models().models_size(), 2);
  EXPECT_EQ(answer.link_job().target_model().model_id(), target_id);
  api::JobSummaryList summaries;
  ASSERT_TRUE(summaries.ParseFromString(protocol::encode_job_summaries({view}, 1)));
  EXPECT_EQ(summaries.job_summaries(0).link_job_summary().job_id(), job->id);
  api::JobResult result;
  ASSERT_TRUE(result.ParseFromString(protocol::encode_job_result(view).value()));
  EXPECT_EQ(result.link_job_result().link_job_id(), job->id);
  const auto report = nlohmann::json::parse(protocol::encode_job_report(view, std::nullopt, {}));
  EXPECT_EQ(report["job"]["kind"], "toy");
  EXPECT_EQ(report["joined_bytes"], 7);
}

TEST_F(ToyKind, is_in_every_table) {
  EXPECT_EQ(domain::kind_name(domain::JobKind{5}), "toy");
  EXPECT_TRUE(domain::is_running(domain::JobState::kLinkingModels));
  EXPECT_TRUE(domain::may_follow(domain::JobState::kCreated, domain::JobState::kLinkingModels));
  namespace agent = protocol::agent;
  const auto request =
      agent::decode<agent::LeaseRequest>(agent::encode(agent::LeaseRequest{"a", {domain::JobKind{5}}}));
  EXPECT_TRUE(request) << request.error().message;
  const auto model = uploaded("one");
  ASSERT_TRUE(submit({model.id}));
  domain::JobFilter filter = protocol::job_filter(protocol::Query::parse("type=LINK").value()).value();
  EXPECT_EQ(hub_.jobs.jobs(user_, filter, {})->total, 1U);
  EXPECT_EQ(hub_.jobs.jobs(user_, {}, {})->total, 1U);
}

TEST_F(ToyKind, is_held_to_what_its_entry_says) {
  const auto model = uploaded("one");
  EXPECT_THAT(submit({}).error().message, HasSubstr("toy jobs take 1 to 3 model(s), 0 are given"));
  EXPECT_THAT(submit({model.id, model.id, model.id, model.id}).error().message, HasSubstr("4 are given"));
  EXPECT_THAT(submit({model.id}, "--target_runtime onnx").error().message,
              HasSubstr("belongs to compile jobs; this is a toy job"));
  EXPECT_TRUE(submit({model.id}, "--qnn_options context_priority=HIGH"));
}

TEST_F(ToyKind, fails_in_the_words_of_its_own_result) {
  const auto model = uploaded("one");
  const auto job = submit({model.id}).value();
  domain::JobOutcome outcome;
  outcome.succeeded = true;
  outcome.result.emplace<Toy::Result>().target_file = "missing.bin";
  ASSERT_TRUE(complete(lease()->job, outcome));
  EXPECT_THAT(hub_.jobs.job(user_, job.id)->outcome->failure_reason,
              HasSubstr("named 'missing.bin' as the joined model"));
}

}  // namespace
}  // namespace slipway::hub
