// What one client does must not keep another one waiting.
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/testing/descriptors.hpp"
#include "hub/server/testing/server_fixture.hpp"

namespace slipway::hub::server {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::first_text;
using testing::HttpReply;
using testing::number_field;
using testing::RawClient;
using testing::request_text;
using testing::TestHub;
using testing::text_field;

class ServerLoad : public TestHub {
 protected:
  struct Lease {
    std::string job, token;
  };
  /// Takes a job and returns what is needed to renew it.
  Lease lease_something() {
    upload_model("something to inspect");
    const std::string agent =
        first_text(ask("POST", "/agent/v1/register/", agent_token_, text_field(1, "workshop")).body);
    const std::string reply =
        ask("POST", "/agent/v1/lease/", agent_token_, text_field(1, agent) + number_field(2, 100)).body;
    const std::string job = first_text(reply);
    return {job, first_text("\x0a" + reply.substr(reply.find('\x12', 2 + job.size()) + 1))};
  }
  /// Begins joins that do not end before the gate is opened.
  std::vector<std::unique_ptr<RawClient>> begin_slow_joins(int count) {
    std::vector<std::string> completions;
    for (int n = 0; n < count; ++n) completions.push_back(completion_of(fmt::format("large {}", n), "large.onnx"));
    joins_.close();
    std::vector<std::unique_ptr<RawClient>> joining;
    for (const std::string& completion : completions) {
      joining.push_back(std::make_unique<RawClient>(port_));
      joining.back()->send(completion);
    }
    return joining;
  }
};

TEST_F(ServerLoad, a_renewal_never_waits_for_the_joining_of_uploads) {
  const Lease lease = lease_something();
  const auto joining = begin_slow_joins(8);
  ASSERT_TRUE(joins_.wait_for(2)) << "the joins have begun";
  const HttpReply renewed =
      ask("POST", fmt::format("/agent/v1/jobs/{}/renew/", lease.job), agent_token_, text_field(1, lease.token));
  EXPECT_EQ(renewed.status, 200) << renewed.body;
  EXPECT_EQ(get("/api/v1/models/").status, 200);
  EXPECT_FALSE(completion_of("more bytes", "more.onnx").empty()) << "the parts of other uploads arrive";
  joins_.open();
  for (const auto& client : joining) EXPECT_EQ(client->receive().status, 200);
}

TEST_F(ServerLoad, an_agents_results_do_not_wait_for_the_joining_of_uploads) {
  const Lease lease = lease_something();
  const auto joining = begin_slow_joins(8);
  ASSERT_TRUE(joins_.wait_for(2));
  const json outcome = {{"schema", "slipway-job-outcome/1"}, {"succeeded", true}, {"inspection", {{"format", "onnx"}}}};
  const HttpReply completed = ask("POST", fmt::format("/agent/v1/jobs/{}/complete/", lease.job), agent_token_,
                                  text_field(1, lease.token) + text_field(2, outcome.dump()));
  EXPECT_EQ(completed.status, 200) << completed.body;
  joins_.open();
  for (const auto& client : joining) EXPECT_EQ(client->receive().status, 200);
}

TEST_F(ServerLoad, an_exception_does_not_end_the_recovery_of_leases_and_is_told) {
  json health = json::parse(ask("GET", "/healthz", "").body);
  EXPECT_EQ(health["ok"], true);
  EXPECT_EQ(health["status"], "ok");
  EXPECT_FALSE(health.contains("degraded"));
  clock_failures_ = 1;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (clock_failures_ > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  do {
    const HttpReply reply = ask("GET", "/healthz", "");
    EXPECT_EQ(reply.status, 200) << "it still serves";
    health = json::parse(reply.body);
  } while (health["ok"] == true && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(health["status"], "degraded");
  ASSERT_EQ(health["degraded"].size(), 1U) << health;
  EXPECT_EQ(health["degraded"][0]["part"], "taking back lost leases");
  EXPECT_THAT(health["degraded"][0]["reason"].get<std::string>(), ::testing::HasSubstr("the clock has stopped"));
  EXPECT_THAT(health["degraded"][0]["since"].get<std::string>(),
              ::testing::MatchesRegex("20..-..-..T..:..:..\\.[0-9]+Z"));
  // The sweep goes on: it reads the clock, which only it does while nobody asks for anything.
  clock_failures_ = 1;
  while (clock_failures_ > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(clock_failures_, 0) << "nobody sweeps any more";
}

using base::testing::open_descriptors;

TEST_F(ServerLoad, being_out_of_descriptors_does_not_end_accepting_and_is_told) {
  RawClient early(port_);
  early.send(request_text("GET", "/healthz", ""));
  EXPECT_EQ(early.receive().status, 200);
  RawClient waiting(port_, "127.0.0.1", RawClient::When::kLater);
  // The client has its descriptor, the server gets none.
  std::optional<base::testing::DescriptorLimit> limit(0);
  waiting.connect();
  waiting.send(request_text("GET", "/api/v1/devices/", user_token_));
  json health;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  do {
    early.send(request_text("GET", "/healthz", ""));
    health = json::parse(early.receive().body);
  } while (health["ok"] == true && std::chrono::steady_clock::now() < deadline);
  limit.reset();
  ASSERT_TRUE(health.contains("degraded")) << health;
  EXPECT_EQ(health["degraded"][0]["part"], "accepting connections");
  EXPECT_THAT(health["degraded"][0]["reason"].get<std::string>(), ::testing::HasSubstr("Too many open files"));
  EXPECT_EQ(waiting.receive().status, 200) << "accepted as soon as there was a descriptor";
}

TEST_F(ServerLoad, no_descriptor_is_left_behind) {
  const auto round = [&] {
    upload_model(std::string(2500, 'x'));
    get("/api/v1/models/");
    get("/api/v1/models/none/");
    ask("PUT", "/assets/upload/none/0", "", "bytes");
    RawClient half(port_);
    half.send("GET /api/v1/mod");
    RawClient cut(port_);
    cut.send(request_text("POST", "/api/v1/jobs/", user_token_, "", "Content-Length: 100\r\n"));
  };
  // What is kept open is there after the first rounds.
  for (int n = 0; n < 3; ++n) round();
  const auto settled = [&] {
    // Connections that were dropped end on the server's threads: wait until two counts are the same.
    std::size_t count = 0;
    while (count != open_descriptors()) {
      count = open_descriptors();
      std::this_thread::sleep_for(milliseconds(100));
    }
    return count;
  };
  const std::size_t before = settled();
  for (int n = 0; n < 20; ++n) round();
  EXPECT_LE(settled(), before + 2);
}

/// Requests that are never finished, from an address.
std::vector<std::unique_ptr<RawClient>> half_sent(std::uint16_t port, int count, const char* from) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int n = 0; n < count; ++n) {
    clients.push_back(std::make_unique<RawClient>(port, from));
    clients.back()->send("GET /api/v1/devices/ HTTP/1.1\r\nHost: hub.test\r\n");
  }
  return clients;
}

TEST_F(ServerLoad, half_sent_requests_of_a_stranger_take_no_slot_from_others) {
  const auto strangers = half_sent(port_, 500, "127.0.0.2");
  for (int n = 0; n < 20; ++n) EXPECT_EQ(get("/api/v1/devices/").status, 200);
  EXPECT_FALSE(upload_model("bytes").empty());
}

TEST_F(ServerLoad, nor_do_they_when_all_come_from_one_address_as_behind_a_proxy) {
  const auto strangers = half_sent(port_, 500, "127.0.0.1");
  for (int n = 0; n < 20; ++n) EXPECT_EQ(get("/api/v1/devices/").status, 200);
}

TEST_F(ServerLoad, nor_when_they_come_from_many_addresses) {
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int n = 2; n < 200; ++n) {
    for (auto& client : half_sent(port_, 2, fmt::format("127.0.0.{}", n).c_str())) {
      strangers.push_back(std::move(client));
    }
  }
  for (int n = 0; n < 20; ++n) EXPECT_EQ(get("/api/v1/devices/").status, 200);
}

}  // namespace
}  // namespace slipway::hub::server
