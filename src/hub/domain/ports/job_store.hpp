#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/job_log.hpp"
#include "hub/domain/ports/page.hpp"

namespace slipway::hub::domain {

struct JobFilter {
  std::string owner_id;       ///< empty: everyone's
  std::string creator_email;  ///< as a client sends it; the hub turns it into owner_id, stores do not look at it
  std::string project_id;
  std::optional<std::vector<JobState>> states;  ///< nothing: all; an empty list matches no job
  std::vector<JobKind> kinds;                   ///< empty: all that users submit
  std::string model_id;                         ///< jobs that take this model; empty: any
  std::string dataset_id;                       ///< jobs that take this dataset; empty: any
};

/// Rows of jobs as users see them, and their logs. Each call is one transaction: after it returns, a crash loses
/// nothing of it, but where a call says otherwise.
/// @thread safe from any thread
class JobStore {
 public:
  virtual ~JobStore() = default;

  /// Inserts a job, queued or already failed, and with it the target model that it would produce. A queued job is
  /// ready at once when its model and dataset are inspected or produced, else it becomes so in the transaction that
  /// ends the inspection or the producer.
  [[nodiscard]] virtual base::Result<void> insert_job(const Job& job, const std::optional<Model>& target) = 0;
  [[nodiscard]] virtual base::Result<Job> job(const std::string& id) const = 0;
  /// Items come without outcome->profile->layers.
  [[nodiscard]] virtual base::Result<Listed<Job>> jobs(const JobFilter& filter, Page page) const = 0;
  [[nodiscard]] virtual base::Result<void> rename_job(const std::string& id, const std::string& name) = 0;

  /// Jobs ahead of this one in the queue.
  [[nodiscard]] virtual base::Result<std::uint64_t> queue_position(const std::string& job_id) const = 0;

  /// Appends to a job's log. Kept across a crash of the process at once, across a power cut from the job's completion
  /// on. At most kLogLimitBytes are kept; what is beyond is dropped, and the log says so once.
  /// @param lease_token  of the current lease; empty: the hub itself writes
  /// @error kAborted: the token is stale
  [[nodiscard]] virtual base::Result<void> append_log(const std::string& job_id, const std::string& lease_token,
                                                      std::string_view text) = 0;
  [[nodiscard]] virtual base::Result<std::string> log(const std::string& job_id) const = 0;
};

}  // namespace slipway::hub::domain
