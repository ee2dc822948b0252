#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/actor.hpp"
#include "hub/domain/agents.hpp"
#include "hub/domain/contents.hpp"
#include "hub/domain/foundation.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/job_endings.hpp"

namespace slipway::hub::domain {

/// Jobs as users see them. Jobs of other users are answered with kNotFound, but administrators see everything.
/// @thread safe from any thread
class Jobs {
 public:
  Jobs(const Foundation& hub, const Contents& contents, const Agents& agents, JobEndings& endings)
      : hub_(hub), contents_(contents), agents_(agents), endings_(endings) {}

  /// Whether an upload behind a submission is still being inspected: the caller waits for up to 10 s.
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

 private:
  [[nodiscard]] base::Result<SourceModel> source_model(const Actor& actor, const std::string& id) const;
  [[nodiscard]] base::Result<JobFacts> facts_of(const Actor& actor, const Submission& submission) const;
  [[nodiscard]] base::Result<std::vector<Device>> known_devices(const std::vector<Device>& wanted) const;

  const Foundation& hub_;
  const Contents& contents_;
  const Agents& agents_;
  JobEndings& endings_;
};

}  // namespace slipway::hub::domain
