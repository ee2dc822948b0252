#pragma once

#include <atomic>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "hub/domain/foundation.hpp"
#include "hub/domain/job.hpp"

namespace slipway::hub::domain {

/// How jobs end: with a result, with a failure, or because nothing else can become of them.
/// @thread safe from any thread
class JobEndings {
 public:
  explicit JobEndings(const Foundation& hub) : hub_(hub) {}

  /// Ends a leased job with what its process wrote.
  /// @param files  name below out/ -> blob already assembled; the caller's Pin holds them
  /// @error kAborted: the lease was lost; the result is dropped
  [[nodiscard]] base::Result<void> end_leased(Job job, const std::string& lease_token, JobOutcome outcome,
                                              const std::map<std::string, Blob>& files);
  /// Fails the jobs whose model will never come, and those that wait for their targets.
  void fail_orphans();

  /// Writes a line of the hub's own into a job's log.
  void note(const std::string& job_id, std::string_view text);
  /// Keeps a copy of the log with a job that ends. @param pin  lives until the job's row is written
  void attach_log(Job& job, BlobStore::Pin& pin);

  /// Takes no lease back before this time, whatever the rows say: a renewal could not be written.
  void hold_leases(base::Time until);

  /// Reclaims lost leases and fails jobs without hope. The first one renews the leases that it finds.
  [[nodiscard]] base::Result<void> sweep();

 private:
  [[nodiscard]] base::Result<Products> products_of(Job& job, const JobOutcome& outcome, const ResultFiles& files) const;
  [[nodiscard]] std::string reason_of_orphan(const Job& orphan) const;
  bool fail_unleased(Job job, FailureType type, const std::string& reason);  ///< false: it could not be failed

  const Foundation& hub_;
  std::atomic<bool> are_leases_known_ = false;  ///< the leases that an earlier process left have been renewed
  std::atomic<base::Time> leases_held_until_{base::Time{}};
};

}  // namespace slipway::hub::domain
