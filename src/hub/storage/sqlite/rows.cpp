#include "hub/storage/sqlite/rows.hpp"

#include "hub/domain/document.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

bool is_complete(UploadState state) {
  return state == UploadState::kComplete;
}

// A waiting job is ready when none of its models and no dataset is missing.
constexpr const char* kHasAll =
    "NOT EXISTS (SELECT 1 FROM job_inputs i JOIN models m ON m.id = i.input_id "
    "WHERE i.seq = jobs.seq AND m.available = 0) AND "
    "NOT EXISTS (SELECT 1 FROM job_inputs i JOIN datasets d ON d.id = i.input_id "
    "WHERE i.seq = jobs.seq AND d.available = 0)";

// Layers make up most of an outcome and lists do not show them, so they lie apart: an outcome with nothing but layers.
std::string layers_document(const Job& job, const std::vector<LayerProfile>& list) {
  JobOutcome layers;
  layers.result = empty_result(job.payload);
  part<kinds::RunResult>(layers.result)->profile.emplace().set_layers(list);
  return to_document(layers);
}

// The evidence of an outcome, if it is one that has any.
template <typename Outcome>
auto* evidence_of(Outcome& outcome) {
  auto* const run = part<kinds::RunResult>(outcome.result);
  return run != nullptr && run->profile ? &*run->profile : nullptr;
}

}  // namespace

Result<Model> read_model(Connection& connection, const std::string& id) {
  Query row = connection.query("SELECT document, name FROM models WHERE id = ?");
  if (!row.with(id).next()) return base::fail(Code::kNotFound, "no model {}", id);
  SLIPWAY_ASSIGN(Model model, model_from_document(row.text(0)));
  model.name = row.text(1);
  return model;
}

Result<void> insert_model_row(Connection& connection, const Model& model) {
  connection
      .query(
          "INSERT INTO models (id, owner_id, name, producer, complete, available, document) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .with(model.id, model.owner_id, model.name, model.producer_job_id, is_complete(model.upload), is_available(model),
            to_document(model))
      .run();
  return {};
}

Result<void> update_model_row(Connection& connection, const Model& model) {
  const int changed = connection.query("UPDATE models SET complete = ?, available = ?, document = ? WHERE id = ?")
                          .with(is_complete(model.upload), is_available(model), to_document(model), model.id)
                          .run();
  if (changed == 0) return base::fail(Code::kNotFound, "no model {}", model.id);
  return {};
}

Result<Dataset> read_dataset(Connection& connection, const std::string& id) {
  Query row = connection.query("SELECT document, name FROM datasets WHERE id = ?");
  if (!row.with(id).next()) return base::fail(Code::kNotFound, "no dataset {}", id);
  SLIPWAY_ASSIGN(Dataset dataset, dataset_from_document(row.text(0)));
  dataset.name = row.text(1);
  return dataset;
}

Result<void> insert_dataset_row(Connection& connection, const Dataset& dataset) {
  connection.query("INSERT INTO datasets (id, owner_id, name, complete, available, document) VALUES (?, ?, ?, ?, ?, ?)")
      .with(dataset.id, dataset.owner_id, dataset.name, is_complete(dataset.upload), is_available(dataset),
            to_document(dataset))
      .run();
  return {};
}

Result<void> update_dataset_row(Connection& connection, const Dataset& dataset) {
  const int changed = connection.query("UPDATE datasets SET complete = ?, available = ?, document = ? WHERE id = ?")
                          .with(is_complete(dataset.upload), is_available(dataset), to_document(dataset), dataset.id)
                          .run();
  if (changed == 0) return base::fail(Code::kNotFound, "no dataset {}", dataset.id);
  return {};
}

void make_ready(Connection& connection, const std::string& id) {
  connection
      .query(fmt::format("UPDATE jobs SET ready = 1 WHERE is_queued = 1 AND ready = 0 AND "
                         "seq IN (SELECT seq FROM job_inputs WHERE input_id = ?) AND {}",
                         kHasAll))
      .with(id)
      .run();
}

