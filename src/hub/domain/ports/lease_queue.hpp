#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/job.hpp"

namespace slipway::hub::domain {

struct LeaseRequest {
  std::string agent_id;
  std::vector<JobKind> kinds;
  std::vector<std::string> offers;  ///< what Job::needs may say; the empty need is always met
  std::string lease_token;          ///< fresh
  base::Time now;                   ///< on the wall, for the job's times
  base::Time until;                 ///< of the lease, by lease_time()
};

/// Jobs as agents see them: leased, renewed, ended, reclaimed. Each call is one transaction that holds only while its
/// condition does, so that of several hands one wins.
/// @thread safe from any thread
class LeaseQueue {
 public:
  virtual ~LeaseQueue() = default;

  /// The time by which the ends of leases count. Where one process uses the store it advances steadily (LeaseClock);
  /// where several do it is the store's own, which they share.
  [[nodiscard]] virtual base::Time lease_time() const = 0;

  /// Leases the oldest queued job of the wanted kinds whose model and dataset are there (inspections first), with
  /// attempt + 1, its running state and the token. Nothing when there is none.
  [[nodiscard]] virtual base::Result<std::optional<Job>> lease_job(const LeaseRequest& request) = 0;

  /// @error kAborted: the token is not that of the current lease (the job was taken away)
  [[nodiscard]] virtual base::Result<void> renew_lease(const std::string& job_id, const std::string& lease_token,
                                                       base::Time until) = 0;

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

  /// Reclaims leases that have ended by `lease_time`, and running jobs without a lease: back to kCreated while
  /// attempt < max_attempts; the others are returned for the caller to fail (no longer leased, state kept).
  [[nodiscard]] virtual base::Result<std::vector<Job>> reclaim_leases(base::Time lease_time, base::Time now,
                                                                      int max_attempts) = 0;

  /// Gives every lease the same end: for a hub that starts, to which the ends that an earlier process wrote say
  /// nothing.
  [[nodiscard]] virtual base::Result<void> renew_all_leases(base::Time until) = 0;

  /// Puts one leased job back into the queue, as if the attempt had not begun. Nothing when the token is stale.
  [[nodiscard]] virtual base::Result<void> return_lease(const std::string& job_id, const std::string& lease_token,
                                                        base::Time now) = 0;

  /// Puts the jobs that an agent holds back into the queue, as if the current attempt had not begun. @return their ids
  [[nodiscard]] virtual base::Result<std::vector<std::string>> return_leases(const std::string& agent_id,
                                                                             base::Time now) = 0;

  /// Queued jobs whose model's producer has failed.
  [[nodiscard]] virtual base::Result<std::vector<Job>> orphaned_jobs() const = 0;
};

}  // namespace slipway::hub::domain
