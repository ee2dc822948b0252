#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/actor.hpp"
#include "hub/domain/devices.hpp"
#include "hub/domain/document.hpp"
#include "hub/domain/foundation.hpp"
#include "hub/domain/job_endings.hpp"

namespace slipway::hub::domain {

struct AgentRegistration {
  std::string name;             ///< for people; several agents may have it
  std::string instance;         ///< random, of the agent's process: tells agents apart; empty: the name does
  std::string successor_of;     ///< an instance that is known to be gone; may be empty
  std::vector<Device> devices;  ///< offered; presence and agent_id are set by the hub
  std::vector<Framework> frameworks;
};

/// A file of a result that has been uploaded in parts.
struct ResultFile {
  std::string name;  ///< below out/ of the job folder
  std::string upload_id;
  std::vector<std::string> etags;  ///< of the parts in order
};

/// The agents that are there, the devices they offer beside those of the catalogue, and the jobs they execute. The
/// token of an agent has Scope::kAgent.
/// @thread safe from any thread
class Agents {
 public:
  Agents(const Foundation& hub, JobEndings& endings, std::vector<Device> catalogue);

  /// Attached ones first, then the catalogue.
  [[nodiscard]] std::vector<Device> devices() const;
  [[nodiscard]] base::Result<std::vector<Device>> match(const DeviceQuery& query) const;
  [[nodiscard]] std::vector<Framework> frameworks() const;
  /// The needs (Job::needs) that some agent meets now.
  [[nodiscard]] std::vector<std::string> offers() const;

  /// Agents live in memory: after a restart of the hub lease() answers kNotFound and the agent registers again. An
  /// instance that registers again keeps its id; its predecessor's registration ends, whose jobs wait for the end of
  /// their leases. One that is silent for 90 s offers its devices no more.
  [[nodiscard]] base::Result<std::string> register_agent(const Actor& actor, const AgentRegistration& registration);
  /// Checks what could not be known at submission (data against a model produced since) and fails such a job itself.
  /// Nothing when there is no work; the transport polls again when the change listener fires, for up to 30 s.
  [[nodiscard]] base::Result<std::optional<JobSpec>> lease(const Actor& actor, const std::string& agent_id,
                                                           const std::vector<JobKind>& kinds);
  /// The agent ends: its devices go, and what it holds waits for the next agent at once instead of for the end of the
  /// lease. An attempt returned so does not count. An id that the hub does not know (any more) is no error.
  [[nodiscard]] base::Result<void> leave(const Actor& actor, const std::string& agent_id);
  [[nodiscard]] base::Result<base::Time> renew(const Actor& actor, const std::string& job_id,
                                               const std::string& lease_token);
  [[nodiscard]] base::Result<void> append_log(const Actor& actor, const std::string& job_id,
                                              const std::string& lease_token, std::string_view lines);
  /// Opens an upload for a result file; the upload's id goes into complete()'s file table.
  [[nodiscard]] base::Result<Upload> plan_result_upload(const Actor& actor, const std::string& job_id,
                                                        const std::string& lease_token, std::uint64_t file_size);
  /// The bytes of a result file that is read, not kept: a large outcome's document.
  /// @error as complete(); kResourceExhausted: more than `limit_bytes`
  [[nodiscard]] base::Result<std::string> result_text(const Actor& actor, const std::string& job_id,
                                                      const std::string& lease_token, const ResultFile& file,
                                                      std::uint64_t limit_bytes);
  /// Assembles the files that the outcome names, checks that they are what was announced, and ends the job.
  /// @param outcome_document  "slipway-job-outcome/1", read as the kind of the job says
  /// @error kAborted: the lease was lost; the result is dropped; kInvalidArgument, kFailedPrecondition: a file is not
  ///        what was announced, or the document is none; kPermissionDenied: it is another job's
  [[nodiscard]] base::Result<void> complete(const Actor& actor, const std::string& job_id,
                                            const std::string& lease_token, std::string_view outcome_document,
                                            const std::vector<ResultFile>& files);

 private:
  struct Agent {
    AgentRegistration registration;
    base::Instant last_seen;
  };

  [[nodiscard]] base::Result<Job> leased_job(const Actor& actor, const std::string& id,
                                             const std::string& lease_token) const;
  [[nodiscard]] base::Result<std::map<std::string, Blob>> assemble(BlobStore::Pin& pin, const std::string& job_id,
                                                                   const std::vector<ResultFile>& files);
  [[nodiscard]] base::Result<JobSpec> spec_of(const Job& job) const;
  [[nodiscard]] std::vector<Agent> live_agents() const;
  [[nodiscard]] static bool is_silent(const Agent& agent, base::Instant now);
  /// With its id where several have its name. @pre agents_mutex_ is held
  [[nodiscard]] std::string shown_name(const Agent& agent, const std::string& id) const;
  void touch_agent(const std::string& agent_id);
  [[nodiscard]] bool is_registered(const std::string& agent_id) const;
  [[nodiscard]] base::Result<void> return_leases(const std::string& agent_id);

  const Foundation& hub_;
  JobEndings& endings_;
  std::vector<Device> catalogue_;
  mutable std::mutex agents_mutex_;
  std::vector<std::pair<std::string, Agent>> agents_;  ///< in the order of their first registration
};

}  // namespace slipway::hub::domain