void insert_job_row(Connection& connection, const Job& job) {
  connection
      .query(
          "INSERT INTO jobs (id, kind, owner_id, name, needs, ready, state, is_queued, is_running, started, completed, "
          "updated, attempt, agent_id, lease_token, lease_until) "
          "VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(job.id, kind_of(job), job.owner_id, job.name, job.needs, job.state, is_queued(job.state),
            is_running(job.state), job.started, job.completed, job.updated, job.attempt, job.agent_id, job.lease_token,
            job.lease_until)
      .run();
  const std::int64_t seq = connection.database().getLastInsertRowid();
  connection.query("INSERT INTO job_documents (seq, document) VALUES (?, ?)").with(seq, to_document(job)).run();
  JobInputs inputs = inputs_of(job.payload);
  if (!inputs.dataset_id.empty()) inputs.model_ids.push_back(inputs.dataset_id);
  for (const std::string& id : inputs.model_ids) {
    connection.query("INSERT OR IGNORE INTO job_inputs (seq, input_id) VALUES (?, ?)").with(seq, id).run();
  }
  // The hub's own jobs need the bytes alone; everything else waits for what the inspection or the producer finds.
  connection.query(fmt::format("UPDATE jobs SET ready = 1 WHERE seq = ? AND is_queued = 1 AND (? OR ({}))", kHasAll))
      .with(seq, !entry_of(job.payload).is_submitted)
      .run();
  if (job.outcome) update_job_documents(connection, job);
}

std::string select_jobs(bool with_layers) {
  return fmt::format(
      "SELECT d.document, d.outcome, {}, j.name, j.state, j.started, j.completed, j.updated, j.attempt, j.agent_id, "
      "j.lease_token, j.lease_until FROM jobs j JOIN job_documents d ON d.seq = j.seq ",
      with_layers ? "d.layers" : "NULL");
}

Result<Job> job_of(const Query& row) {
  SLIPWAY_ASSIGN(Job job, job_from_document(row.text(0)));
  if (!row.is_null(1)) {
    SLIPWAY_ASSIGN(job.outcome, outcome_from_document(row.text(1), job.payload));
  }
  if (auto* const evidence = row.is_null(2) || !job.outcome ? nullptr : evidence_of(*job.outcome)) {
    SLIPWAY_ASSIGN(JobOutcome kept, outcome_from_document(row.text(2), job.payload));
    if (const auto* const found = evidence_of(kept)) evidence->set_layers(found->layers());
  }
  job.name = row.text(3);
  const auto state = state_of_number(row.number(4));
  if (!state) {
    return base::fail(Code::kDataLoss, "job {}: its row has the state {}, which no kind of jobs has", job.id,
                      row.number(4));
  }
  job.state = *state;
  job.started = row.optional_time(5);
  job.completed = row.optional_time(6);
  job.updated = row.time(7);
  job.attempt = static_cast<int>(row.number(8));
  job.agent_id = row.text(9);
  job.lease_token = row.text(10);
  job.lease_until = row.optional_time(11);
  return job;
}

Result<Job> read_job(Connection& connection, const std::string& id) {
  static const std::string sql = select_jobs(true) + "WHERE j.id = ?";
  Query row = connection.query(sql);
  if (!row.with(id).next()) return base::fail(Code::kNotFound, "no job {}", id);
  return job_of(row);
}

void update_job_documents(Connection& connection, const Job& job) {
  std::optional<std::string> outcome, layers;
  if (job.outcome) {
    JobOutcome slim = *job.outcome;
    if (auto* const evidence = evidence_of(slim); evidence != nullptr && !evidence->layers().empty()) {
      layers = layers_document(job, evidence->layers());
      evidence->set_layers({});
    }
    outcome = to_document(slim);
  }
  connection
      .query(
          "UPDATE job_documents SET document = ?, outcome = ?, layers = ? "
          "WHERE seq = (SELECT seq FROM jobs WHERE id = ?)")
      .with(to_document(job), outcome, layers, job.id)
      .run();
}

}  // namespace slipway::hub::storage
