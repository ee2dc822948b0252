#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "hub/domain/document.hpp"
#include "hub/domain/job.hpp"
#include "runtime/environment.hpp"

namespace slipway::hub::executor {

/// A line of the job's log, for people.
using Log = std::function<void(std::string_view line)>;

/// Stores an outcome as it stands, for the case that this process does not live to write the last one.
using StoreOutcome = std::function<void(const domain::JobOutcome& so_far)>;

/// What a job is executed with.
struct Tools {
  /// Opens ONNX Runtime; called by the jobs that need it, so that an inspection never loads it.
  std::function<base::Result<std::shared_ptr<runtime::Environment>>()> open_environment;
  runtime::LibraryPaths libraries;
  std::string slipway_version;
  StoreOutcome store;  ///< may be empty
  StoreOutcome end;    ///< keeps an outcome and ends the process, for a job that meets its limit; may be empty
  std::optional<std::chrono::steady_clock::time_point> deadline;  ///< when this process will be ended
  std::uint64_t memory_bytes = 0;                                 ///< what it and its children may hold; 0: no limit
};

/// Executes one job: reads FOLDER/in, works in FOLDER/work, writes FOLDER/out. The outcome says everything that
/// happened; failures are typed and in words. Nothing outside the folder is touched and nothing is thrown.
/// @pre    in/, work/ and out/ exist; the process has locked itself in
/// @thread one call a process: the libraries below keep global state
[[nodiscard]] domain::JobOutcome execute(const domain::JobSpec& spec, const std::filesystem::path& folder,
                                         const Tools& tools, const Log& log);

}  // namespace slipway::hub::executor
