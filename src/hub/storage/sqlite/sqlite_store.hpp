#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/lease_clock.hpp"
#include "hub/domain/ports/row_store.hpp"

namespace slipway::hub::storage {

class Database;

/// Rows in an SQLite file beside which WAL files appear. Readers do not wait for the writer.
/// @thread safe from any thread; other processes may open the file too, but one alone hands out leases
class SqliteStore final : public domain::RowStore {
 public:
  /// ":memory:" keeps everything in memory, for tests.
  /// @param clock  for the ends of leases
  /// @error kFailedPrecondition: written by a newer version; kDataLoss: the file is no database; kPermissionDenied
  [[nodiscard]] static base::Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                                       const base::Clock& clock);
  ~SqliteStore() override;

  [[nodiscard]] base::Result<void> insert_user(const domain::User& user) override;
  [[nodiscard]] base::Result<domain::User> user(const std::string& id) const override;
  [[nodiscard]] base::Result<domain::User> user_by_email(const std::string& email) const override;
  [[nodiscard]] base::Result<void> insert_token(const domain::Token& token) override;
  [[nodiscard]] base::Result<std::vector<domain::Token>> tokens() const override;
  [[nodiscard]] base::Result<domain::Token> token_by_hash(const std::string& sha256) const override;
  [[nodiscard]] base::Result<void> touch_token(const std::string& id, base::Time last_used) override;
  [[nodiscard]] base::Result<domain::Token> token(const std::string& id) const override;
  [[nodiscard]] base::Result<void> revoke_token(const std::string& id, base::Time when) override;
  [[nodiscard]] base::Result<void> insert_web_session(const domain::WebSession& session) override;
  [[nodiscard]] base::Result<domain::WebSession> web_session(const std::string& sha256) const override;
  void remove_web_session(const std::string& sha256) override;
  void remove_web_sessions_before(base::Time now) override;
  [[nodiscard]] base::Result<void> insert_model(const domain::Model& model) override;
  [[nodiscard]] base::Result<domain::Model> model(const std::string& id) const override;
  [[nodiscard]] base::Result<void> rename_model(const std::string& id, const std::string& name) override;
  [[nodiscard]] base::Result<domain::Listed<domain::Model>> models(const std::string& owner_id,
                                                                   const std::string& producer,
                                                                   domain::Page page) const override;
  [[nodiscard]] base::Result<void> insert_dataset(const domain::Dataset& dataset) override;
  [[nodiscard]] base::Result<domain::Dataset> dataset(const std::string& id) const override;
  [[nodiscard]] base::Result<domain::Listed<domain::Dataset>> datasets(const std::string& owner_id,
                                                                       domain::Page page) const override;
  [[nodiscard]] base::Result<void> insert_upload(const domain::Upload& upload) override;
  [[nodiscard]] base::Result<domain::Upload> upload(const std::string& id) const override;
  [[nodiscard]] base::Result<void> update_upload(const domain::Upload& upload) override;
  void remove_upload(const std::string& id) override;
  [[nodiscard]] base::Result<std::vector<domain::Upload>> uploads_of(const std::string& subject_id) const override;
  [[nodiscard]] base::Result<std::vector<domain::Upload>> expired_uploads(base::Time now) const override;
  [[nodiscard]] base::Result<void> complete_model_upload(const domain::Model& model,
                                                         const domain::Job& inspection) override;
  [[nodiscard]] base::Result<void> complete_dataset_upload(const domain::Dataset& dataset,
                                                           const domain::Job& inspection) override;
  [[nodiscard]] base::Result<void> insert_job(const domain::Job& job,
                                              const std::optional<domain::Model>& target) override;
  [[nodiscard]] base::Result<domain::Job> job(const std::string& id) const override;
  [[nodiscard]] base::Result<domain::Listed<domain::Job>> jobs(const domain::JobFilter& filter,
                                                               domain::Page page) const override;
  [[nodiscard]] base::Result<void> rename_job(const std::string& id, const std::string& name) override;
  [[nodiscard]] base::Time lease_time() const override;
  [[nodiscard]] base::Result<std::optional<domain::Job>> lease_job(const domain::LeaseRequest& request) override;
  [[nodiscard]] base::Result<void> renew_lease(const std::string& job_id, const std::string& lease_token,
                                               base::Time until) override;
  [[nodiscard]] base::Result<void> append_log(const std::string& job_id, const std::string& lease_token,
                                              std::string_view text) override;
  [[nodiscard]] base::Result<std::string> log(const std::string& job_id) const override;
  [[nodiscard]] base::Result<void> complete_job(const domain::Job& job, const std::string& lease_token,
                                                const std::optional<domain::Model>& target,
                                                const std::optional<domain::Dataset>& output,
                                                const std::optional<domain::Inspection>& inspection) override;
  [[nodiscard]] base::Result<void> fail_job(const domain::Job& job,
                                            const std::optional<domain::Inspection>& inspection) override;
  [[nodiscard]] base::Result<std::vector<domain::Job>> take_back_leases(base::Time lease_time, base::Time now,
                                                                        int max_attempts) override;
  [[nodiscard]] base::Result<void> renew_all_leases(base::Time until) override;
  [[nodiscard]] base::Result<void> hand_back_lease(const std::string& job_id, const std::string& lease_token,
                                                   base::Time now) override;
  [[nodiscard]] base::Result<std::vector<std::string>> hand_back_leases(const std::string& agent_id,
                                                                        base::Time now) override;
  [[nodiscard]] base::Result<std::vector<domain::Job>> orphaned_jobs() const override;
  [[nodiscard]] base::Result<std::set<std::string>> content_in_use(base::Time now) const override;
  [[nodiscard]] base::Result<std::uint64_t> queue_position(const std::string& job_id) const override;

 private:
  SqliteStore(std::unique_ptr<Database> database, const base::Clock& clock);
  std::unique_ptr<Database> database_;
  domain::LeaseClock lease_clock_;
};

}  // namespace slipway::hub::storage
