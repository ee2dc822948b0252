#include "hub/domain/content_references.hpp"
#include "hub/domain/document.hpp"
#include "hub/storage/sqlite/rows.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// Which content rows speak of.
namespace slipway::hub::storage {
namespace {

using base::Result;
using namespace domain;

void add(std::set<std::string>& used, const std::vector<Blob>& content) {
  for (const Blob& blob : content) used.insert(blob.sha256);
}

}  // namespace

Result<std::set<std::string>> SqliteStore::content_in_use(base::Time now) const {
  return database_->read([&](Connection& connection) -> Result<std::set<std::string>> {
    std::set<std::string> used;
    Query models = connection.query("SELECT document FROM models");
    while (models.next()) {
      SLIPWAY_ASSIGN(const Model model, model_from_document(models.text(0)));
      add(used, content_of(model));
    }
    Query jobs = connection.query("SELECT document, outcome FROM job_documents");
    while (jobs.next()) {
      SLIPWAY_ASSIGN(const Job job, job_from_document(jobs.text(0)));
      add(used, content_of(job));
      if (jobs.is_null(1)) continue;
      SLIPWAY_ASSIGN(const JobOutcome outcome, outcome_from_document(jobs.text(1), job.payload));
      add(used, content_of(outcome));
    }
    Query datasets = connection.query("SELECT document FROM datasets");
    while (datasets.next()) {
      SLIPWAY_ASSIGN(const Dataset dataset, dataset_from_document(datasets.text(0)));
      if (dataset.expires && *dataset.expires <= now) {
        Query taken = connection.query(
            "SELECT 1 FROM job_inputs i JOIN jobs j ON j.seq = i.seq "
            "WHERE i.input_id = ? AND (j.is_queued = 1 OR j.is_running = 1)");
        if (!taken.with(dataset.id).next()) continue;
      }
      add(used, content_of(dataset));
    }
    return used;
  });
}

}  // namespace slipway::hub::storage
