#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"
#include "hub/domain/document.hpp"
#include "runtime/environment.hpp"
#include "sandbox/run.hpp"

namespace slipway::worker {

/// What one job may use.
struct JobLimits {
  std::chrono::seconds time{30 * 60};
  std::uint64_t memory_bytes = 0;  ///< of all its processes together; 0: no limit
  std::uint64_t disk_bytes = 0;    ///< of its folder; 0: no limit
};

/// In work/ of the job folder: what libraries print in the job's process.
inline constexpr const char* kLibraryOutput = "library-output.log";

/// How a job's process learns of its limits, so that it can end within them by itself.
inline constexpr const char* kJobSecondsVariable = "SLIPWAY_JOB_SECONDS";
inline constexpr const char* kJobMemoryVariable = "SLIPWAY_JOB_MEMORY_BYTES";

/// The start of a command line for this program in the sandbox: the program, its libraries, an environment of its own.
[[nodiscard]] sandbox::Command command_for(const std::filesystem::path& program, const runtime::LibraryPaths& libraries,
                                           const std::filesystem::path& folder);

/// Runs `slipway-worker job FOLDER` in the sandbox and reads what it left. A process that crashed, or was stopped,
/// becomes an outcome with what it had written by then, a typed failure, the name of the signal or limit and the last
/// lines of its log. What libraries printed in a job that failed is added to the log.
/// @param folder  a job folder with spec.json and in/
[[nodiscard]] hub::domain::JobOutcome launch_job(const std::filesystem::path& program,
                                                 const runtime::LibraryPaths& libraries,
                                                 const std::filesystem::path& folder, const hub::domain::JobSpec& spec,
                                                 const JobLimits& limits, const sandbox::LineSink& log,
                                                 std::stop_token cancel);

/// A file that a job's process left, opened so that no link in its place leads anywhere else.
class ResultFile {
 public:
  /// @error kInvalidArgument: the name is no plain name, or what stands there is no plain file
  [[nodiscard]] static base::Result<ResultFile> open(const std::filesystem::path& folder, std::string_view subfolder,
                                                     std::string_view name);
  /// Another name of the open file, valid while this object lives.
  [[nodiscard]] std::filesystem::path path() const;

 private:
  explicit ResultFile(base::Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  base::Descriptor descriptor_;
};

}  // namespace slipway::worker
