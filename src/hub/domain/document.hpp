#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/job.hpp"
#include "hub/domain/options.hpp"

namespace slipway::hub::domain {

/// What an agent is given to work on, and what lies in the job folder as spec.json.
struct JobSpec {
  struct InputModel {
    Model model;
    std::string file;                                    ///< name below in/
    std::map<std::string, std::string> companion_files;  ///< "source" -> "companion-source.onnx"
  };

  Job job;  ///< without outcome
  JobOptions options;
  std::optional<ExecutionPlan> plan;  ///< what is to run where; nothing for the hub's own jobs
  std::vector<InputModel> models;
  Dataset dataset;           ///< if any
  std::string dataset_file;  ///< name below in/, empty when there is none
};

/// JSON documents with a "schema" field: "slipway-job-spec/2", "slipway-job-outcome/1", "slipway-inspection/1",
/// "slipway-device/1", and "slipway-model/1", "slipway-dataset/1", "slipway-job/1" for stores.
/// A job's document holds its kind's payload beside the common fields, and no outcome: that is a document of its own,
/// with the fields of the kind's result. Unknown fields are skipped, absent ones keep their defaults. Infinite and
/// undefined numbers are "inf", "-inf", "nan".
/// @error kInvalidArgument: not JSON, another schema, a field of a wrong type (it is named)
[[nodiscard]] std::string to_document(const JobSpec& spec);
[[nodiscard]] base::Result<JobSpec> job_spec_from_document(std::string_view text);
[[nodiscard]] std::string to_document(const JobOutcome& outcome);
/// @param payload  of the job whose outcome it is
[[nodiscard]] base::Result<JobOutcome> outcome_from_document(std::string_view text, const JobPayload& payload);
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
