// The test program stands in for slipway-worker, as in job_launcher_test.cpp: it behaves as in/behaviour says.
#include "apps/hub_worker/slot.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/hub_worker/job_launcher.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "hub/client/testing/tiny_server.hpp"
#include "hub/domain/document.hpp"

namespace slipway::worker {
namespace {

namespace agent = hub::protocol::agent;
namespace fs = std::filesystem;
using base::Code;
using hub::client::testing::Answer;
using hub::client::testing::ReceivedRequest;
using hub::client::testing::TinyServer;
using hub::domain::FailureType;
using hub::domain::JobKind;
using std::chrono::milliseconds;

/// A hub of which one job can be had.
class SlotTest : public ::testing::Test {
 protected:
  void SetUp() override {}

  Answer answer(const ReceivedRequest& seen) {
    const auto reply = [](std::string body, int status = 200) {
      return Answer{.status = status, .body = std::move(body), .headers = "", .hang_up = false};
    };
    if (seen.path == "/agent/v1/register/")
      return reply(encode(agent::Registered{fmt::format("a{}", ++registrations_)}));
    if (seen.path == "/assets/behaviour") return reply(behaviour_);
    if (seen.path.ends_with("/renew/")) return reply(encode(agent::RenewReply{30}));
    if (seen.path.ends_with("/blob/")) return reply(encode(agent::BlobPlan{"u1", {"/part"}, 64U << 20U}));
    if (seen.path == "/part") {
      const std::scoped_lock lock(mutex_);
      uploaded_ = seen.body;
      return Answer{.status = 200, .body = "", .headers = "ETag: \"e\"\r\n", .hang_up = false};
    }
    if (seen.path.ends_with("/complete/")) {
      if (complete_status_ != 200) return reply(R"({"detail":"too large"})", complete_status_.exchange(200));
      const std::scoped_lock lock(mutex_);
      completed_ = agent::decode<agent::CompleteRequest>(seen.body).value();
      stop_.request_stop();
      return reply("");
    }
    if (seen.path != "/agent/v1/lease/") return reply("");
    if (lease_status_ != 200) return reply("", lease_status_.exchange(200));
    if (is_leased_.exchange(true)) {
      std::this_thread::sleep_for(milliseconds(20));
      return reply(encode(agent::LeaseReply{}));
    }
    hub::domain::JobSpec spec;
    spec.job.id = "j1";
    spec.job.payload = hub::domain::kinds::Compile{};
    spec.job.lease_token = "in the document by mistake";
    return reply(encode(agent::LeaseReply{.job_id = "j1",
                                          .lease_token = "lease",
                                          .lease_seconds = 30,
                                          .spec_document = hub::domain::to_document(spec),
                                          .inputs = {{.name = "behaviour",
                                                      .url = "/assets/behaviour",
                                                      .sha256 = base::sha256_hex(behaviour_),
                                                      .size_bytes = behaviour_.size()}}}));
  }
  base::Result<void> run() { return run_slot(settings_, membership_, stop_.get_token()); }
  int count(const std::string& path) {
    const auto seen = server_.received();
    return static_cast<int>(std::ranges::count(seen, path, &ReceivedRequest::path));
  }
  hub::domain::JobOutcome outcome() {
    return hub::domain::outcome_from_document(completed_->outcome_document, hub::domain::kinds::Compile{}).value();
  }

  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-slot-test-").value();
  std::mutex mutex_;
  std::string behaviour_ = "silent";
  std::optional<agent::CompleteRequest> completed_;
  std::string uploaded_;
  std::atomic<int> registrations_ = 0, lease_status_ = 200, complete_status_ = 200;
  std::atomic<bool> is_leased_ = false;
  std::stop_source stop_;
  TinyServer server_{[this](const ReceivedRequest& seen) { return answer(seen); }};
  const base::SystemClock clock_;
  const hub::client::HubAccess access_ = hub::client::over_http(server_.url(), "t", clock_);
  const SlotSettings settings_{
      .hub = access_,
      .kinds = {hub::domain::kKindOf<hub::domain::kinds::Compile>},
      .execute =
          [](const fs::path& folder, const hub::domain::JobSpec& spec, const auto& tell, const std::stop_token& stop) {
            const JobLimits limits{.time = std::chrono::seconds(20)};
            const runtime::LibraryPaths libraries{.onnxruntime = "/usr/lib/none", .qnn_folder = {}};
            return launch_job(fs::read_symlink("/proc/self/exe"), libraries, folder, spec, limits, tell, stop);
          },
      .work_folder = folder_.path(),
      .private_places = {}};
  Membership membership_{
      {.name = "here", .instance = "i1", .successor_of = "", .device_documents = {}, .frameworks = {}}, clock_};
};

TEST_F(SlotTest, carries_a_job_out_and_completes_it_under_its_lease) {
  ASSERT_TRUE(run());
  ASSERT_TRUE(completed_);
  EXPECT_EQ(completed_->lease_token, "lease");
  EXPECT_EQ(outcome().failure_type, FailureType::kRuntimeUnknown) << "the process left no outcome";
  EXPECT_EQ(count("/agent/v1/jobs/j1/complete/"), 1);
  EXPECT_GE(count("/agent/v1/jobs/j1/log/"), 1);
  EXPECT_TRUE(fs::is_empty(folder_.path())) << "the job folder is gone";
}

TEST_F(SlotTest, fails_a_job_whose_promised_file_is_missing) {
  behaviour_ = "good";
  ASSERT_TRUE(run());
  EXPECT_FALSE(outcome().succeeded);
  EXPECT_THAT(outcome().failure_reason, ::testing::HasSubstr("target.onnx"));
  EXPECT_TRUE(completed_->files.empty());
}

TEST_F(SlotTest, ends_its_process_when_told_to_and_leaves_the_job_to_others) {
  behaviour_ = "hang";
  std::thread stopper([&] {
    while (!is_leased_) std::this_thread::sleep_for(milliseconds(5));
    std::this_thread::sleep_for(milliseconds(300));
    stop_.request_stop();
  });
  const auto outcome = run();
  stopper.join();
  EXPECT_TRUE(outcome);
  EXPECT_FALSE(completed_) << "what was stopped is no result";
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  hub::client::AgentClient client(access_);
  membership_.leave(client);
  EXPECT_EQ(count("/agent/v1/leave/"), 1);
  membership_.leave(client);
  EXPECT_EQ(count("/agent/v1/leave/"), 1) << "once is enough";
}

TEST_F(SlotTest, registers_again_with_a_hub_that_forgot_it) {
  lease_status_ = 404;
  ASSERT_TRUE(run());
  EXPECT_EQ(registrations_, 2);
  EXPECT_TRUE(completed_);
}

TEST_F(SlotTest, tries_again_when_the_hub_is_away_and_ends_when_it_refuses_the_token) {
  lease_status_ = 503;
  ASSERT_TRUE(run());
  EXPECT_TRUE(completed_);
  stop_ = std::stop_source();
  lease_status_ = 401;
  EXPECT_EQ(run().error().code, Code::kUnauthenticated);
}

TEST_F(SlotTest, sends_an_outcome_that_no_message_holds_as_a_file) {
  behaviour_ = "wide";
  ASSERT_TRUE(run());
  EXPECT_EQ(completed_->outcome_document, "");
  ASSERT_TRUE(completed_->outcome_file);
  EXPECT_EQ(completed_->outcome_file->upload_id, "u1");
  const auto outcome = hub::domain::outcome_from_document(uploaded_, hub::domain::kinds::Compile{});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->remarks.at(0).size(), 5U << 20U);
}

TEST_F(SlotTest, ends_a_job_in_words_whose_result_the_hub_will_not_have) {
  behaviour_ = "partial";
  complete_status_ = 413;
  ASSERT_TRUE(run());
  EXPECT_EQ(count("/agent/v1/jobs/j1/complete/"), 2);
  EXPECT_FALSE(outcome().succeeded);
  EXPECT_THAT(outcome().failure_reason, ::testing::HasSubstr("too large"));
}

}  // namespace
}  // namespace slipway::worker
