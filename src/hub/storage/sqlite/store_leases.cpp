#include <algorithm>

#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/storage/sqlite/rows.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// The queue: jobs are leased, renewed, ended and reclaimed here. What each UPDATE asks for in its WHERE is the
// transition table of hub/domain/job_state.cpp: with each state a row carries what the table says of it.
namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

std::unexpected<base::Error> lease_lost(const std::string& job_id) {
  return base::fail(Code::kAborted, "the lease of job {} was lost", job_id);
}

// The oldest job that the agent may take: one look into the index for each kind and need, the hub's own before all.
std::optional<std::int64_t> next_in_queue(Connection& connection, const LeaseRequest& request) {
  std::vector<std::string> needs = request.offers;
  needs.emplace_back();
  std::optional<std::int64_t> oldest;
  for (const bool own_jobs : {true, false}) {
    for (const JobKind kind : request.kinds) {
      const KindEntry* const entry = find_kind(kind);
      if (entry == nullptr || entry->is_submitted == own_jobs) continue;
      for (const std::string& need : needs) {
        Query row = connection.query(
            "SELECT seq FROM jobs WHERE is_queued = 1 AND ready = 1 AND kind = ? AND needs = ? ORDER BY seq LIMIT 1");
        if (row.with(kind, need).next()) oldest = std::min(oldest.value_or(row.number(0)), row.number(0));
      }
    }
    if (oldest) break;
  }
  return oldest;
}

constexpr const char* kReturnLease =
    "UPDATE jobs SET state = ?, is_queued = 1, is_running = 0, attempt = attempt - 1, lease_token = '', "
    "lease_until = NULL, updated = ? WHERE is_running = 1 AND ";

// Keeps a finding with the model or dataset that it is about, as that is now.
Result<void> store_inspection(Connection& connection, const Job& job, const Inspection& inspection) {
  const JobInputs subject = inputs_of(job.payload);
  if (!subject.model_ids.empty()) {
    SLIPWAY_ASSIGN(Model model, read_model(connection, subject.model_ids.front()));
    apply_inspection(model, inspection);
    SLIPWAY_TRY(update_model_row(connection, model));
    make_ready(connection, model.id);
    return {};
  }
  SLIPWAY_ASSIGN(Dataset dataset, read_dataset(connection, subject.dataset_id));
  dataset.inspection = inspection;
  SLIPWAY_TRY(update_dataset_row(connection, dataset));
  make_ready(connection, dataset.id);
  return {};
}

// As a JSON list: those from which a job may come into this state.
std::string states_before(JobState state) {
  std::vector<int> numbers;
  for (const JobState from : all_states()) {
    if (may_follow(from, state)) numbers.push_back(static_cast<int>(from));
  }
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

// A row that ends: its lease token stays, so that a repeated completion is known again.
int end_row(Connection& connection, const Job& job, const std::string& lease_token) {
  return connection
      .query(
          "UPDATE jobs SET state = ?, is_queued = ?, is_running = ?, completed = ?, updated = ?, lease_until = NULL "
          "WHERE id = ? AND lease_token = ? AND state IN (SELECT value FROM json_each(?))")
      .with(job.state, is_queued(job.state), is_running(job.state), job.completed, job.updated, job.id, lease_token,
            states_before(job.state))
      .run();
}

}  // namespace

Result<std::optional<Job>> SqliteStore::lease_job(const LeaseRequest& request) {
  // Most polls find nothing; they need not wait for the writer.
  const auto waiting = database_->read([&](Connection& connection) -> Result<std::optional<std::int64_t>> {
    return next_in_queue(connection, request);
  });
  if (!waiting) return std::unexpected(waiting.error());
  if (!*waiting) return std::nullopt;
  return database_->write([&](Connection& connection) -> Result<std::optional<Job>> {
    const auto seq = next_in_queue(connection, request);
    if (!seq) return std::nullopt;
    static const std::string sql = select_jobs(true) + "WHERE j.seq = ?";
    Job job;
    {
      Query row = connection.query(sql);
      if (!row.with(*seq).next()) return base::fail(Code::kDataLoss, "job {} has no document", *seq);
      SLIPWAY_ASSIGN(job, job_of(row));
    }
    job.state = running_state(job);
    ++job.attempt;
    job.agent_id = request.agent_id;
    job.lease_token = request.lease_token;
    job.lease_until = request.until;
    job.started = request.now;
    job.updated = request.now;
    connection
        .query(
            "UPDATE jobs SET state = ?, is_queued = ?, is_running = ?, attempt = ?, agent_id = ?, lease_token = ?, "
            "lease_until = ?, started = ?, "
            "updated = ? WHERE seq = ?")
        .with(job.state, is_queued(job.state), is_running(job.state), job.attempt, job.agent_id, job.lease_token,
              job.lease_until, job.started, job.updated, *seq)
        .run();
    return job;
  });
}

Result<void> SqliteStore::renew_lease(const std::string& job_id, const std::string& lease_token, base::Time until) {
  return database_->write_soon([&](Connection& connection) -> Result<void> {
    const int renewed =
        connection.query("UPDATE jobs SET lease_until = ? WHERE id = ? AND lease_token = ? AND is_running = 1")
            .with(until, job_id, lease_token)
            .run();
    if (renewed == 0 || lease_token.empty()) return lease_lost(job_id);
    return {};
  });
}

