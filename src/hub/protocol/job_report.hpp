#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/protocol/jobs.hpp"

namespace slipway::hub::protocol {

/// Where the files of a report can be fetched; an empty text means that there is none (yet).
struct ReportLinks {
  std::string model, dataset, target, output;
  std::vector<std::string> artifacts;  ///< one for each of Job::artifacts, in their order
};

/// A "slipway-job-report/1" JSON document: all that the page shows of a job. Of an emulated run it carries no time and
/// no memory figure; the compiler's estimate stands apart, under "compiler_estimate". Numbers that JSON cannot write
/// (an infinite signal-to-noise ratio) are texts.
[[nodiscard]] std::string encode_job_report(const JobView& view, std::optional<std::uint64_t> queue_position,
                                            const ReportLinks& links);

/// A "slipway-recent-jobs/1" JSON document: the newest jobs, without their results.
[[nodiscard]] std::string encode_recent_jobs(const std::vector<domain::Job>& jobs, std::uint64_t total);

/// A "slipway-job-log/1" JSON document: the log from byte `offset` on, cut after the last whole line while the job
/// runs, and the offset to ask with next.
[[nodiscard]] std::string encode_job_log(std::string_view log, std::uint64_t offset, bool is_finished);

}  // namespace slipway::hub::protocol
