#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hub/server/testing/server_fixture.hpp"

namespace slipway::hub::server {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;
using testing::first_text;
using testing::HttpReply;
using testing::number_field;
using testing::RawClient;
using testing::request_text;
using testing::TestHub;
using testing::text_field;
using testing::url_in;

class ServerApi : public TestHub {};

std::string detail(const HttpReply& reply) {
  return json::parse(reply.body)["detail"];
}

TEST_F(ServerApi, answers_messages_with_the_bare_content_type) {
  for (const std::string target : {"/api/v1/devices/", "/api/v1/frameworks/", "/api/v1/models/", "/api/v1/datasets/",
                                   "/api/v1/job_summaries/", "/api/v1/jobs/", "/api/v1/users/auth/user/"}) {
    const HttpReply reply = get(target);
    EXPECT_EQ(reply.status, 200) << target;
    EXPECT_EQ(reply.header("content-type"), "application/x-protobuf") << target;
  }
}

TEST_F(ServerApi, asks_for_a_token_before_anything_else) {
  const std::string huge = "Content-Length: 99999999999\r\n";
  for (const std::string target : {"/api/v1/devices/", "/api/v1/nothing/", "/api/v1/models/x/", "/agent/v1/lease/",
                                   "/api/v1/devices/?select=%zz"}) {
    for (const std::string method : {"GET", "POST", "BREW"}) {
      EXPECT_EQ(ask(method, target, "").status, 401) << method << " " << target;
      EXPECT_EQ(ask(method, target, "slw_wrong").status, 401) << method << " " << target;
    }
  }
  EXPECT_EQ(ask("POST", "/api/v1/models/", "", "", huge).status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/devices/", "", "", "Authorization: Bearer " + user_token_ + "\r\n").status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/devices/", "", "", "Authorization: " + user_token_ + "\r\n").status, 401);
  std::string changed = user_token_;
  changed[10] = changed[10] == 'a' ? 'b' : 'a';
  EXPECT_EQ(ask("GET", "/api/v1/devices/", changed).status, 401);
}

TEST_F(ServerApi, a_revoked_token_is_refused_at_once) {
  EXPECT_EQ(get("/api/v1/devices/").status, 200);
  const auto tokens = hub_->accounts.tokens();
  ASSERT_TRUE(tokens);
  for (const domain::Token& token : *tokens) ASSERT_TRUE(hub_->accounts.revoke_token(token.id));
  EXPECT_EQ(get("/api/v1/devices/").status, 401);
}

TEST_F(ServerApi, keeps_users_and_agents_apart) {
  EXPECT_EQ(ask("GET", "/api/v1/devices/", agent_token_).status, 403);
  EXPECT_EQ(ask("POST", "/agent/v1/lease/", user_token_, text_field(1, "a")).status, 403);
}

TEST_F(ServerApi, refuses_unknown_paths_and_methods_in_words) {
  const HttpReply unknown = get("/api/v1/nothing/");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_FALSE(detail(unknown).empty());
  const HttpReply method = ask("DELETE", "/api/v1/models/m1/", user_token_);
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.header("allow"), "GET, HEAD, PATCH, OPTIONS");
}

TEST_F(ServerApi, head_is_get_without_the_body) {
  for (const std::string target : {"/healthz", "/sign-in/", "/web/app.css", "/api/v1/devices/", "/api/v1/none/"}) {
    RawClient client(port_);
    client.send(request_text("HEAD", target, user_token_));
    const HttpReply head = client.receive(false);
    // A body behind it would be read as the next reply.
    client.send(request_text("GET", target, user_token_));
    const HttpReply whole = client.receive();
    EXPECT_EQ(head.status, whole.status) << target;
    EXPECT_EQ(head.header("content-length"), std::to_string(whole.body.size())) << target;
    EXPECT_EQ(head.headers, whole.headers) << target;
  }
  EXPECT_EQ(ask("HEAD", "/api/v1/devices/", "").status, 401);
}