Result<void> SqliteStore::complete_job(const Job& job, const std::string& lease_token,
                                       const std::optional<Model>& target, const std::optional<Dataset>& output,
                                       const std::optional<Inspection>& inspection) {
  if (lease_token.empty()) return lease_lost(job.id);
  return database_->write([&](Connection& connection) -> Result<void> {
    if (end_row(connection, job, lease_token) == 0) return lease_lost(job.id);
    update_job_documents(connection, job);
    if (target) {
      SLIPWAY_TRY(update_model_row(connection, *target));
      make_ready(connection, target->id);
    }
    if (output) SLIPWAY_TRY(insert_dataset_row(connection, *output));
    if (inspection) SLIPWAY_TRY(store_inspection(connection, job, *inspection));
    return {};
  });
}

Result<void> SqliteStore::fail_job(const Job& job, const std::optional<Inspection>& inspection) {
  return database_->write([&](Connection& connection) -> Result<void> {
    if (end_row(connection, job, "") == 0) {
      return base::fail(Code::kAborted, "job {} has ended or was leased meanwhile", job.id);
    }
    update_job_documents(connection, job);
    if (inspection) SLIPWAY_TRY(store_inspection(connection, job, *inspection));
    return {};
  });
}

base::Time SqliteStore::lease_time() const {
  return lease_clock_.now();
}

Result<std::vector<Job>> SqliteStore::reclaim_leases(base::Time lease_time, base::Time now, int max_attempts) {
  constexpr const char* kLost = "is_running = 1 AND (lease_until <= ? OR lease_until IS NULL)";
  const auto any = database_->read([&](Connection& connection) -> Result<bool> {
    return connection.query(fmt::format("SELECT 1 FROM jobs WHERE {} LIMIT 1", kLost)).with(lease_time).next();
  });
  if (!any) return std::unexpected(any.error());
  if (!*any) return std::vector<Job>{};
  return database_->write([&](Connection& connection) -> Result<std::vector<Job>> {
    connection.query(fmt::format("UPDATE jobs SET lease_token = '', lease_until = NULL, updated = ? WHERE {}", kLost))
        .with(now, lease_time)
        .run();
    connection
        .query(
            "UPDATE jobs SET state = ?, is_queued = 1, is_running = 0 "
            "WHERE is_running = 1 AND lease_until IS NULL AND attempt < ?")
        .with(JobState::kCreated, max_attempts)
        .run();
    std::vector<Job> hopeless;
    static const std::string sql = select_jobs(true) + "WHERE j.is_running = 1 AND j.lease_until IS NULL";
    Query row = connection.query(sql);
    while (row.next()) {
      SLIPWAY_ASSIGN(Job job, job_of(row));
      hopeless.push_back(std::move(job));
    }
    return hopeless;
  });
}

Result<std::vector<std::string>> SqliteStore::return_leases(const std::string& agent_id, base::Time now) {
  return database_->write([&](Connection& connection) -> Result<std::vector<std::string>> {
    std::vector<std::string> ids;
    Query row = connection.query("SELECT id FROM jobs WHERE is_running = 1 AND agent_id = ? AND lease_token <> ''");
    row.with(agent_id);
    while (row.next()) ids.push_back(row.text(0));
    connection.query(kReturnLease + std::string("agent_id = ? AND lease_token <> ''"))
        .with(JobState::kCreated, now, agent_id)
        .run();
    return ids;
  });
}

Result<void> SqliteStore::return_lease(const std::string& job_id, const std::string& lease_token, base::Time now) {
  return database_->write([&](Connection& connection) -> Result<void> {
    connection.query(kReturnLease + std::string("id = ? AND lease_token = ? AND lease_token <> ''"))
        .with(JobState::kCreated, now, job_id, lease_token)
        .run();
    return {};
  });
}

Result<void> SqliteStore::renew_all_leases(base::Time until) {
  return database_->write_soon([&](Connection& connection) -> Result<void> {
    connection.query("UPDATE jobs SET lease_until = ? WHERE is_running = 1 AND lease_until IS NOT NULL")
        .with(until)
        .run();
    return {};
  });
}

Result<std::vector<Job>> SqliteStore::orphaned_jobs() const {
  return database_->read([&](Connection& connection) -> Result<std::vector<Job>> {
    std::vector<Job> orphans;
    static const std::string sql = select_jobs(true) +
                                   "WHERE j.is_queued = 1 AND j.ready = 0 AND EXISTS (SELECT 1 FROM job_inputs i "
                                   "JOIN models m ON m.id = i.input_id JOIN jobs p ON p.id = m.producer "
                                   "WHERE i.seq = j.seq AND p.state = ?)";
    Query row = connection.query(sql);
    row.with(JobState::kFailed);
    while (row.next()) {
      SLIPWAY_ASSIGN(Job job, job_of(row));
      orphans.push_back(std::move(job));
    }
    return orphans;
  });
}

}  // namespace slipway::hub::storage
