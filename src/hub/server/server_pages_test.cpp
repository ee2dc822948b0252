#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "hub/protocol/query.hpp"
#include "hub/server/testing/server_fixture.hpp"

namespace slipway::hub::server {
namespace {

using nlohmann::json;
using testing::first_text;
using testing::HttpReply;
using testing::TestHub;

class ServerPages : public TestHub {
 protected:
  void SetUp() override {
    ServiceSettings settings;
    settings.inspection_patience = std::chrono::milliseconds(0);
    start({}, settings);
  }

  HttpReply sign_in(const std::string& token, const std::string& next = "/jobs/x/",
                    const std::string& more_headers = {}) {
    const std::string body = "token=" + protocol::percent_encoded(token) + "&next=" + protocol::percent_encoded(next);
    return ask("POST", "/sign-in/", "", body, more_headers);
  }
  std::string cookie() {
    const std::string header = sign_in(user_token_).header("set-cookie");
    return header.substr(0, header.find(';'));
  }
  HttpReply get_with(const std::string& cookie, const std::string& target) {
    return ask("GET", target, "", "", "Cookie: other=1; " + cookie + "; more=2\r\n");
  }
};

TEST_F(ServerPages, signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use) {
  const HttpReply reply = sign_in(user_token_);
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.header("location"), "/jobs/x/");
  const std::string header = reply.header("set-cookie");
  EXPECT_NE(header.find("HttpOnly"), std::string::npos);
  EXPECT_NE(header.find("SameSite=Strict"), std::string::npos);
  EXPECT_EQ(header.find(user_token_), std::string::npos);
}

TEST_F(ServerPages, a_wrong_token_comes_back_to_the_form) {
  const HttpReply reply = sign_in("slw_wrong");
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.header("set-cookie"), "");
  const HttpReply form = ask("GET", reply.header("location"), "");
  EXPECT_NE(form.body.find("That token is not valid"), std::string::npos);
  EXPECT_EQ(sign_in(agent_token_).header("set-cookie"), "") << "an agent's token opens no pages";
}

TEST_F(ServerPages, the_form_leads_nowhere_else) {
  for (const std::string next : {"//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)",
                                 "/x\r\nSet-Cookie: a=b", ""}) {
    EXPECT_EQ(sign_in(user_token_, next).header("location"), "/jobs/") << next;
  }
  const HttpReply page = ask("GET", "/sign-in/?next=%2Fa%27%3E%3Cscript%3E", "");
  EXPECT_EQ(page.body.find("<script>"), std::string::npos);
}