TEST_F(ServerApi, options_says_what_may_be_done) {
  const HttpReply models = ask("OPTIONS", "/api/v1/models/", user_token_);
  EXPECT_EQ(models.status, 200);
  EXPECT_EQ(models.header("allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(models.header("content-length"), "0");
  EXPECT_EQ(ask("OPTIONS", "/sign-in/", "").header("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/assets/upload/u/0", "").header("allow"), "PUT, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "*", "").status, 200);
  EXPECT_EQ(ask("OPTIONS", "/nothing/at/all", "").status, 404);
  EXPECT_EQ(ask("OPTIONS", "/api/v1/models/", "").status, 401) << "the API asks for a token before anything else";
}

TEST_F(ServerApi, unknown_ids_are_404_with_their_id) {
  for (const std::string target :
       {"/api/v1/models/mnone/", "/api/v1/datasets/dnone/", "/api/v1/jobs/jnone/", "/api/v1/jobs/jnone/result/",
        "/api/v1/models/mnone/download/", "/api/v1/datasets/dnone/download_data/", "/api/v1/jobs/jnone/report/",
        "/api/v1/jobs/jnone/log/", "/api/v1/jobs/jnone/device_runs/latest/artifact_list/5/",
        "/api/v1/models/mnone/multipart_upload/?file_size=5"}) {
    const HttpReply reply = get(target);
    EXPECT_EQ(reply.status, 404) << target << reply.body;
    EXPECT_NE(detail(reply).find("none"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(ask("PATCH", "/api/v1/jobs/jnone/", user_token_, text_field(1, "n")).status, 404);
  EXPECT_EQ(ask("PATCH", "/api/v1/models/mnone/", user_token_, text_field(3, "n")).status, 404);
}

TEST_F(ServerApi, an_id_of_any_length_is_answered_in_a_line) {
  const std::string id(10'000, 'x');
  for (const char* kind : {"models", "datasets", "jobs"}) {
    const auto reply = get(fmt::format("/api/v1/{}/{}/", kind, id));
    EXPECT_EQ(reply.status, 404);
    EXPECT_NE(detail(reply).find("xxx"), std::string::npos);
    EXPECT_LT(reply.body.size(), 200U) << kind;
  }
  const auto filtered = get("/api/v1/jobs/?state=" + std::string(10'000, 'y'));
  EXPECT_LT(filtered.body.size(), 5'000U) << filtered.status;
}

TEST_F(ServerApi, requests_get_their_ids_from_the_hubs_source) {
  const int before = request_ids_;
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(request_ids_, before + 1);
}

TEST_F(ServerApi, the_device_call_reads_repeated_attributes_and_capital_booleans) {
  const auto count = [&](const std::string& query) {
    const HttpReply reply = get("/api/v1/devices/?" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    int found = 0;
    for (std::size_t at = 0; (at = reply.body.find("os:android", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("name=&os=&select=False"), 3);
  EXPECT_EQ(count("name=&os=&select=False&attributes=os%3Aandroid&attributes=vendor%3Aacme"), 2);
  EXPECT_EQ(count("name=Phone&os=&select=True"), 1);
  EXPECT_EQ(count("name=Phone&os=%5B14%2C15%29&select=False"), 1);
  EXPECT_EQ(count("name=None&os=&select=True"), 0);
  EXPECT_EQ(get("/api/v1/devices/?select=perhaps").status, 400);
  EXPECT_EQ(get("/api/v1/devices/?name=%4").status, 400);
}

TEST_F(ServerApi, says_that_it_has_no_passwords) {
  const HttpReply reply = ask("POST", "/api/v1/users/auth/login/", "", R"({"email":"a","password":"b"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(detail(reply).find("token"), std::string::npos);
}

TEST_F(ServerApi, says_what_it_does_not_offer) {
  EXPECT_EQ(get("/api/v1/models/m1/shared_access/").status, 400);
  EXPECT_EQ(post("/api/v1/datasets/d1/upload_complete/", "").status, 400);
}

TEST_F(ServerApi, refuses_messages_that_are_too_large_or_no_messages) {
  const HttpReply announced = ask("POST", "/api/v1/jobs/", user_token_, "", "Content-Length: 4194305\r\n");
  EXPECT_EQ(announced.status, 400) << "of a 413 the official client makes a call for somebody else's support";
  EXPECT_EQ(detail(announced), "expected a message of at most 4194304 bytes, found 4194305");
  const auto in_chunks = [&](const char* target, const std::string& token) {
    RawClient client(port_);
    client.send(request_text("POST", target, token, "", "Transfer-Encoding: chunked\r\n"));
    const std::string chunk = "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
    for (int i = 0; i < 5; ++i) client.send(chunk);
    return client.receive();
  };
  const HttpReply chunked = in_chunks("/api/v1/jobs/", user_token_);
  EXPECT_EQ(chunked.status, 400) << "as when the size is announced";
  EXPECT_EQ(detail(chunked), "expected a message of at most 4194304 bytes, found more");
  EXPECT_EQ(in_chunks("/agent/v1/lease/", agent_token_).status, 413) << "others are told the status that fits";
  EXPECT_EQ(post("/api/v1/jobs/", "\xff\xff\xff\xff").status, 400);
  EXPECT_EQ(post("/api/v1/models/", "\xff\xff\xff\xff").status, 400);
  EXPECT_EQ(post("/api/v1/jobs/", "").status, 400);
}

TEST_F(ServerApi, a_project_that_does_not_exist_is_404_in_words) {
  const HttpReply reply = post("/api/v1/projects/p9/models/", text_field(3, "n") + number_field(5, 6));
  EXPECT_EQ(reply.status, 404) << reply.body;
  EXPECT_NE(detail(reply).find("p9"), std::string::npos);
  for (const std::string target :
       {"/api/v1/projects/p9/models/", "/api/v1/projects/p9/jobs/", "/api/v1/projects/p9/job_summaries/",
        "/api/v1/models/?project=p9", "/api/v1/datasets/?project=p9", "/api/v1/jobs/?project=p9",
        "/api/v1/job_summaries/?project=p9", "/api/v1/recent_jobs/?project=p9", "/api/v1/recent_models/?project=p9",
        "/api/v1/recent_datasets/?project=&project=p9", "/api/v1/devices/?project=p9"}) {
    const HttpReply list = get(target);
    EXPECT_EQ(list.status, 404) << target;
    EXPECT_NE(list.body.find("p9"), std::string::npos) << target;
  }
  EXPECT_EQ(get("/api/v1/models/?project=").status, 200);
}

TEST_F(ServerApi, another_users_model_is_not_found) {
  const std::string id = upload_model("bytes");
  EXPECT_EQ(get("/api/v1/models/" + id + "/").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/models/" + id + "/", other_token_).status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/models/" + id + "/download/", other_token_).status, 404);
}

TEST_F(ServerApi, several_requests_share_a_connection) {
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send(request_text("GET", "/api/v1/devices/", user_token_));
    EXPECT_EQ(client.receive().status, 200);
  }
  // Two at once, with a body between them.
  client.send(request_text("POST", "/api/v1/models/", user_token_, text_field(3, "n") + number_field(5, 6)) +
              request_text("GET", "/api/v1/frameworks/", user_token_));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 200);
}

TEST_F(ServerApi, renames_models_and_jobs) {
  const std::string id = upload_model("bytes");
  EXPECT_EQ(ask("PATCH", "/api/v1/models/" + id + "/", user_token_, text_field(3, "renamed")).status, 200);
  EXPECT_NE(get("/api/v1/models/" + id + "/").body.find("renamed"), std::string::npos);
  EXPECT_EQ(ask("PATCH", "/api/v1/models/" + id + "/", user_token_, number_field(9, 1)).status, 400);
}

class ServerWaits : public TestHub {
 protected:
  void SetUp() override {
    ServiceSettings settings;
    settings.inspection_patience = std::chrono::milliseconds(1500);
    settings.lease_patience = std::chrono::milliseconds(1500);
    start({}, settings);
  }

  std::string register_agent() {
    return first_text(ask("POST", "/agent/v1/register/", agent_token_, text_field(1, "workshop")).body);
  }
  static std::string lease_request(const std::string& agent) {
    return text_field(1, agent) + number_field(2, 100) + number_field(2, 3);
  }
  static std::chrono::milliseconds since(steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
  }
};

TEST_F(ServerWaits, an_agent_without_work_waits_and_gets_an_empty_reply) {
  const std::string agent = register_agent();
  const auto begin = steady_clock::now();
  const HttpReply reply = ask("POST", "/agent/v1/lease/", agent_token_, lease_request(agent));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body, "");
  EXPECT_GE(since(begin), std::chrono::milliseconds(1400));
}

TEST_F(ServerWaits, a_waiting_agent_gets_work_as_soon_as_there_is_some) {
  const std::string agent = register_agent();
  RawClient waiting(port_);
  waiting.send(request_text("POST", "/agent/v1/lease/", agent_token_, lease_request(agent)));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto begin = steady_clock::now();
  const std::string model = upload_model(std::string(2500, 'm'));
  const HttpReply reply = waiting.receive();
  EXPECT_LT(since(begin), std::chrono::milliseconds(900));
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("slipway-job-spec/2"), std::string::npos);
  EXPECT_NE(reply.body.find(model), std::string::npos);
  // The input can be fetched without a token, and is what was uploaded.
  const std::string url = url_in(reply.body, "/assets/download/");
  const HttpReply input = ask("GET", url, "");
  EXPECT_EQ(input.status, 200) << url;
  EXPECT_EQ(input.body, std::string(2500, 'm'));
}

TEST_F(ServerWaits, work_is_not_given_to_an_agent_that_hung_up) {
  const std::string agent = register_agent();
  {
    RawClient gone(port_);
    gone.send(request_text("POST", "/agent/v1/lease/", agent_token_, lease_request(agent)));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  upload_model("bytes");
  const HttpReply reply = ask("POST", "/agent/v1/lease/", agent_token_, lease_request(agent));
  EXPECT_NE(reply.body.find("slipway-job-spec/2"), std::string::npos) << "the job was leased to nobody";
  EXPECT_NE(reply.body.find("\"attempt\":1"), std::string::npos) << reply.body;
}

TEST_F(ServerWaits, a_submission_waits_for_the_inspection_and_goes_on_when_it_ends) {
  const std::string agent = register_agent();
  const std::string model = upload_model("bytes");
  const std::string lease = ask("POST", "/agent/v1/lease/", agent_token_, lease_request(agent)).body;
  ASSERT_FALSE(lease.empty());
  const std::string job = first_text(lease);
  const std::string token = first_text("\x0a" + lease.substr(lease.find('\x12', 2 + job.size()) + 1));

  RawClient submitting(port_);
  const auto begin = steady_clock::now();
  submitting.send(request_text("POST", "/api/v1/jobs/", user_token_, compile_submission(model)));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const json outcome = {{"schema", "slipway-job-outcome/1"},
                        {"succeeded", true},
                        {"inspection", {{"format", "onnx"}, {"error", "the file is cut off"}}}};
  const HttpReply completed = ask("POST", fmt::format("/agent/v1/jobs/{}/complete/", job), agent_token_,
                                  text_field(1, token) + text_field(2, outcome.dump()));
  EXPECT_EQ(completed.status, 200) << completed.body;
  const HttpReply refused = submitting.receive();
  EXPECT_GE(since(begin), std::chrono::milliseconds(290));
  EXPECT_LT(since(begin), std::chrono::milliseconds(1300));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(detail(refused).find("the file is cut off"), std::string::npos) << refused.body;
  // A stale token is told so.
  EXPECT_EQ(ask("POST", fmt::format("/agent/v1/jobs/{}/complete/", job), agent_token_,
                text_field(1, "stale") + text_field(2, outcome.dump()))
                .status,
            409);
  EXPECT_EQ(ask("POST", fmt::format("/agent/v1/jobs/{}/renew/", job), agent_token_, text_field(1, "stale")).status,
            409);
}

TEST_F(ServerWaits, a_submission_goes_on_without_the_inspection_after_its_patience) {
  const std::string model = upload_model("bytes");
  const auto begin = steady_clock::now();
  const HttpReply reply = post("/api/v1/jobs/", compile_submission(model));
  EXPECT_GE(since(begin), std::chrono::milliseconds(1400));
  EXPECT_EQ(reply.status, 200) << reply.body;
  const std::string job = first_text(reply.body);
  EXPECT_EQ(get("/api/v1/jobs/" + job + "/").status, 200);
  EXPECT_EQ(get("/api/v1/jobs/" + job + "/result/").status, 404);
  const json report = json::parse(get("/api/v1/jobs/" + job + "/report/").body);
  EXPECT_EQ(report["schema"], "slipway-job-report/1");
  EXPECT_EQ(report["job"]["state"], "CREATED");
  EXPECT_EQ(report["job"]["name"], "a <b>job</b>");
  EXPECT_EQ(ask("PATCH", "/api/v1/jobs/" + job + "/", user_token_, text_field(1, "other name")).status, 200);
  EXPECT_NE(get("/api/v1/job_summaries/?state=1&type=compile").body.find("other name"), std::string::npos);
  EXPECT_EQ(get("/api/v1/job_summaries/?state=10").body.find("other name"), std::string::npos);
  const HttpReply nothing = get("/api/v1/job_summaries/?state=0%2C17");
  EXPECT_EQ(nothing.status, 200);
  EXPECT_EQ(nothing.body, "");
}

TEST_F(ServerWaits, stopping_ends_the_waits_and_the_idle_connections) {
  const std::string agent = register_agent();
  RawClient idle(port_);
  idle.send(request_text("GET", "/healthz", ""));
  EXPECT_EQ(idle.receive().status, 200);
  RawClient waiting(port_);
  waiting.send(request_text("POST", "/agent/v1/lease/", agent_token_, lease_request(agent)));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto begin = steady_clock::now();
  server_->stop(std::chrono::milliseconds(1000));
  EXPECT_LT(since(begin), std::chrono::milliseconds(500));
  EXPECT_EQ(waiting.receive().status, 200);
  EXPECT_TRUE(idle.is_closed_within(std::chrono::milliseconds(500)));
}

class ServerOfSmallMessages : public ServerWaits {
 protected:
  void SetUp() override {
    ServiceSettings settings;
    settings.message_limit_bytes = 3000;
    settings.lease_patience = std::chrono::milliseconds(1500);
    start({}, settings);
  }
};

TEST_F(ServerOfSmallMessages, an_outcome_that_no_message_holds_comes_as_a_file) {
  const std::string agent = register_agent();
  const std::string model = upload_model("bytes");
  const std::string lease = ask("POST", "/agent/v1/lease/", agent_token_, lease_request(agent)).body;
  const std::string job = first_text(lease);
  const std::string token = first_text("\x0a" + lease.substr(lease.find('\x12', 2 + job.size()) + 1));
  json outcome = {
      {"schema", "slipway-job-outcome/1"}, {"succeeded", true}, {"inspection", {{"format", "onnx"}, {"error", ""}}}};
  for (int n = 0; n < 30; ++n) outcome["inspection"]["facts"][fmt::format("fact {}", n)] = std::string(150, 'f');
  const std::string document = outcome.dump();
  const std::string path = fmt::format("/agent/v1/jobs/{}/", job);
  EXPECT_EQ(ask("POST", path + "complete/", agent_token_, text_field(1, token) + text_field(2, document)).status, 413);

  const std::string plan =
      ask("POST", path + "blob/", agent_token_, text_field(1, token) + number_field(2, document.size())).body;
  const std::string upload = first_text(plan);
  std::string file = text_field(1, "the outcome") + text_field(2, upload);
  for (std::size_t at = 0, part = 0; at < document.size(); at += 1000, ++part) {
    const HttpReply put = ask("PUT", fmt::format("/assets/upload/{}/{}", upload, part), "", document.substr(at, 1000));
    ASSERT_EQ(put.status, 200) << put.body;
    file += text_field(3, put.header("etag"));
  }
  const HttpReply completed = ask("POST", path + "complete/", agent_token_, text_field(1, token) + text_field(4, file));
  EXPECT_EQ(completed.status, 200) << completed.body;
  EXPECT_NE(get("/api/v1/models/" + model + "/report/").body.find("fact 29"), std::string::npos);
}

}  // namespace
}  // namespace slipway::hub::server
