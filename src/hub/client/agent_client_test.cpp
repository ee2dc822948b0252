#include "hub/client/agent_client.hpp"

#include <atomic>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/testing/manual_clock.hpp"
#include "base/testing/value_of.hpp"
#include "hub/client/testing/tiny_server.hpp"

namespace slipway::hub::client {
namespace {

using base::testing::value_of;
namespace agent = protocol::agent;
namespace fs = std::filesystem;
using base::Code;
using client::testing::Answer;
using client::testing::ReceivedRequest;
using client::testing::TinyServer;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

const RetryPolicy kQuick{milliseconds(5), milliseconds(20), milliseconds(2000)};

const base::SystemClock kClock;

/// Where a request wants to begin: "Range: bytes=N-".
std::size_t range_begin_of(const ReceivedRequest& seen) {
  const auto at = seen.headers.find("Range: bytes=");
  return at == std::string::npos ? 0 : std::strtoull(seen.headers.c_str() + at + 13, nullptr, 10);
}

class Client : public ::testing::Test {
 protected:
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-client-test-").value();
};

TEST_F(Client, sends_its_token_and_reads_the_lease) {
  TinyServer server([](const ReceivedRequest& seen) {
    if (seen.path == "/agent/v1/register/") return Answer{200, encode(agent::Registered{"a1"}), "", false};
    agent::LeaseReply reply;
    reply.job_id = "j1";
    reply.lease_token = "secret";
    reply.spec_document = "{}";
    reply.inputs.push_back({"model.onnx", "/assets/x", "00", 5});
    return Answer{200, encode(reply), "", false};
  });
  AgentClient client(over_http(server.url() + "/", "t0ken", kClock, kQuick));
  EXPECT_EQ(client
                .register_agent(
                    {.name = "here", .instance = "i1", .successor_of = "", .device_documents = {}, .frameworks = {}})
                .value(),
            "a1");
  const auto lease = value_of(client.lease("a1", {domain::JobKind{3}}));
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->job_id, "j1");
  EXPECT_EQ(lease->inputs.at(0).url, "/assets/x");
  const auto seen = server.received();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0].headers, HasSubstr("Authorization: token t0ken\r\n"));
  EXPECT_THAT(seen[0].headers, HasSubstr("Content-Type: application/x-protobuf"));
  EXPECT_EQ(agent::decode<agent::LeaseRequest>(seen[1].body)->kinds.size(), 1U);
  EXPECT_EQ(server.connections(), 1) << "the connection is kept";
}

TEST_F(Client, leaves_in_one_attempt) {
  std::atomic<int> status = 200;
  TinyServer server([&](const ReceivedRequest&) { return Answer{status, "", "", false}; });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  EXPECT_TRUE(client.leave("a1"));
  ASSERT_EQ(server.received().size(), 1U);
  EXPECT_EQ(server.received()[0].path, "/agent/v1/leave/");
  EXPECT_EQ(agent::decode<agent::LeaveRequest>(server.received()[0].body)->agent_id, "a1");
  status = 503;
  EXPECT_EQ(client.leave("a1").error().code, Code::kUnavailable);
  EXPECT_EQ(server.received().size(), 2U) << "whoever ends an agent waits for it";
}

TEST_F(Client, an_empty_lease_is_no_work) {
  TinyServer server([](const ReceivedRequest&) { return Answer{}; });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  const auto lease = value_of(client.lease("a1", {}));
  EXPECT_FALSE(lease.has_value());
}

TEST_F(Client, tries_again_while_the_hub_is_away) {
  std::atomic<int> turn{0};
  TinyServer server([&](const ReceivedRequest&) {
    const int now = turn++;
    if (now == 0) return Answer{503, R"({"detail":"starting"})", "", false};
    if (now == 1) return Answer{200, "", "", true};
    if (now == 2) return Answer{429, "", "", false};
    return Answer{};
  });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  const auto done = client.complete("j1", {});
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(turn, 4);
}

TEST_F(Client, gives_up_after_the_policys_time) {
  RetryPolicy policy = kQuick;
  policy.total = milliseconds(100);
  AgentClient client(over_http("http://127.0.0.1:1", "t", kClock, policy));
  EXPECT_EQ(client.complete("j1", {}).error().code, Code::kUnavailable);
}

