#include "tests/contract/hub_world.hpp"

#include "hub/domain/token_text.hpp"

namespace slipway::hub {
namespace {

using base::Code;
using namespace domain;
using ::testing::HasSubstr;

class HubUsers : public HubTest {};
class HubUploads : public HubTest {};

TEST_F(HubUsers, shows_a_token_once_and_keeps_only_its_hash) {
  const auto made = hub_.accounts.create_token(user_.user.id, "laptop", Scope::kUser).value();
  EXPECT_TRUE(is_token_text(made.text));
  const auto kept = hub_.accounts.tokens().value();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].sha256, base::sha256_hex(made.text));
  EXPECT_EQ(hub_.accounts.authenticate(made.text)->user.id, user_.user.id);
  EXPECT_TRUE(hub_.accounts.tokens()->front().last_used);
  EXPECT_EQ(hub_.accounts.create_token("nobody", "x", Scope::kUser).error().code, Code::kNotFound);
}

TEST_F(HubUsers, refuses_unknown_malformed_and_revoked_tokens) {
  const auto made = hub_.accounts.create_token(user_.user.id, "laptop", Scope::kUser).value();
  EXPECT_EQ(hub_.accounts.authenticate("").error().code, Code::kUnauthenticated);
  EXPECT_EQ(hub_.accounts.authenticate("slw_short").error().code, Code::kUnauthenticated);
  EXPECT_EQ(hub_.accounts.authenticate(token_text(std::string(32, 'z'))).error().code, Code::kUnauthenticated);
  const std::string cookie = hub_.accounts.sign_in(made.text).value();
  EXPECT_EQ(hub_.accounts.authenticate_web_session(cookie)->user.id, user_.user.id);
  ASSERT_TRUE(hub_.accounts.revoke_token(made.token.id));
  EXPECT_EQ(hub_.accounts.authenticate(made.text).error().code, Code::kUnauthenticated);
  EXPECT_EQ(hub_.accounts.authenticate_web_session(cookie).error().code, Code::kUnauthenticated);
  EXPECT_EQ(hub_.accounts.sign_in(made.text).error().code, Code::kUnauthenticated);
}

TEST_F(HubUsers, ends_web_sessions_on_sign_out_and_with_time) {
  const auto made = hub_.accounts.create_token(user_.user.id, "laptop", Scope::kUser).value();
  const std::string first = hub_.accounts.sign_in(made.text).value(), second = hub_.accounts.sign_in(made.text).value();
  EXPECT_NE(first, second);
  hub_.accounts.sign_out(first);
  EXPECT_FALSE(hub_.accounts.authenticate_web_session(first));
  EXPECT_TRUE(hub_.accounts.authenticate_web_session(second));
  clock_.advance(std::chrono::hours(7 * 24));
  EXPECT_FALSE(hub_.accounts.authenticate_web_session(second));
  const auto agents = hub_.accounts.create_token(user_.user.id, "agent", Scope::kAgent).value();
  EXPECT_EQ(hub_.accounts.sign_in(agents.text).error().code, Code::kUnauthenticated);
}

TEST_F(HubUsers, keeps_users_agents_and_strangers_to_their_own_calls) {
  const auto model = upload_model();
  EXPECT_EQ(hub_.contents.model(other_, model.id).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.contents.model(agent_, model.id).error().code, Code::kNotFound);
  EXPECT_TRUE(hub_.contents.model(admin_, model.id));
  EXPECT_EQ(hub_.contents.create_model(agent_, new_model("x")).error().code, Code::kPermissionDenied);
  EXPECT_EQ(hub_.agents.lease(user_, agent_id_, {kKindOf<kinds::Compile>}).error().code, Code::kPermissionDenied);
  EXPECT_EQ(
      hub_.agents
          .register_agent(admin_, {.name = "x", .instance = "", .successor_of = "", .devices = {}, .frameworks = {}})
          .error()
          .code,
      Code::kPermissionDenied);
  EXPECT_EQ(hub_.contents.models(other_, "", {})->total, 0U);
  EXPECT_EQ(hub_.contents.models(user_, "", {})->total, 1U);
  EXPECT_EQ(hub_.contents.models(admin_, "", {})->total, 1U);
}

TEST_F(HubUsers, knows_no_projects) {
  const auto refused = hub_.contents.create_model(
      user_, {.name = "x", .type = ModelType::kOnnx, .is_directory = false, .project_id = "p1"});
  EXPECT_EQ(refused.error().code, Code::kNotFound);
  EXPECT_EQ(refused.error().message, "unknown project p1");
}

TEST_F(HubUploads, plans_the_parts_that_the_client_expects) {
  const auto model = create_model();
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 1)->part_count, 1U);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 4)->part_count, 1U);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 5)->part_count, 2U);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 8)->part_count, 2U);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, std::nullopt)->part_count, 1U);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 0).error().code, Code::kInvalidArgument);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 1001).error().code, Code::kResourceExhausted);
  EXPECT_EQ(hub_.contents.plan_model_upload(other_, model.id, 5).error().code, Code::kNotFound);
}

TEST_F(HubUploads, completes_a_model_and_answers_a_repeated_request_alike) {
  const auto model = create_model();
  const auto plan = hub_.contents.plan_model_upload(user_, model.id, 6).value();
  const std::vector<std::string> etags = {send(plan.id, 0, "abcd"), '"' + send(plan.id, 1, "ef") + '"'};
  const auto first = hub_.contents.complete_model_upload(user_, model.id, plan.id, etags);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->content.sha256, base::sha256_hex("abcdef"));
  const auto again = hub_.contents.complete_model_upload(user_, model.id, plan.id, etags);
  EXPECT_EQ(again->content, first->content);
  EXPECT_EQ(hub_.contents.plan_model_upload(user_, model.id, 6).error().code, Code::kFailedPrecondition);
  // One inspection, not two.
  EXPECT_TRUE(lease());
  EXPECT_FALSE(lease());
}

