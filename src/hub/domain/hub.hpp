#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "hub/domain/devices.hpp"
#include "hub/domain/document.hpp"
#include "hub/domain/ports/blob_store.hpp"
#include "hub/domain/ports/metadata_store.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

struct HubSettings {
  std::uint64_t part_size_bytes = 64ULL << 20;
  std::uint64_t max_upload_bytes = 64ULL << 30;
  std::chrono::seconds lease_duration{30};
  int max_attempts = 3;
  std::chrono::hours dataset_lifetime{30 * 24};
  std::string hub_version;
};

/// Who is asking.
struct Actor {
  User user;
  Scope scope = Scope::kUser;
};

struct NewToken {
  Token token;
  std::string text;  ///< shown once: "slw_" + 32 characters + checksum
};

struct NewModel {
  std::string name;
  ModelType type = ModelType::kOnnx;
  bool is_directory = false;
  std::string project_id;
};
struct NewDataset {
  std::string name;
  bool permanent = false;
  std::string project_id;
};

/// A submission as the wire gives it; the kind says which fields count.
struct Submission {
  JobKind kind = JobKind::kCompile;
  std::string name;
  std::string model_id;
  std::vector<Device> devices;  ///< name, os and attributes as the client sends them
  std::string options;
  InputSpecs input_specs;
  std::string dataset_id;  ///< inputs or calibration data
  bool is_profiling = false;
  bool answer_as_profile_job = false;
  std::string project_id;
};

struct AgentRegistration {
  std::string name;
  std::vector<Device> devices;  ///< offered; presence and agent_id are set by the hub
  std::vector<Framework> frameworks;
};

/// The hub's rules. Holds no bytes and runs no model; every entry is safe to call from any thread.
///
/// Ownership: entries of other users are answered with kNotFound until sharing exists; administrators see everything.
class Hub {
  struct Agent {
    AgentRegistration registration;
    base::Time last_seen;
  };

 public:
  Hub(HubSettings settings, MetadataStore& metadata, BlobStore& blobs, const base::Clock& clock, base::IdSource& ids,
      std::vector<Device> catalogue);

  /// Called after every change that a waiting request may be interested in (job queued or ended, inspection done,
  /// agent registered). Set once, before requests are served.
  void set_change_listener(std::function<void()> listener);

  // Users and tokens
  [[nodiscard]] base::Result<User> user(const std::string& id) const;
  [[nodiscard]] base::Result<User> ensure_user(const std::string& email, Role role);
  [[nodiscard]] base::Result<NewToken> create_token(const std::string& user_id, const std::string& name, Scope scope);
  [[nodiscard]] base::Result<std::vector<Token>> tokens() const;
  [[nodiscard]] base::Result<void> revoke_token(const std::string& id);
  /// @error kUnauthenticated
  [[nodiscard]] base::Result<Actor> authenticate(std::string_view token_text);
  /// Trades a token for a web session's cookie value. @error kUnauthenticated
  [[nodiscard]] base::Result<std::string> sign_in(std::string_view token_text);
  [[nodiscard]] base::Result<Actor> authenticate_web_session(std::string_view cookie);
  void sign_out(std::string_view cookie);

  // Devices: attached ones first, then the catalogue
  [[nodiscard]] std::vector<Device> devices() const;
  [[nodiscard]] base::Result<std::vector<Device>> match(const DeviceQuery& query) const;
  [[nodiscard]] std::vector<Framework> frameworks() const;

