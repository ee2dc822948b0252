#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

struct Page {
  std::uint64_t offset = 0;
  std::uint64_t limit = 50;
};
template <typename T>
struct Listed {
  std::vector<T> items;     ///< newest first
  std::uint64_t total = 0;  ///< regardless of paging
};

struct JobFilter {
  std::string owner_id;       ///< empty: everyone's
  std::string creator_email;  ///< as a client sends it; the hub turns it into owner_id, stores do not look at it
  std::string project_id;
  std::vector<JobState> states;
  std::vector<JobKind> kinds;  ///< empty: all but kInspect
  std::string model_id;        ///< jobs that take this model; empty: any
  std::string dataset_id;      ///< jobs that take this dataset; empty: any
};

/// A multi-part or form upload under way.
struct Upload {
  std::string id;          ///< unguessable: it is part of the asset URL
  std::string subject_id;  ///< model, dataset or job
  std::uint64_t size_bytes = 0;
  std::uint64_t part_size_bytes = 0;
  std::uint32_t part_count = 1;
  std::vector<std::string> etags;  ///< form uploads: known after the POST
  base::Time expires;
};

struct WebSession {
  std::string sha256;  ///< of the cookie
  std::string user_id;
  std::string token_id;  ///< the token it was traded for; revoking that ends the session
  base::Time expires;
};

struct LeaseRequest {
  std::string agent_id;
  std::vector<JobKind> kinds;
  std::vector<std::string> offers;  ///< what Job::needs may say; the empty need is always met
  std::string lease_token;          ///< fresh
  base::Time now, until;
};

/// The most that is kept of one job's log.
inline constexpr std::size_t kLogLimitBytes = 4U << 20;

/// Rows. Each call is one transaction: after it returns, a crash loses nothing of it.
/// @thread safe from any thread
class MetadataStore {
 public:
  virtual ~MetadataStore() = default;

