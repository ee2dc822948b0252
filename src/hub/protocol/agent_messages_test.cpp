#include "hub/protocol/agent_messages.hpp"

#include "slipway/agent.pb.h"
#include <gtest/gtest.h>

#include "hub/domain/job.hpp"
#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol {
namespace {

TEST(AgentMessages, a_registration_comes_back_as_it_was_sent) {
  const agent::Registration sent{
      .name = "workshop",
      .instance = "i2",
      .successor_of = "i1",
      .device_documents = {R"({"schema":"slipway-device/1"})", "{}"},
      .frameworks = {
          {.name = "QAIRT", .api_version = "2.50", .api_tags = {"default", "latest"}, .full_version = "2.50.0"}}};
  const auto received = agent::decode<agent::Registration>(agent::encode(sent));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->name, sent.name);
  EXPECT_EQ(received->instance, "i2");
  EXPECT_EQ(received->successor_of, "i1");
  EXPECT_EQ(received->device_documents, sent.device_documents);
  ASSERT_EQ(received->frameworks.size(), 1U);
  EXPECT_EQ(received->frameworks[0].api_tags, sent.frameworks[0].api_tags);
  EXPECT_EQ(received->frameworks[0].full_version, "2.50.0");
}

TEST(AgentMessages, a_lease_reply_carries_the_fields_of_the_proto_file) {
  const std::string bytes = agent::encode(agent::LeaseReply{
      .job_id = "jabc",
      .lease_token = "t",
      .lease_seconds = 30,
      .spec_document = "{}",
      .inputs = {{.name = "model.onnx", .url = "http://h/assets/x", .sha256 = "ab", .size_bytes = 1ULL << 40}}});
  ::slipway::agent::v1::LeaseReply proto;
  ASSERT_TRUE(proto.ParseFromString(bytes));
  EXPECT_EQ(proto.job_id(), "jabc");
  EXPECT_EQ(proto.lease_seconds(), 30U);
  EXPECT_EQ(proto.inputs(0).size_bytes(), 1ULL << 40);
  const auto back = agent::decode<agent::LeaseReply>(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->inputs.at(0).url, "http://h/assets/x");
}

TEST(AgentMessages, no_work_is_an_empty_body) {
  EXPECT_EQ(agent::encode(agent::LeaseReply{}), "");
  EXPECT_EQ(agent::decode<agent::LeaseReply>("").value().job_id, "");
}

TEST(AgentMessages, a_completion_keeps_the_tags_of_each_file_in_order) {
  const auto back = agent::decode<agent::CompleteRequest>(
      agent::encode(agent::CompleteRequest{.lease_token = "t",
                                           .outcome_document = "{}",
                                           .files = {{.name = "a", .upload_id = "u1", .etags = {"1", "2", "3"}},
                                                     {.name = "b", .upload_id = "u2", .etags = {"4"}}},
                                           .outcome_file = {{.name = "", .upload_id = "u3", .etags = {"5"}}}}));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->files.size(), 2U);
  EXPECT_EQ(back->files[0].etags, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(back->files[1].upload_id, "u2");
  ASSERT_TRUE(back->outcome_file);
  EXPECT_EQ(back->outcome_file->upload_id, "u3");
}

TEST(AgentMessages, the_small_ones_come_back_as_they_were_sent) {
  EXPECT_EQ(agent::decode<agent::Registered>(agent::encode(agent::Registered{"a1"})).value().agent_id, "a1");
  EXPECT_EQ(agent::decode<agent::RenewRequest>(agent::encode(agent::RenewRequest{"t"})).value().lease_token, "t");
  EXPECT_EQ(agent::decode<agent::RenewReply>(agent::encode(agent::RenewReply{30})).value().lease_seconds, 30U);
  EXPECT_EQ(agent::decode<agent::BlobRequest>(agent::encode(agent::BlobRequest{"t", 5})).value().size_bytes, 5U);
  const auto plan = agent::decode<agent::BlobPlan>(agent::encode(agent::BlobPlan{"u", {"x", "y"}, 7}));
  EXPECT_EQ(plan.value().urls, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(plan->part_size_bytes, 7U);
  const auto lease = agent::decode<agent::LeaseRequest>(agent::encode(
      agent::LeaseRequest{"a", {domain::kKindOf<domain::kinds::Compile>, domain::kKindOf<domain::kinds::Inspect>}}));
  EXPECT_EQ(lease.value().kinds,
            (std::vector{domain::kKindOf<domain::kinds::Compile>, domain::kKindOf<domain::kinds::Inspect>}));
}

TEST(AgentMessages, bytes_that_are_no_message_are_refused_by_name) {
  const auto outcome = agent::decode<agent::BlobPlan>("\xff\xff\xff");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, base::Code::kInvalidArgument);
  EXPECT_NE(outcome.error().message.find("BlobPlan"), std::string::npos);
}

TEST(AgentMessages, an_unknown_kind_of_job_is_refused_with_its_number) {
  ::slipway::agent::v1::LeaseRequest proto;
  proto.add_kinds(77);
  const auto outcome = agent::decode<agent::LeaseRequest>(proto.SerializeAsString());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("77"), std::string::npos);
}

TEST(AgentMessages, log_bytes_that_are_not_utf8_still_arrive) {
  const auto back = agent::decode<agent::LogLines>(agent::encode(agent::LogLines{"t",
                                                                                 "a\xff"
                                                                                 "b\n"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->text,
            "a\xEF\xBF\xBD"
            "b\n");
}

TEST(WireText, keeps_valid_text_and_replaces_the_rest_byte_by_byte) {
  EXPECT_EQ(wire_text("plain ü 模型 😀"), "plain ü 模型 😀");
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(wire_text("\xC0\xAF"), replacement + replacement);                    // overlong
  EXPECT_EQ(wire_text("\xED\xA0\x80"), replacement + replacement + replacement);  // surrogate
  EXPECT_EQ(wire_text("x\xE6\xA8"), "x" + replacement + replacement);             // cut short
  EXPECT_EQ(wire_text("\xF4\x90\x80\x80").size(), 12U);                           // beyond U+10FFFF
}

}  // namespace
}  // namespace slipway::hub::protocol
