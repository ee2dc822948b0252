#include <algorithm>

#include "hub/domain/job_state.hpp"
#include "hub/storage/sqlite/rows.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// Jobs as users see them, and their logs.
namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

// Numbers as a JSON list, so that one prepared statement serves any filter.
template <typename T>
std::string number_list(const std::vector<T>& values) {
  std::vector<int> numbers;
  std::ranges::transform(values, std::back_inserter(numbers), [](T value) { return static_cast<int>(value); });
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

}  // namespace

Result<void> SqliteStore::insert_job(const Job& job, const std::optional<Model>& target) {
  return database_->write([&](Connection& connection) -> Result<void> {
    if (target) SLIPWAY_TRY(insert_model_row(connection, *target));
    insert_job_row(connection, job);
    return {};
  });
}

Result<Job> SqliteStore::job(const std::string& id) const {
  return database_->read([&](Connection& connection) { return read_job(connection, id); });
}

Result<Listed<Job>> SqliteStore::jobs(const JobFilter& filter, Page page) const {
  return database_->read([&](Connection& connection) -> Result<Listed<Job>> {
    const auto kinds = filter.kinds.empty() ? submitted_kinds() : filter.kinds;
    std::string where = "WHERE kind IN (SELECT value FROM json_each(?)) ";
    if (!filter.owner_id.empty()) where += "AND owner_id = ? ";
    if (filter.states) where += "AND state IN (SELECT value FROM json_each(?)) ";
    for (const std::string* input : {&filter.model_id, &filter.dataset_id}) {
      if (!input->empty()) where += "AND seq IN (SELECT seq FROM job_inputs WHERE input_id = ?) ";
    }
    const auto bind = [&](Query& query) -> Query& {
      query.bind(number_list(kinds));
      if (!filter.owner_id.empty()) query.bind(filter.owner_id);
      if (filter.states) query.bind(number_list(*filter.states));
      if (!filter.model_id.empty()) query.bind(filter.model_id);
      if (!filter.dataset_id.empty()) query.bind(filter.dataset_id);
      return query;
    };
    Listed<Job> listed;
    Query count = connection.query("SELECT COUNT(*) FROM jobs " + where);
    if (bind(count).next()) listed.total = static_cast<std::uint64_t>(count.number(0));
    Query row = connection.query(select_jobs(false) + "WHERE j.seq IN (SELECT seq FROM jobs " + where +
                                 "ORDER BY seq DESC LIMIT ? OFFSET ?) ORDER BY j.seq DESC");
    bind(row).with(page.limit, page.offset);
    while (row.next()) {
      SLIPWAY_ASSIGN(Job job, job_of(row));
      listed.items.push_back(std::move(job));
    }
    return listed;
  });
}

Result<void> SqliteStore::rename_job(const std::string& id, const std::string& name) {
  return database_->write([&](Connection& connection) -> Result<void> {
    if (connection.query("UPDATE jobs SET name = ? WHERE id = ?").with(name, id).run() > 0) return {};
    return base::fail(Code::kNotFound, "no job {}", id);
  });
}

Result<std::uint64_t> SqliteStore::queue_position(const std::string& job_id) const {
  return database_->read([&](Connection& connection) -> Result<std::uint64_t> {
    Query row = connection.query(
        "SELECT COUNT(*) FROM jobs WHERE is_queued = 1 AND kind IN (SELECT value FROM json_each(?)) AND "
        "seq < (SELECT seq FROM jobs WHERE id = ? AND is_queued = 1)");
    return row.with(number_list(submitted_kinds()), job_id).next() ? static_cast<std::uint64_t>(row.number(0)) : 0;
  });
}

Result<void> SqliteStore::append_log(const std::string& job_id, const std::string& lease_token, std::string_view text) {
  return database_->write_soon([&](Connection& connection) -> Result<void> {
    if (!lease_token.empty()) {
      Query lease = connection.query("SELECT 1 FROM jobs WHERE id = ? AND lease_token = ? AND is_running = 1");
      if (!lease.with(job_id, lease_token).next()) {
        return base::fail(Code::kAborted, "the lease of job {} was lost", job_id);
      }
    }
    std::int64_t number = 0, total = 0;
    Query last =
        connection.query("SELECT number, total_bytes FROM job_logs WHERE job_id = ? ORDER BY number DESC LIMIT 1");
    if (last.with(job_id).next()) {
      number = last.number(0) + 1;
      total = last.number(1);
    }
    const LogPiece piece = next_log_piece(static_cast<std::size_t>(total), text);
    if (piece.text.empty()) return {};
    connection.query("INSERT INTO job_logs VALUES (?, ?, ?, ?)")
        .with(job_id, number, piece.total_bytes, piece.text)
        .run();
    return {};
  });
}

Result<std::string> SqliteStore::log(const std::string& job_id) const {
  return database_->read([&](Connection& connection) -> Result<std::string> {
    std::string text;
    Query row = connection.query("SELECT text FROM job_logs WHERE job_id = ? ORDER BY number");
    row.with(job_id);
    while (row.next()) text += row.text(0);
    return text;
  });
}

}  // namespace slipway::hub::storage