  [[nodiscard]] virtual base::Result<void> insert_user(const User& user) = 0;
  [[nodiscard]] virtual base::Result<User> user(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<User> user_by_email(const std::string& email) const = 0;
  [[nodiscard]] virtual base::Result<void> insert_token(const Token& token) = 0;
  [[nodiscard]] virtual base::Result<std::vector<Token>> tokens() const = 0;
  [[nodiscard]] virtual base::Result<Token> token_by_hash(const std::string& sha256) const = 0;
  [[nodiscard]] virtual base::Result<void> touch_token(const std::string& id, base::Time last_used) = 0;
  [[nodiscard]] virtual base::Result<Token> token(const std::string& id) const = 0;
  /// Ends the token and the web sessions traded for it.
  [[nodiscard]] virtual base::Result<void> revoke_token(const std::string& id, base::Time when) = 0;
  [[nodiscard]] virtual base::Result<void> insert_web_session(const WebSession& session) = 0;
  [[nodiscard]] virtual base::Result<WebSession> web_session(const std::string& sha256) const = 0;
  virtual void remove_web_session(const std::string& sha256) = 0;
  virtual void remove_web_sessions_before(base::Time now) = 0;

  [[nodiscard]] virtual base::Result<void> insert_model(const Model& model) = 0;
  [[nodiscard]] virtual base::Result<Model> model(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<void> rename_model(const std::string& id, const std::string& name) = 0;
  [[nodiscard]] virtual base::Result<Listed<Model>> models(const std::string& owner_id, const std::string& producer,
                                                           Page page) const = 0;
  [[nodiscard]] virtual base::Result<void> insert_dataset(const Dataset& dataset) = 0;
  [[nodiscard]] virtual base::Result<Dataset> dataset(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<Listed<Dataset>> datasets(const std::string& owner_id, Page page) const = 0;

  [[nodiscard]] virtual base::Result<void> insert_upload(const Upload& upload) = 0;
  [[nodiscard]] virtual base::Result<Upload> upload(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<void> update_upload(const Upload& upload) = 0;
  virtual void remove_upload(const std::string& id) = 0;
  /// The plans made for a model, dataset or job, newest first.
  [[nodiscard]] virtual base::Result<std::vector<Upload>> uploads_of(const std::string& subject_id) const = 0;
  [[nodiscard]] virtual base::Result<std::vector<Upload>> expired_uploads(base::Time now) const = 0;

  /// Marks an upload complete and queues its inspection, all or nothing.
  /// @error kAborted: it is complete already; nothing is changed
  [[nodiscard]] virtual base::Result<void> complete_model_upload(const Model& model, const Job& inspection) = 0;
  [[nodiscard]] virtual base::Result<void> complete_dataset_upload(const Dataset& dataset, const Job& inspection) = 0;

  /// Inserts a job, queued or already failed, and with it the target model that it would produce. A queued job is
  /// ready at once when its model and dataset are inspected or produced, else it becomes so in the transaction that
  /// ends the inspection or the producer.
  [[nodiscard]] virtual base::Result<void> insert_job(const Job& job, const std::optional<Model>& target) = 0;
  [[nodiscard]] virtual base::Result<Job> job(const std::string& id) const = 0;
  /// Items come without outcome->profile->layers.
  [[nodiscard]] virtual base::Result<Listed<Job>> jobs(const JobFilter& filter, Page page) const = 0;
  [[nodiscard]] virtual base::Result<void> rename_job(const std::string& id, const std::string& name) = 0;

  /// Hands out the oldest queued job of the wanted kinds whose model and dataset are there (inspections first), with
  /// attempt + 1, its running state and the token. Nothing when there is none.
  [[nodiscard]] virtual base::Result<std::optional<Job>> lease_job(const LeaseRequest& request) = 0;

  /// @error kAborted: the token is not that of the current lease (the job was taken away)
  [[nodiscard]] virtual base::Result<void> renew_lease(const std::string& job_id, const std::string& lease_token,
                                                       base::Time until) = 0;

  /// Appends to a job's log. Kept across a crash of the process at once, across a power cut from the job's completion
  /// on. At most kLogLimitBytes are kept; what is beyond is dropped, and the log says so once.
  /// @param lease_token  of the current lease; empty: the hub itself writes
  /// @error kAborted: the token is stale
  [[nodiscard]] virtual base::Result<void> append_log(const std::string& job_id, const std::string& lease_token,
                                                      std::string_view text) = 0;
  [[nodiscard]] virtual base::Result<std::string> log(const std::string& job_id) const = 0;

  /// Ends a leased job: state, outcome, artifacts, target model and output dataset in one transaction. An inspection is
  /// kept with the job's subject.
  /// @error kAborted: the token is stale; nothing is changed
  [[nodiscard]] virtual base::Result<void> complete_job(const Job& job, const std::string& lease_token,
                                                        const std::optional<Model>& target,
                                                        const std::optional<Dataset>& output,
                                                        const std::optional<Inspection>& inspection) = 0;

  /// Ends a job that is not leased (a failed dependency, too many attempts). An inspection is kept with its subject.
  /// @error kAborted: it has ended or was leased meanwhile
  [[nodiscard]] virtual base::Result<void> fail_job(const Job& job, const std::optional<Inspection>& inspection) = 0;

  /// Takes back leases that ended before `now`, and running jobs without a lease: back to kCreated while attempt <
  /// max_attempts; the others are returned for the caller to fail (no longer leased, state kept).
  [[nodiscard]] virtual base::Result<std::vector<Job>> take_back_leases(base::Time now, int max_attempts) = 0;

  /// Puts the jobs that an agent holds back into the queue, as if the current attempt had not begun. @return their ids
  [[nodiscard]] virtual base::Result<std::vector<std::string>> hand_back_leases(const std::string& agent_id,
                                                                                base::Time now) = 0;

  /// Queued jobs whose model's producer has failed.
  [[nodiscard]] virtual base::Result<std::vector<Job>> orphaned_jobs() const = 0;

  /// Jobs ahead of this one in the queue.
  [[nodiscard]] virtual base::Result<std::uint64_t> queue_position(const std::string& job_id) const = 0;
};

}  // namespace slipway::hub::domain
