#include "hub/server/internal/connection_slots.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace slipway::hub::server::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectionSlotsTest : public ::testing::Test {
 protected:
  std::unique_ptr<ConnectionSlots::Slot> arrive(int number, const char* address = "192.0.2.1") {
    return slots_.arrive(address, [this, number] { closed_.push_back(number); });
  }
  ConnectionSlots slots_{{.all = 5, .waiting_strangers = 4, .waiting_strangers_of_an_address = 2}};
  std::vector<int> closed_;
};

TEST_F(ConnectionSlotsTest, of_an_address_the_stranger_that_waits_longest_makes_room) {
  const auto first = arrive(1), second = arrive(2), other = arrive(3, "192.0.2.9");
  EXPECT_THAT(closed_, IsEmpty());
  const auto third = arrive(4);
  EXPECT_TRUE(third);
  EXPECT_THAT(closed_, ElementsAre(1));
  const auto fourth = arrive(5);
  EXPECT_THAT(closed_, ElementsAre(1, 2)) << "who has been asked to leave is not asked again";
}

TEST_F(ConnectionSlotsTest, ipv6_addresses_of_one_network_are_one_owner) {
  const auto first = arrive(1, "2001:db8::1"), second = arrive(2, "2001:db8::2"), third = arrive(3, "2001:db8::3");
  EXPECT_THAT(closed_, ElementsAre(1));
}

TEST_F(ConnectionSlotsTest, of_many_addresses_it_is_the_one_that_waits_longest_of_all) {
  const auto first = arrive(1, "192.0.2.1"), second = arrive(2, "192.0.2.2"), third = arrive(3, "192.0.2.3"),
             fourth = arrive(4, "192.0.2.4");
  const auto fifth = arrive(5, "192.0.2.5");
  EXPECT_TRUE(fifth);
  EXPECT_THAT(closed_, ElementsAre(1));
}

TEST_F(ConnectionSlotsTest, who_is_served_or_known_is_never_asked_to_leave) {
  const auto known = arrive(1), served = arrive(2);
  known->becomes_known();
  known->waits();
  served->is_served();
  const auto third = arrive(3), fourth = arrive(4), fifth = arrive(5), sixth = arrive(6);
  EXPECT_THAT(closed_, ElementsAre(3, 4));
  EXPECT_TRUE(known->is_known());
}

TEST_F(ConnectionSlotsTest, a_stranger_that_has_been_answered_waits_anew) {
  const auto answered = arrive(1);
  const auto silent = arrive(2);
  answered->is_served();
  answered->waits();
  const auto third = arrive(3);
  EXPECT_THAT(closed_, ElementsAre(2));
}

TEST_F(ConnectionSlotsTest, without_a_stranger_to_leave_one_too_many_is_turned_away) {
  std::vector<std::unique_ptr<ConnectionSlots::Slot>> known;
  for (int n = 0; n < 5; ++n) {
    known.push_back(arrive(n));
    known.back()->becomes_known();
  }
  EXPECT_FALSE(arrive(6));
  EXPECT_THAT(closed_, IsEmpty());
  known.pop_back();
  EXPECT_TRUE(arrive(7)) << "a place that was left is free";
}

}  // namespace
}  // namespace slipway::hub::server::internal