TEST_F(HubUploads, refuses_what_does_not_fit_the_plan) {
  const auto model = create_model();
  const auto plan = hub_.contents.plan_model_upload(user_, model.id, 6).value();
  const std::string one = send(plan.id, 0, "abcd"), two = send(plan.id, 1, "efgh");
  EXPECT_EQ(hub_.contents.complete_model_upload(user_, model.id, plan.id, {one}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(hub_.contents.complete_model_upload(user_, model.id, plan.id, {two, one}).error().code,
            Code::kFailedPrecondition);
  const auto size = hub_.contents.complete_model_upload(user_, model.id, plan.id, {one, two});
  EXPECT_EQ(size.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(size.error().message, HasSubstr("6 bytes were announced, but 8 arrived"));
  EXPECT_EQ(hub_.contents.complete_model_upload(user_, model.id, "unknown", {one, two}).error().code, Code::kNotFound);
  const auto another = create_model();
  EXPECT_EQ(hub_.contents.complete_model_upload(user_, another.id, plan.id, {one, two}).error().code, Code::kNotFound);
  EXPECT_EQ(hub_.contents.model(user_, model.id)->upload, UploadState::kWaiting);
}

TEST_F(HubUploads, sends_a_dataset_as_one_part_and_dates_it) {
  const auto dataset = upload_dataset("many more bytes than a part");
  EXPECT_EQ(dataset.upload, UploadState::kComplete);
  EXPECT_EQ(dataset.expires, clock_.now() + std::chrono::hours(30 * 24));
  EXPECT_EQ(hub_.contents.complete_dataset_upload(user_, dataset.id)->content, dataset.content);
  const auto permanent =
      hub_.contents.create_dataset(user_, {.name = "x", .permanent = true, .project_id = ""}).value();
  EXPECT_FALSE(permanent.expires);
  EXPECT_EQ(hub_.contents.complete_dataset_upload(user_, permanent.id).error().code, Code::kFailedPrecondition);
  clock_.advance(std::chrono::hours(30 * 24));
  EXPECT_EQ(hub_.contents.dataset_download(user_, dataset.id).error().code, Code::kFailedPrecondition);
}

TEST_F(HubUploads, forgets_uploads_that_are_not_finished_within_a_day) {
  const auto model = create_model();
  const auto plan = hub_.contents.plan_model_upload(user_, model.id, 6).value();
  send(plan.id, 0, "abcd");
  EXPECT_TRUE(hub_.contents.upload(plan.id));
  clock_.advance(std::chrono::hours(24));
  EXPECT_EQ(hub_.contents.upload(plan.id).error().code, Code::kNotFound);
  hub_.sweep();
  EXPECT_FALSE(blobs_->pin()->assemble(plan.id, {base::sha256_hex("abcd")})) << "its parts are gone";
  EXPECT_FALSE(rows_->upload(plan.id));
}

TEST_F(HubUploads, names_downloads_without_stray_dots) {
  const auto model = create_model("net_v1.0.onnx");
  EXPECT_EQ(hub_.contents.model_download(user_, model.id).error().code, Code::kFailedPrecondition);
  const auto plan = hub_.contents.plan_model_upload(user_, model.id, 3).value();
  ASSERT_TRUE(hub_.contents.complete_model_upload(user_, model.id, plan.id, {send(plan.id, 0, "abc")}));
  EXPECT_EQ(hub_.contents.model_download(user_, model.id)->filename, "net_v1_0.onnx");
  const auto dataset = upload_dataset();
  EXPECT_EQ(hub_.contents.dataset_download(user_, dataset.id)->filename, "dataset-" + dataset.id + ".h5");
}

TEST_F(HubUploads, keeps_a_new_name_while_the_inspection_ends) {
  const auto model = upload_model();
  ASSERT_TRUE(hub_.contents.rename_model(user_, model.id, "better"));
  inspect(image_model());
  EXPECT_EQ(hub_.contents.model(user_, model.id)->name, "better");
  EXPECT_TRUE(hub_.contents.model(user_, model.id)->inspection);
  EXPECT_EQ(hub_.contents.rename_model(user_, model.id, "").error().code, Code::kInvalidArgument);
  EXPECT_EQ(hub_.contents.rename_model(other_, model.id, "x").error().code, Code::kNotFound);
}

TEST_F(HubUploads, says_why_an_upload_could_not_be_inspected) {
  const auto model = upload_model();
  const auto spec = lease();
  EXPECT_FALSE(spec->models.empty());
  EXPECT_EQ(spec->models.at(0).file, "model.onnx");
  JobOutcome crash;
  crash.failure_type = FailureType::kRuntimeCrash;
  crash.failure_reason = "signal 11";
  ASSERT_TRUE(complete(spec->job, crash));
  EXPECT_THAT(hub_.contents.model(user_, model.id)->inspection->error, HasSubstr("could not be inspected: signal 11"));
  const auto refused = hub_.jobs.submit(user_, submission<kinds::Compile>(model.id, "Test CPU"));
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("signal 11"));
}

}  // namespace
}  // namespace slipway::hub