  // Models and datasets
  [[nodiscard]] base::Result<Model> create_model(const Actor& actor, const NewModel& request);
  /// @param file_size  nothing when an older client does not say
  /// @error kInvalidArgument: an empty file; kResourceExhausted: larger than the limit; kFailedPrecondition: uploaded
  [[nodiscard]] base::Result<Upload> plan_model_upload(const Actor& actor, const std::string& id,
                                                       std::optional<std::uint64_t> file_size);
  /// Idempotent. Entity tags may come with the quotes that HTTP puts around them.
  [[nodiscard]] base::Result<Model> complete_model_upload(const Actor& actor, const std::string& id,
                                                          const std::string& upload_id,
                                                          const std::vector<std::string>& etags);
  [[nodiscard]] base::Result<Model> model(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Model> rename_model(const Actor& actor, const std::string& id, const std::string& name);
  [[nodiscard]] base::Result<Listed<Model>> models(const Actor& actor, const std::string& producer, Page page) const;
  [[nodiscard]] base::Result<Dataset> create_dataset(const Actor& actor, const NewDataset& request);
  [[nodiscard]] base::Result<Upload> plan_dataset_upload(const Actor& actor, const std::string& id,
                                                         std::optional<std::uint64_t> file_size);
  [[nodiscard]] base::Result<Dataset> complete_dataset_upload(const Actor& actor, const std::string& id);
  [[nodiscard]] base::Result<Dataset> dataset(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Listed<Dataset>> datasets(const Actor& actor, Page page) const;

  /// The upload behind an asset URL; parts are written straight to the blob store.
  /// @error kNotFound: unknown or expired
  [[nodiscard]] base::Result<Upload> upload(const std::string& upload_id) const;
  /// Remembers the tag of a form upload's only part.
  [[nodiscard]] base::Result<void> note_form_upload(const std::string& upload_id, const std::string& etag);

  /// A file that may be fetched: bytes and the name for the local copy.
  struct Download {
    Blob blob;
    std::string filename;
  };
  /// @error kNotFound; kFailedPrecondition: not uploaded or not produced (yet); says which
  [[nodiscard]] base::Result<Download> model_download(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Download> dataset_download(const Actor& actor, const std::string& id) const;

  // Jobs
  /// Ids of uploads behind a submission whose inspection is still under way: the caller waits for up to 10 s.
  [[nodiscard]] bool inspections_pending(const Actor& actor, const Submission& submission) const;
  /// Checks everything that can be known now and queues the job.
  /// @error kInvalidArgument, kNotFound, kFailedPrecondition, kUnimplemented, in words for the user
  [[nodiscard]] base::Result<Job> submit(const Actor& actor, const Submission& submission);
  [[nodiscard]] base::Result<Job> job(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<Listed<Job>> jobs(const Actor& actor, const JobFilter& filter, Page page) const;
  [[nodiscard]] base::Result<void> rename_job(const Actor& actor, const std::string& id, const std::string& name);
  [[nodiscard]] base::Result<std::vector<Download>> artifacts(const Actor& actor, const std::string& job_id,
                                                              ArtifactType type) const;
  [[nodiscard]] base::Result<std::uint64_t> queue_position(const Actor& actor, const std::string& job_id) const;
  /// The log so far, also of a running job.
  [[nodiscard]] base::Result<std::string> log(const Actor& actor, const std::string& job_id) const;

  // Agents. The token of an agent has Scope::kAgent.
  /// Agents live in memory: after a restart of the hub lease() answers kNotFound and the agent registers again. A name
  /// registered again replaces the earlier registration. One that is silent for 90 s offers its devices no more.
  [[nodiscard]] base::Result<std::string> register_agent(const Actor& actor, const AgentRegistration& registration);
  /// Checks what could not be known at submission (data against a model produced since) and fails such a job itself.
  /// Nothing when there is no work; the transport polls again when the change listener fires, for up to 30 s.
  [[nodiscard]] base::Result<std::optional<JobSpec>> lease(const Actor& actor, const std::string& agent_id,
                                                           const std::vector<JobKind>& kinds);
  /// The agent ends: its devices go, and what it holds waits for the next agent at once instead of for the end of the
  /// lease. An attempt handed back so does not count. An id that the hub does not know (any more) is no error.
  [[nodiscard]] base::Result<void> leave(const Actor& actor, const std::string& agent_id);
  [[nodiscard]] base::Result<base::Time> renew(const Actor& actor, const std::string& job_id,
                                               const std::string& lease_token);
  [[nodiscard]] base::Result<void> append_log(const Actor& actor, const std::string& job_id,
                                              const std::string& lease_token, std::string_view lines);
  /// Opens an upload for a result file; the upload's id goes into complete()'s file table.
  [[nodiscard]] base::Result<Upload> plan_result_upload(const Actor& actor, const std::string& job_id,
                                                        const std::string& lease_token, std::uint64_t file_size);
  /// @param files  name below out/ -> blob already assembled
  /// @error kAborted: the lease was lost; the result is dropped
  [[nodiscard]] base::Result<void> complete(const Actor& actor, const std::string& job_id,
                                            const std::string& lease_token, const JobOutcome& outcome,
                                            const std::map<std::string, Blob>& files);

  /// Takes back lost leases, fails jobs without hope, forgets expired uploads. Called every second by the server.
  void sweep();

  [[nodiscard]] const HubSettings& settings() const { return settings_; }
  [[nodiscard]] base::Time now() const { return clock_.now(); }
  [[nodiscard]] BlobStore& blobs() { return blobs_; }

 private:
  [[nodiscard]] base::Result<Upload> plan_upload(const std::string& subject_id, std::optional<std::uint64_t> file_size);
  [[nodiscard]] base::Result<Blob> assemble(const Upload& upload, const std::vector<std::string>& etags);
  [[nodiscard]] Job inspection_of(const std::string& owner_id, const std::string& model_id,
                                  const std::string& dataset_id);
  [[nodiscard]] base::Result<std::vector<Device>> known_devices(const std::vector<Device>& wanted) const;
  [[nodiscard]] base::Result<Job> own_job(const Actor& actor, const std::string& id) const;

  [[nodiscard]] base::Result<Job> leased_job(const Actor& actor, const std::string& id,
                                             const std::string& lease_token) const;
  [[nodiscard]] base::Result<JobSpec> spec_of(const Job& job) const;
  [[nodiscard]] std::vector<Agent> live_agents() const;
  void touch_agent(const std::string& agent_id);
  [[nodiscard]] bool is_registered(const std::string& agent_id) const;
  [[nodiscard]] base::Result<void> hand_back(const std::string& agent_id);

  void note(const std::string& job_id, std::string_view text);
  void attach_log(Job& job);
  [[nodiscard]] base::Result<void> end_leased(Job job, const std::string& lease_token, JobOutcome outcome,
                                              const std::map<std::string, Blob>& files);
  bool fail_unleased(Job job, FailureType type, const std::string& reason);  ///< false: it could not be failed
  void fail_orphans();
  void changed() const;

  HubSettings settings_;
  MetadataStore& metadata_;
  BlobStore& blobs_;
  const base::Clock& clock_;
  base::IdSource& ids_;
  std::vector<Device> catalogue_;
  std::function<void()> listener_;
  mutable std::mutex agents_mutex_;
  std::vector<std::pair<std::string, Agent>> agents_;  ///< in the order of their first registration
};

}  // namespace slipway::hub::domain
