#include "hub/protocol/query.hpp"

#include <gtest/gtest.h>

namespace slipway::hub::protocol {
namespace {

Query parsed(std::string_view text) {
  return Query::parse(text).value();
}

TEST(Query, reads_a_device_call_as_the_client_sends_it) {
  const auto query =
      device_query(parsed("name=Samsung+Galaxy+S24+%28Family%29&os=%5B14%2C15%29&select=True&attributes=os%3Aandroid&"
                          "attributes=vendor%3Asamsung"));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->name, "Samsung Galaxy S24 (Family)");
  EXPECT_EQ(query->os, "[14,15)");
  EXPECT_TRUE(query->select);
  EXPECT_EQ(query->attributes, (std::vector<std::string>{"os:android", "vendor:samsung"}));
}

TEST(Query, takes_empty_values_and_both_spellings_of_booleans) {
  EXPECT_FALSE(device_query(parsed("name=&os=&select=False")).value().select);
  EXPECT_FALSE(device_query(parsed("")).value().select);
  EXPECT_EQ(plan_form(parsed("use_acceleration=true&supports_s3_credentials=true")).value(), PlanForm::kWrapped);
  EXPECT_EQ(plan_form(parsed("use_acceleration=false")).value(), PlanForm::kBare);
}

TEST(Query, refuses_a_boolean_that_is_none_with_its_text) {
  const auto outcome = parsed("select=perhaps").flag("select");
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("perhaps"), std::string::npos);
}

TEST(Query, pages_have_a_default_and_a_ceiling) {
  EXPECT_EQ(page_of(parsed("")).value().limit, 50U);
  EXPECT_EQ(page_of(parsed("limit=7&offset=3")).value().offset, 3U);
  EXPECT_EQ(page_of(parsed("limit=999999999")).value().limit, 1000U);
  EXPECT_FALSE(page_of(parsed("limit=-1")));
  EXPECT_FALSE(page_of(parsed("offset=1e3")));
  EXPECT_FALSE(page_of(parsed("offset=99999999999999999999")));
}

TEST(Query, filters_take_numbers_and_words_joined_by_commas) {
  const auto filter = job_filter(parsed("state=50%2C70&state=done&type=compile"));
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->states, (std::vector{domain::JobState::kOptimizingModel, domain::JobState::kMeasuringPerformance,
                                         domain::JobState::kDone}));
  EXPECT_EQ(filter->kinds, std::vector{domain::kKindOf<domain::kinds::Compile>});
  EXPECT_EQ(job_filter(parsed("state=JOB_STATE_FAILED")).value().states, std::vector{domain::JobState::kFailed});
  EXPECT_EQ(job_filter(parsed("type=3")).value().kinds, std::vector{domain::kKindOf<domain::kinds::Compile>});
}

TEST(Query, profile_and_inference_are_one_type_to_this_client) {
  EXPECT_EQ(job_filter(parsed("type=inference")).value().kinds,
            (std::vector{domain::kKindOf<domain::kinds::Profile>, domain::kKindOf<domain::kinds::Inference>}));
}

TEST(Query, an_unknown_state_or_zero_matches_nothing) {
  EXPECT_EQ(job_filter(parsed("type=compile")).value().states, std::nullopt);
  for (const char* text : {"state=0", "state=51", "state=JOB_STATE_UNSPECIFIED", "state=0%2C51", "state=-1", "state=60",
                           "state=PROVISIONING_DEVICE"}) {
    const auto filter = job_filter(parsed(text));
    ASSERT_TRUE(filter) << text;
    EXPECT_EQ(filter->states, std::vector<domain::JobState>()) << text;
  }
  EXPECT_EQ(job_filter(parsed("state=0%2C60%2C50")).value().states, std::vector{domain::JobState::kOptimizingModel});
}

TEST(Query, an_unknown_type_is_named_with_those_known) {
  const auto outcome = job_filter(parsed("type=bake"));
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("\"bake\""), std::string::npos);
  EXPECT_NE(outcome.error().message.find("COMPILE (3)"), std::string::npos);
}

TEST(Query, refuses_broken_percent_signs_and_floods) {
  EXPECT_FALSE(Query::parse("a=%4"));
  EXPECT_FALSE(Query::parse("a=%zz"));
  std::string flood;
  for (int i = 0; i < 300; ++i) flood += "a=1&";
  EXPECT_FALSE(Query::parse(flood));
}

TEST(PercentEncoding, comes_back_as_it_was_for_every_byte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(percent_decoded(percent_encoded(all), PlusMeans::kSpace), all);
}

}  // namespace
}  // namespace slipway::hub::protocol