TEST_F(Client, says_why_it_was_refused_and_does_not_try_again) {
  std::atomic<int> status{401};
  TinyServer server([&](const ReceivedRequest&) { return Answer{status, R"({"detail":"the reason"})", "", false}; });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  for (const auto& [code, expected] : {std::pair{401, Code::kUnauthenticated},
                                       {403, Code::kPermissionDenied},
                                       {409, Code::kAborted},
                                       {404, Code::kNotFound},
                                       {400, Code::kInvalidArgument}}) {
    status = code;
    const auto outcome = client.renew("j1", "l");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, expected) << code;
    EXPECT_THAT(outcome.error().message, HasSubstr("the reason"));
    EXPECT_EQ(client.complete("j1", {}).error().code, expected);
  }
  EXPECT_EQ(server.received().size(), 10U);
}

TEST_F(Client, stops_a_long_poll_at_once) {
  std::atomic<bool> is_over{false};
  TinyServer server([&](const ReceivedRequest&) {
    while (!is_over) std::this_thread::sleep_for(milliseconds(5));
    return Answer{};
  });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(100));
    source.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.lease("a", {}, source.get_token()).error().code, Code::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(800));
  stopper.join();
  is_over = true;
}

TEST_F(Client, fetches_an_input_without_its_token_and_checks_it) {
  const std::string content(3'000'000, 'q');
  std::atomic<int> turn{0};
  TinyServer server([&](const ReceivedRequest& seen) {
    if (seen.path == "/assets/short") return Answer{200, content.substr(1), "", false};
    if (seen.path == "/assets/other") return Answer{200, std::string(content.size(), 'x'), "", false};
    if (seen.path == "/assets/gone") return Answer{404, R"({"detail":"no such asset"})", "", false};
    // The first answer is damaged, the second is right.
    return Answer{200, turn++ == 0 ? std::string(content.size(), 'x') : content, "", false};
  });
  AgentClient client(over_http(server.url(), "t0ken", kClock, kQuick));
  const auto file = folder_.path() / "in";
  agent::InputFile input{"m.onnx", server.url() + "/assets/ok", base::sha256_hex(content), content.size()};
  const auto fetched = client.fetch(input, file);
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(base::read_file(file, 1 << 24).value(), content);
  EXPECT_THAT(server.received()[0].headers, ::testing::Not(HasSubstr("Authorization")));
  input.url = "/assets/other";
  EXPECT_EQ(client.fetch(input, file).error().code, Code::kDataLoss);
  input.url = "/assets/short";
  EXPECT_THAT(client.fetch(input, file).error().message, HasSubstr("2999999 of 3000000"));
  input.url = "/assets/gone";
  EXPECT_EQ(client.fetch(input, file).error().code, Code::kNotFound);
}

