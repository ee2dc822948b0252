// The hub's rules over stores that cannot be written for a while.
#include "tests/contract/hub_world.hpp"

#include "base/testing/small_file_system.hpp"

namespace slipway::hub {
namespace {

using base::Reason;

class HubOnAFullDisk : public HubTest {
 protected:
  void SetUp() override {
    if (!disk_) GTEST_SKIP() << "mounting a file system is not permitted here";
    rows_on_disk_ = storage::SqliteStore::open(disk_->path() / "hub.sqlite", clock_).value();
    bytes_on_disk_ = storage::FileBlobStore::open(disk_->path(), clock_).value();
    small_hub_ =
        std::make_unique<domain::Hub>(domain::HubSettings{.hub_version = "test"},
                                      domain::Ports(*rows_on_disk_, *bytes_on_disk_, clock_, ids_), small_catalogue());
    user_ = {.user = small_hub_->accounts.ensure_user("user@hub", domain::Role::kMember).value(),
             .scope = domain::Scope::kUser};
  }

  std::optional<base::testing::SmallFileSystem> disk_ = base::testing::SmallFileSystem::mount(8 << 20);
  std::unique_ptr<domain::RowStore> rows_on_disk_;
  std::unique_ptr<domain::BlobStore> bytes_on_disk_;
  std::unique_ptr<domain::Hub> small_hub_;
};

TEST_F(HubOnAFullDisk, signs_in_and_lists_without_writing) {
  const auto token = small_hub_->accounts.create_token(user_.user.id, "laptop", domain::Scope::kUser).value();
  const auto filling = disk_->fill();
  EXPECT_TRUE(small_hub_->accounts.authenticate(token.text));
  EXPECT_TRUE(small_hub_->contents.models(user_, "", {}));
  const auto refused = small_hub_->contents.create_model(user_, new_model(std::string(1000, 'x')));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kOutOfDisk) << refused.error().message;
  std::filesystem::remove(filling);
  EXPECT_TRUE(small_hub_->accounts.create_token(user_.user.id, "again", domain::Scope::kUser));
}

TEST_F(HubOnAFullDisk, refuses_a_file_that_will_not_fit_before_it_is_sent) {
  const auto model = small_hub_->contents.create_model(user_, new_model("net.onnx")).value();
  EXPECT_TRUE(small_hub_->contents.plan_model_upload(user_, model.id, 1 << 20));
  const auto refused = small_hub_->contents.plan_model_upload(user_, model.id, 8 << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kOutOfDisk);
}

// A hub that cannot write cannot reclaim a lease either.
TEST_F(HubOnAFullDisk, renews_leases_by_word_until_there_is_room) {
  agent_id_ = [&] {
    domain::AgentRegistration registration;
    registration.name = "local";
    return small_hub_->agents.register_agent(agent_, registration).value();
  }();
  const auto model = small_hub_->contents.create_model(user_, new_model("net.onnx")).value();
  const auto plan = small_hub_->contents.plan_model_upload(user_, model.id, 5).value();
  auto writer = bytes_on_disk_->write_part(plan.id, 0, 5).value();
  ASSERT_TRUE(writer->write(std::as_bytes(std::span(std::string_view("bytes")))));
  ASSERT_TRUE(small_hub_->contents.complete_model_upload(user_, model.id, plan.id, {writer->commit().value()}));
  const auto spec = small_hub_->agents.lease(agent_, agent_id_, {domain::kKindOf<domain::kinds::Inspect>}).value();
  ASSERT_TRUE(spec);

  const auto filling = disk_->fill();
  for (int renewal = 0; renewal < 12; ++renewal) {
    clock_.advance(std::chrono::seconds(10));
    EXPECT_TRUE(small_hub_->agents.renew(agent_, spec->job.id, spec->job.lease_token)) << renewal;
    static_cast<void>(small_hub_->sweep());
  }
  std::filesystem::remove(filling);
  static_cast<void>(small_hub_->sweep());
  EXPECT_TRUE(small_hub_->agents.renew(agent_, spec->job.id, spec->job.lease_token)) << "it was not taken back";
  domain::JobOutcome outcome;
  outcome.succeeded = true;
  outcome.result.emplace<domain::kinds::Inspect::Result>().inspection = image_model();
  EXPECT_TRUE(
      small_hub_->agents.complete(agent_, spec->job.id, spec->job.lease_token, domain::to_document(outcome), {}));

  clock_.advance(std::chrono::seconds(60));
  static_cast<void>(small_hub_->sweep());
}

}  // namespace
}  // namespace slipway::hub
