#include "hub/server/origin.hpp"

#include <gtest/gtest.h>

namespace slipway::hub::server {
namespace {

TEST(Origin, is_the_same_only_when_scheme_host_and_port_are) {
  const auto hub = origin_of("https://hub.example.com");
  ASSERT_TRUE(hub);
  EXPECT_EQ(origin_of("https://hub.example.com:443"), hub);
  EXPECT_EQ(origin_of("HTTPS://Hub.Example.COM/slipway/?a#b"), hub);
  for (const char* other :
       {"https://hub.example.co", "https://hub.example.com.evil.net", "https://hub", "http://hub.example.com",
        "https://hub.example.com:8443", "https://evil.net/https://hub.example.com", "https://xhub.example.com"}) {
    ASSERT_TRUE(origin_of(other)) << other;
    EXPECT_NE(origin_of(other), hub) << other;
  }
}

TEST(Origin, knows_addresses_of_both_kinds) {
  EXPECT_EQ(origin_of("http://[::1]:8400"), (Origin{.scheme = "http", .host = "[::1]", .port = 8400}));
  EXPECT_EQ(origin_of("http://[::1]"), (Origin{.scheme = "http", .host = "[::1]", .port = 80}));
  EXPECT_EQ(origin_of("http://127.0.0.1:8400/"), (Origin{.scheme = "http", .host = "127.0.0.1", .port = 8400}));
}

TEST(Origin, is_nothing_for_what_is_no_web_address) {
  for (const char* text : {"", "null", "https://", "https:///", "h", "hub.example.com", "file:///etc", "https://h:",
                           "https://h:0", "https://h:65536", "https://h:8x", "https://user@h", "javascript://h"}) {
    EXPECT_FALSE(origin_of(text)) << text;
  }
}

}  // namespace
}  // namespace slipway::hub::server
