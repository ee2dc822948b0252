#include <algorithm>

#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/storage/memory/memory_store.hpp"

// The queue of leases.
namespace slipway::hub::storage {

using base::Code;
using base::Result;
using namespace domain;

std::unexpected<base::Error> MemoryStore::lease_lost(const std::string& job_id) {
  return base::fail(Code::kAborted, "the lease of job {} was lost", job_id);
}

bool MemoryStore::is_ready(const Job& job) const {
  if (!entry_of(job.payload).is_submitted) return true;
  const JobInputs inputs = inputs_of(job.payload);
  const Dataset* dataset = datasets_.find(inputs.dataset_id);
  return (dataset == nullptr || is_available(*dataset)) &&
         std::ranges::all_of(inputs.model_ids, [&](const std::string& id) {
           const Model* model = models_.find(id);
           return model == nullptr || is_available(*model);
         });
}

Job* MemoryStore::leased(const std::string& job_id, const std::string& lease_token) {
  Job* job = jobs_.find(job_id);
  const bool is_current =
      job != nullptr && is_running(job->state) && !lease_token.empty() && job->lease_token == lease_token;
  return is_current ? job : nullptr;
}

base::Time MemoryStore::lease_time() const {
  return lease_clock_.now();
}

Result<std::optional<Job>> MemoryStore::lease_job(const LeaseRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const bool own_jobs : {true, false}) {
    for (Job& job : jobs_.rows) {
      const bool is_offered = job.needs.empty() || std::ranges::find(request.offers, job.needs) != request.offers.end();
      const bool is_asked_for = std::ranges::find(request.kinds, kind_of(job)) != request.kinds.end();
      if (!is_queued(job.state) || entry_of(job.payload).is_submitted == own_jobs || !is_asked_for || !is_offered ||
          !is_ready(job)) {
        continue;
      }
      job.state = running_state(job);
      ++job.attempt;
      job.agent_id = request.agent_id;
      job.lease_token = request.lease_token;
      job.lease_until = request.until;
      job.started = job.updated = request.now;
      return job;
    }
  }
  return std::nullopt;
}

Result<void> MemoryStore::renew_lease(const std::string& job_id, const std::string& lease_token, base::Time until) {
  const std::lock_guard lock(mutex_);
  Job* job = leased(job_id, lease_token);
  if (job == nullptr) return lease_lost(job_id);
  job->lease_until = until;
  return {};
}

bool MemoryStore::end(const Job& job, const std::string& lease_token) {
  Job* known = jobs_.find(job.id);
  if (known == nullptr || known->lease_token != lease_token || !may_follow(known->state, job.state)) return false;
  Job ended = job;
  // What has its own way of changing stays as it is. The token stays too, so that a repeated completion is known again.
  ended.name = known->name;
  ended.started = known->started;
  ended.attempt = known->attempt;
  ended.agent_id = known->agent_id;
  ended.lease_token = known->lease_token;
  ended.lease_until.reset();
  *known = std::move(ended);
  return true;
}

void MemoryStore::store_inspection(const Job& job, const Inspection& inspection) {
  const JobInputs subject = inputs_of(job.payload);
  if (!subject.model_ids.empty()) {
    if (Model* model = models_.find(subject.model_ids.front())) apply_inspection(*model, inspection);
  } else if (Dataset* dataset = datasets_.find(subject.dataset_id)) {
    dataset->inspection = inspection;
  }
}

Result<void> MemoryStore::complete_job(const Job& job, const std::string& lease_token,
                                       const std::optional<Model>& target, const std::optional<Dataset>& output,
                                       const std::optional<Inspection>& inspection) {
  const std::lock_guard lock(mutex_);
  if (lease_token.empty() || leased(job.id, lease_token) == nullptr) return lease_lost(job.id);
  Model* known = target ? models_.find(target->id) : nullptr;
  if (target && known == nullptr) return base::fail(Code::kNotFound, "no model {}", target->id);
  if (output) SLIPWAY_TRY(datasets_.insert(*output));
  if (!end(job, lease_token)) return lease_lost(job.id);
  if (known != nullptr) {
    const std::string name = known->name;
    *known = *target;
    known->name = name;
  }
  if (inspection) store_inspection(job, *inspection);
  return {};
}

Result<void> MemoryStore::fail_job(const Job& job, const std::optional<Inspection>& inspection) {
  const std::lock_guard lock(mutex_);
  if (!end(job, "")) return base::fail(Code::kAborted, "job {} has ended or was leased meanwhile", job.id);
  if (inspection) store_inspection(job, *inspection);
  return {};
}

Result<std::vector<Job>> MemoryStore::reclaim_leases(base::Time lease_time, base::Time now, int max_attempts) {
  const std::lock_guard lock(mutex_);
  std::vector<Job> hopeless;
  for (Job& job : jobs_.rows) {
    if (!is_running(job.state) || (job.lease_until && *job.lease_until > lease_time)) continue;
    job.lease_token.clear();
    job.lease_until.reset();
    job.updated = now;
    if (job.attempt < max_attempts) {
      job.state = JobState::kCreated;
    } else {
      hopeless.push_back(job);
    }
  }
  return hopeless;
}

Result<void> MemoryStore::renew_all_leases(base::Time until) {
  const std::lock_guard lock(mutex_);
  for (Job& job : jobs_.rows) {
    if (is_running(job.state) && job.lease_until) job.lease_until = until;
  }
  return {};
}

void MemoryStore::requeue(Job& job, base::Time now) {
  job.state = JobState::kCreated;
  --job.attempt;
  job.lease_token.clear();
  job.lease_until.reset();
  job.updated = now;
}

Result<void> MemoryStore::return_lease(const std::string& job_id, const std::string& lease_token, base::Time now) {
  const std::lock_guard lock(mutex_);
  if (Job* job = leased(job_id, lease_token)) requeue(*job, now);
  return {};
}

Result<std::vector<std::string>> MemoryStore::return_leases(const std::string& agent_id, base::Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (Job& job : jobs_.rows) {
    if (!is_running(job.state) || job.agent_id != agent_id || job.lease_token.empty()) continue;
    requeue(job, now);
    ids.push_back(job.id);
  }
  return ids;
}

Result<std::vector<Job>> MemoryStore::orphaned_jobs() const {
  const std::lock_guard lock(mutex_);
  std::vector<Job> orphans;
  for (const Job& job : jobs_.rows) {
    if (!is_queued(job.state) || is_ready(job)) continue;
    const auto will_never_come = [&](const std::string& id) {
      const Model* model = models_.find(id);
      const Job* producer = model == nullptr ? nullptr : jobs_.find(model->producer_job_id);
      return producer != nullptr && producer->state == JobState::kFailed;
    };
    if (std::ranges::any_of(inputs_of(job.payload).model_ids, will_never_come)) orphans.push_back(job);
  }
  return orphans;
}

}  // namespace slipway::hub::storage