TEST_F(Client, uploads_a_result_in_parts_with_their_length) {
  std::string content;
  for (int index = 0; index < 25'000; ++index) content += fmt::format("{},", index);
  std::ofstream(folder_.path() / "out", std::ios::binary) << content;
  constexpr std::uint64_t kPart = 50'000;
  std::atomic<int> failures{1};
  TinyServer server([&](const ReceivedRequest& seen) {
    if (seen.method == "PUT") {
      if (seen.path == "/p/1" && failures-- > 0) return Answer{500, "", "", false};
      return Answer{200, "", fmt::format("ETag: \"tag{}\"\r\n", seen.path), false};
    }
    agent::BlobPlan plan{"u1", {}, kPart};
    const auto size = agent::decode<agent::BlobRequest>(seen.body)->size_bytes;
    for (std::uint64_t at = 0; at < size; at += kPart) plan.urls.push_back(fmt::format("/p/{}", at / kPart));
    return Answer{200, encode(plan), "", false};
  });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  const auto result = value_of(client.upload("j1", "l", "model.onnx", folder_.path() / "out"));
  EXPECT_EQ(result.upload_id, "u1");
  EXPECT_THAT(result.etags, ::testing::ElementsAre("\"tag/p/0\"", "\"tag/p/1\"", "\"tag/p/2\""));
  std::string together;
  for (const auto& seen : server.received()) {
    if (seen.method != "PUT") continue;
    EXPECT_THAT(seen.headers, ::testing::Not(HasSubstr("Expect")));
    EXPECT_THAT(seen.headers, ::testing::Not(HasSubstr("Authorization")));
  }
  std::map<std::string, std::string> parts;
  for (const auto& seen : server.received()) {
    if (seen.method == "PUT") parts[seen.path] = seen.body;
  }
  for (const auto& [path, body] : parts) together += body;
  EXPECT_EQ(together, content);
}

TEST_F(Client, goes_on_with_a_download_that_breaks_again_and_again_for_as_long_as_it_moves) {
  std::string content;
  for (int index = 0; index < 20'000; ++index) content += fmt::format("{},", index);
  const base::testing::ManualClock world;
  TinyServer server([&](const ReceivedRequest& seen) {
    world.advance(milliseconds(24'000));  // each connection lives a little less than the budget of 25 s
    const auto begin = range_begin_of(seen);
    Answer answer{.status = begin == 0 ? 200 : 206, .body = content.substr(begin), .headers = ""};
    if (answer.body.size() > 10'000) answer.cut_after = 10'000;
    return answer;
  });
  AgentClient client(over_http(server.url(), "t", world));
  const agent::InputFile input{"m.onnx", "/assets/x", base::sha256_hex(content), content.size()};
  const auto fetched = client.fetch(input, folder_.path() / "in");
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(base::read_file(folder_.path() / "in", 1 << 24).value(), content);
  const auto seen = server.received();
  EXPECT_EQ(seen.size(), (content.size() + 9'999) / 10'000) << "every byte came once";
  EXPECT_EQ(range_begin_of(seen[1]), 10'000U);
}

TEST_F(Client, gives_a_download_up_that_never_gets_past_a_point) {
  const std::string content(50'000, 'q');
  const base::testing::ManualClock world;
  TinyServer server([&](const ReceivedRequest&) {  // it takes no ranges, and breaks where it broke before
    world.advance(milliseconds(10'000));
    return Answer{.status = 200, .body = content, .headers = "", .hang_up = false, .cut_after = 20'000};
  });
  AgentClient client(over_http(server.url(), "t", world));
  const agent::InputFile input{"m.onnx", "/assets/x", base::sha256_hex(content), content.size()};
  EXPECT_EQ(client.fetch(input, folder_.path() / "in").error().code, Code::kUnavailable);
  EXPECT_EQ(server.received().size(), 4U) << "the one that got there, and three that did not get further";
}

TEST_F(Client, reads_the_whole_again_from_a_server_that_takes_no_ranges) {
  const std::string content(50'000, 'q');
  std::atomic<int> turn{0};
  TinyServer server([&](const ReceivedRequest&) {
    Answer answer{.status = 200, .body = content, .headers = ""};
    if (turn++ == 0) answer.cut_after = 20'000;
    return answer;
  });
  AgentClient client(over_http(server.url(), "t", kClock, kQuick));
  const agent::InputFile input{"m.onnx", "/assets/x", base::sha256_hex(content), content.size()};
  ASSERT_TRUE(client.fetch(input, folder_.path() / "in"));
  EXPECT_EQ(base::read_file(folder_.path() / "in", 1 << 24).value(), content);
}

TEST_F(Client, sends_a_slow_part_again_whose_first_attempt_took_longer_than_the_budget) {
  const std::string content(100'000, 'q');
  std::ofstream(folder_.path() / "out", std::ios::binary) << content;
  const base::testing::ManualClock world;
  std::atomic<int> parts{0};
  TinyServer server([&](const ReceivedRequest& seen) {
    if (seen.method != "PUT") return Answer{200, encode(agent::BlobPlan{"u1", {"/p/0"}, 200'000}), ""};
    world.advance(milliseconds(60'000));
    if (parts++ < 2) return Answer{.status = 200, .body = "", .headers = "", .hang_up = true};
    return Answer{.status = 200, .body = "", .headers = "ETag: \"tag\"\r\n"};
  });
  AgentClient client(over_http(server.url(), "t", world));
  const auto result = value_of(client.upload("j1", "l", "model.onnx", folder_.path() / "out"));
  EXPECT_EQ(result.etags.size(), 1U);
  EXPECT_EQ(parts, 3);
}

TEST_F(Client, completes_with_a_hub_whose_first_answer_comes_too_late) {
  const base::testing::ManualClock world;
  std::atomic<int> turn{0};
  TinyServer server([&](const ReceivedRequest&) {
    world.advance(milliseconds(30'000));
    return turn++ == 0 ? Answer{.status = 503, .body = "", .headers = ""} : Answer{};
  });
  AgentClient client(over_http(server.url(), "t", world));
  EXPECT_TRUE(client.complete("j1", {}));
}

}  // namespace
}  // namespace slipway::hub::client
