#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "hub/protocol/query.hpp"
#include "hub/server/sign_in_limit.hpp"
#include "hub/server/testing/server_fixture.hpp"

namespace slipway::hub::server {
namespace {

using ::testing::HasSubstr;
using testing::HttpReply;
using testing::TestHub;

class ServerSignIn : public TestHub {
 protected:
  HttpReply sign_in(const std::string& token) {
    return ask("POST", "/sign-in/", "", "token=" + protocol::percent_encoded(token) + "&next=%2Fjobs%2F");
  }
  void use_up_the_allowance() {
    for (int n = 0; n < SignInLimit::kOfAnAddress.burst; ++n) {
      ASSERT_EQ(ask("GET", "/api/v1/devices/", "slw_wrong").status, 401) << n;
    }
  }
};

TEST_F(ServerSignIn, tells_whoever_tries_many_wrong_tokens_to_wait) {
  use_up_the_allowance();
  const HttpReply reply = ask("GET", "/api/v1/devices/", "slw_wrong");
  EXPECT_EQ(reply.status, 429);
  EXPECT_GE(std::stoi(reply.header("retry-after")), 1);
  EXPECT_THAT(nlohmann::json::parse(reply.body)["detail"], HasSubstr("try again in"));
  EXPECT_EQ(ask("POST", "/agent/v1/lease/", "slw_wrong").status, 429);
  const HttpReply form = sign_in("slw_wrong");
  EXPECT_EQ(form.status, 429);
  EXPECT_GE(std::stoi(form.header("retry-after")), 1);
  EXPECT_EQ(form.header("set-cookie"), "");
  EXPECT_THAT(form.body, HasSubstr("try again in"));
}

TEST_F(ServerSignIn, lets_valid_tokens_in_from_the_same_address_all_the_same) {
  use_up_the_allowance();
  EXPECT_EQ(ask("GET", "/api/v1/devices/", "slw_wrong").status, 429);
  EXPECT_EQ(get("/api/v1/devices/").status, 200);
  EXPECT_EQ(sign_in(user_token_).status, 303);
  EXPECT_NE(sign_in(user_token_).header("set-cookie"), "");
}

TEST_F(ServerSignIn, takes_forms_of_its_own_pages_only) {
  server_.reset();
  ServiceSettings settings;
  settings.public_url = "https://hub.example.com";
  start({}, settings);
  const auto status_from = [&](const std::string& origin) {
    return ask("POST", "/sign-in/", "", "token=" + user_token_, "Origin: " + origin + "\r\n").status;
  };
  EXPECT_EQ(status_from("https://hub.example.com"), 303);
  EXPECT_EQ(status_from("https://HUB.example.com:443"), 303);
  EXPECT_EQ(status_from("http://hub.test:8400"), 303) << "the host that was asked directly";
  for (const char* other : {"https://hub.example.co", "https://hub.example", "https://", "h", "null",
                            "http://hub.example.com", "https://hub.example.com:8443", "https://evil.net"}) {
    EXPECT_EQ(status_from(other), 403) << other;
  }
}

TEST_F(ServerSignIn, does_not_count_who_sends_no_token) {
  for (int n = 0; n < 3 * SignInLimit::kOfAnAddress.burst; ++n) {
    ASSERT_EQ(ask("GET", "/api/v1/devices/", "").status, 401) << n;
  }
}

TEST_F(ServerSignIn, counts_forged_cookies) {
  int refused = 0;
  for (int n = 0; n < 2 * SignInLimit::kOfAnAddress.burst; ++n) {
    refused += ask("GET", "/api/v1/recent_jobs/", "", "", "Cookie: slipway_session=forged\r\n").status == 429 ? 1 : 0;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace slipway::hub::server
