#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "hub/domain/document.hpp"
#include "hub/domain/types.hpp"
#include "runtime/environment.hpp"

namespace slipway::hub::executor {

/// A line of the job's log, for people.
using Log = std::function<void(std::string_view line)>;

/// What a job is carried out with.
struct Tools {
  /// Opens ONNX Runtime; called by the jobs that need it, so that an inspection never loads it.
  std::function<base::Result<std::shared_ptr<runtime::Environment>>()> open_environment;
  runtime::LibraryPaths libraries;
  std::string slipway_version;
};

/// Carries out one job: reads FOLDER/in, works in FOLDER/work, writes FOLDER/out. The outcome says everything that
/// happened; failures are typed and in words. Nothing outside the folder is touched and nothing is thrown.
/// @pre    in/, work/ and out/ exist; the process has locked itself in
/// @thread one call a process: the libraries below keep global state
[[nodiscard]] domain::JobOutcome execute(const domain::JobSpec& spec, const std::filesystem::path& folder,
                                         const Tools& tools, const Log& log);

}  // namespace slipway::hub::executor