TEST_F(ServerPages, a_form_from_another_site_is_refused) {
  EXPECT_EQ(sign_in(user_token_, "/jobs/", "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(sign_in(user_token_, "/jobs/", "Origin: http://hub.test:8400\r\n").status, 303);
  EXPECT_EQ(ask("POST", "/sign-out/", "", "", "Origin: null\r\n").status, 403);
}

TEST_F(ServerPages, pages_want_a_sign_in_and_remember_where_one_was_going) {
  const HttpReply reply = ask("GET", "/jobs/jabc/", "");
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.header("location"), "/sign-in/?next=%2Fjobs%2Fjabc%2F");
  EXPECT_EQ(ask("GET", "/", "").header("location"), "/jobs/");
}

TEST_F(ServerPages, the_job_page_and_its_report_open_with_the_cookie) {
  const std::string job = first_text(post("/api/v1/jobs/", compile_submission(upload_model("bytes"))).body);
  ASSERT_FALSE(job.empty());
  const std::string mine = cookie();
  const HttpReply page = get_with(mine, "/jobs/" + job + "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(page.header("content-security-policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.header("x-frame-options"), "DENY");
  const HttpReply report = get_with(mine, "/api/v1/jobs/" + job + "/report/");
  EXPECT_EQ(report.status, 200);
  EXPECT_EQ(json::parse(report.body)["job"]["id"], job);
  EXPECT_EQ(get_with(mine, "/api/v1/jobs/" + job + "/log/?offset=0").status, 200);
  EXPECT_EQ(json::parse(get_with(mine, "/api/v1/recent_jobs/").body)["total"], 1);
  // The file behind the report's link is the model.
  const std::string link = json::parse(report.body)["inputs"]["model"]["download_url"];
  EXPECT_EQ(ask("GET", link, "").body, "bytes");
  // The cookie opens nothing but the pages' own calls.
  EXPECT_EQ(get_with(mine, "/api/v1/jobs/" + job + "/").status, 401);
  EXPECT_EQ(get_with("slipway_session=forged", "/api/v1/jobs/" + job + "/report/").status, 401);
}

TEST_F(ServerPages, a_model_has_a_page_for_its_owner_alone) {
  const std::string model = upload_model("bytes", "<img src=x onerror=alert(1)>.onnx");
  const std::string job = first_text(post("/api/v1/jobs/", compile_submission(model)).body);
  const std::string page = "/models/" + model + "/", report = "/api/v1/models/" + model + "/report/";
  EXPECT_EQ(ask("GET", page, "").header("location"), "/sign-in/?next=" + protocol::percent_encoded(page));
  EXPECT_EQ(ask("GET", report, "").status, 401);
  const std::string mine = cookie();
  EXPECT_EQ(get_with(mine, page).status, 200);
  EXPECT_EQ(get_with(mine, page).body.find("onerror"), std::string::npos) << "names come by the report alone";
  const HttpReply said = get_with(mine, report);
  EXPECT_EQ(said.header("content-type"), "application/json");
  EXPECT_EQ(said.header("x-content-type-options"), "nosniff");
  const json about = json::parse(said.body);
  EXPECT_EQ(about["content"]["name"], "<img src=x onerror=alert(1)>.onnx");
  EXPECT_EQ(about["state"], "being inspected");
  EXPECT_EQ(about["jobs"][0]["id"], job);
  EXPECT_EQ(ask("GET", about["content"]["download_url"].get<std::string>(), "").body, "bytes");
  EXPECT_EQ(ask("GET", report, other_token_).status, 404) << "a stranger's";
  EXPECT_EQ(get_with(mine, "/datasets/" + model + "/").status, 404);
}

TEST_F(ServerPages, lists_hold_what_belongs_to_the_one_who_signed_in) {
  const std::string model = upload_model("bytes", "net.onnx");
  EXPECT_EQ(ask("GET", "/models/", "").header("location"), "/sign-in/?next=%2Fmodels%2F");
  EXPECT_EQ(ask("GET", "/api/v1/recent_models/", "").status, 401);
  const std::string mine = cookie();
  for (const char* page : {"/jobs/", "/models/", "/datasets/"}) EXPECT_EQ(get_with(mine, page).status, 200) << page;
  const json models = json::parse(get_with(mine, "/api/v1/recent_models/?limit=50").body);
  EXPECT_EQ(models["total"], 1);
  EXPECT_EQ(models["models"][0]["id"], model);
  EXPECT_EQ(models["models"][0]["content"]["size_bytes"], 5);
  EXPECT_EQ(json::parse(get_with(mine, "/api/v1/recent_datasets/").body)["total"], 0);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/recent_models/", other_token_).body)["total"], 0) << "a stranger's list";
}

TEST_F(ServerPages, an_unknown_job_or_address_gets_a_friendly_page) {
  for (const std::string target : {"/jobs/jnone/", "/no/such/page/", "/models/m1/", "/datasets/d1/"}) {
    const HttpReply page = get_with(cookie(), target);
    EXPECT_EQ(page.status, 404) << target;
    EXPECT_NE(page.body.find("Nothing here"), std::string::npos) << target;
  }
}

TEST_F(ServerPages, signing_out_ends_the_session) {
  const std::string mine = cookie();
  EXPECT_EQ(get_with(mine, "/jobs/").status, 200);
  const HttpReply reply = ask("POST", "/sign-out/", "", "", "Cookie: " + mine + "\r\n");
  EXPECT_EQ(reply.status, 303);
  EXPECT_NE(reply.header("set-cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(get_with(mine, "/jobs/").status, 303);
}

TEST_F(ServerPages, web_files_have_their_types_and_templates_stay_inside) {
  EXPECT_EQ(ask("GET", "/web/job.js", "").header("content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(ask("GET", "/web/app.css", "").header("content-type"), "text/css; charset=utf-8");
  EXPECT_EQ(ask("GET", "/web/job.html", "").status, 404);
  EXPECT_EQ(ask("GET", "/web/..%2fjob.js", "").status, 404);
}

TEST_F(ServerPages, health_needs_no_token) {
  const HttpReply reply = ask("GET", "/healthz", "");
  EXPECT_EQ(json::parse(reply.body), (json{{"ok", true}, {"status", "ok"}, {"version", "1.2.3"}}));
}

}  // namespace
}  // namespace slipway::hub::server
