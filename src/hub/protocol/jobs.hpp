#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/job.hpp"

namespace slipway::hub::protocol {

/// A job with everything around it that the wire and the page show.
struct JobView {
  domain::Job job;
  domain::User owner;
  std::vector<domain::Model> models;       ///< inputs
  std::optional<domain::Model> target;     ///< what it produces; there from submission on
  std::optional<domain::Dataset> dataset;  ///< inputs or calibration data
  std::optional<domain::Dataset> output;   ///< what it produced
  std::string hub_version;
};

/// A Job message: the arm of the oneof is that of the kind; profile jobs answer in the inference arm, as this client
/// wants, unless they came in the older one. Remarks become notices; an emulated run says so there in any case.
[[nodiscard]] std::string encode_job(const JobView& view);

/// A JobList and a JobSummaryList message; `total` counts all, regardless of paging.
[[nodiscard]] std::string encode_jobs(const std::vector<JobView>& views, std::uint64_t total);
[[nodiscard]] std::string encode_job_summaries(const std::vector<JobView>& views, std::uint64_t total);

/// A Job message that submits one.
/// @error kInvalidArgument: not such a message, no arm set, an input spec without an element type;
///        kUnimplemented: an arm of a kind that this hub does not have
[[nodiscard]] base::Result<domain::Submission> decode_submission(std::string_view bytes);

/// The name in a JobPublicUpdate message, if it holds one. @error kInvalidArgument: not such a message
[[nodiscard]] base::Result<std::optional<std::string>> decode_job_name(std::string_view bytes);

/// A JobResult message, or nothing: the job has not ended well, or its kind has no result.
/// ProfileDetail is version 1.7. Of an emulated run every time and memory field is there and zero, and layers carry
/// their units without a time.
[[nodiscard]] std::optional<std::string> encode_job_result(const JobView& view);

}  // namespace slipway::hub::protocol
