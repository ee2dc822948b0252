#pragma once

#include <optional>
#include <string>

#include "hub/domain/job.hpp"
#include "hub/storage/sqlite/database.hpp"

/// Rows of models, datasets and jobs, shared by the files of the store. Each function works within the transaction of
/// its caller and lets SQLite's exceptions pass.
namespace slipway::hub::storage {

[[nodiscard]] base::Result<domain::Model> read_model(Connection& connection, const std::string& id);
[[nodiscard]] base::Result<void> insert_model_row(Connection& connection, const domain::Model& model);
/// Writes everything but the name, which has its own way of changing.
[[nodiscard]] base::Result<void> update_model_row(Connection& connection, const domain::Model& model);

[[nodiscard]] base::Result<domain::Dataset> read_dataset(Connection& connection, const std::string& id);
[[nodiscard]] base::Result<void> insert_dataset_row(Connection& connection, const domain::Dataset& dataset);
[[nodiscard]] base::Result<void> update_dataset_row(Connection& connection, const domain::Dataset& dataset);

/// Queued jobs that waited for this model or dataset and have all they need now become ready.
void make_ready(Connection& connection, const std::string& model_or_dataset_id);

void insert_job_row(Connection& connection, const domain::Job& job);
/// The columns that job_of() reads; a condition is to follow. `j` is the jobs table.
[[nodiscard]] std::string select_jobs(bool with_layers);
[[nodiscard]] base::Result<domain::Job> job_of(const Query& row);
[[nodiscard]] base::Result<domain::Job> read_job(Connection& connection, const std::string& id);
/// The document and the outcome of a job that has ended.
void update_job_documents(Connection& connection, const domain::Job& job);

}  // namespace slipway::hub::storage
