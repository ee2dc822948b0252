#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "hub/domain/options.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

/// What an agent is given to work on, and what lies in the job folder as spec.json.
struct JobSpec {
  Job job;  ///< without outcome
  JobOptions options;
  Model model;                      ///< subject or input; inspect jobs: the model whose upload is inspected
  Dataset dataset;                  ///< inputs or calibration data, if any
  bool subject_is_dataset = false;  ///< inspect jobs
  std::string model_file;           ///< name below in/, empty when there is none
  std::string dataset_file;
  std::map<std::string, std::string> companion_files;  ///< "source" -> "companion-source.onnx"
};

/// JSON documents with a "schema" field: "slipway-job-spec/1", "slipway-job-outcome/1", "slipway-inspection/1",
/// "slipway-device/1", and "slipway-model/1", "slipway-dataset/1", "slipway-job/1" for stores.
/// Unknown fields are skipped, absent ones keep their defaults. Infinite and undefined numbers are "inf", "-inf",
/// "nan".
/// @error kInvalidArgument: not JSON, another schema, a field of a wrong type (it is named)
[[nodiscard]] std::string to_document(const JobSpec& spec);
[[nodiscard]] base::Result<JobSpec> job_spec_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const JobOutcome& outcome);
[[nodiscard]] base::Result<JobOutcome> outcome_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const Inspection& inspection);
[[nodiscard]] base::Result<Inspection> inspection_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const Device& device);
[[nodiscard]] base::Result<Device> device_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const Model& model);
[[nodiscard]] base::Result<Model> model_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const Dataset& dataset);
[[nodiscard]] base::Result<Dataset> dataset_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const Job& job);
[[nodiscard]] base::Result<Job> job_from_document(std::string_view text);

}  // namespace slipway::hub::domain
