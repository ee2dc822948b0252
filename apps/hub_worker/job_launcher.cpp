#include "apps/hub_worker/job_launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/files.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
using base::Code;
using hub::domain::FailureType;
using hub::domain::JobKind;
using hub::domain::JobOutcome;

constexpr std::size_t kLastLines = 40;
constexpr std::uint64_t kLargestOutcomeBytes = 256U << 20;

std::uint64_t three_quarters_of_memory() {
  const auto pages = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_PHYS_PAGES)));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 4 * 3;
}

sandbox::Limits limits_for(const hub::domain::JobSpec& spec, const JobLimits& limits) {
  sandbox::Limits result;
  switch (spec.job.kind) {
    case JobKind::kInspect:
      result.wall_time = limits.inspect;
      break;
    case JobKind::kProfile:
    case JobKind::kInference:
      result.wall_time = limits.run_beyond_profiler_time + spec.options.max_profiler_time;
      break;
    default:
      result.wall_time = limits.compile;
  }
  result.memory_bytes = limits.memory_bytes != 0 ? limits.memory_bytes : three_quarters_of_memory();
  result.disk_bytes = limits.disk_bytes;
  result.file_bytes = limits.disk_bytes;
  return result;
}

/// How a process that left no outcome ended, in the client's words.
JobOutcome outcome_of_exit(const sandbox::Exit& exit, JobKind kind, const std::deque<std::string>& last_lines) {
  JobOutcome outcome;
  const std::string doing = last_lines.empty() ? "" : fmt::format("; the last line of its log: {}", last_lines.back());
  switch (exit.ending) {
    case sandbox::Ending::kTimedOut:
      outcome.failure_type = FailureType::kTimeout;
      break;
    case sandbox::Ending::kOutOfMemory:
      outcome.failure_type = FailureType::kOutOfMemory;
      break;
    case sandbox::Ending::kOutOfDisk:
      outcome.failure_type = FailureType::kOutOfDisk;
      break;
    case sandbox::Ending::kExited:
      outcome.failure_type = FailureType::kRuntimeUnknown;
      break;
    case sandbox::Ending::kSignalled:
    case sandbox::Ending::kTooManyProcesses:
    case sandbox::Ending::kCancelled:
      outcome.failure_type = FailureType::kRuntimeCrash;
      break;
  }
  outcome.failure_reason = fmt::format("the process of the {} job ended without a result: {}{}",
                                       hub::domain::kind_name(kind), exit.describe(), doing);
  outcome.error_details = fmt::format("{}", fmt::join(last_lines, "\n"));
  outcome.sandbox = exit.walls == "bubblewrap" ? "bubblewrap + limits" : "limits (no namespaces)";
  return outcome;
}

base::Result<JobOutcome> read_outcome(const fs::path& folder) {
  SLIPWAY_ASSIGN(const auto file, ResultFile::open(folder, "", "outcome.json"));
  SLIPWAY_ASSIGN(const auto text, base::read_file(file.path(), kLargestOutcomeBytes));
  return hub::domain::outcome_from_document(text);
}

}  // namespace

sandbox::Command command_for(const fs::path& program, const runtime::LibraryPaths& libraries, const fs::path& folder) {
  std::error_code error;
  const fs::path onnxruntime = fs::weakly_canonical(libraries.onnxruntime, error);
  sandbox::Command command;
  command.arguments = {program.string()};
  command.folder = folder;
  command.readable = {program, onnxruntime.parent_path()};
  command.environment = {
      {"PATH", "/usr/bin:/bin"},
      {"LANG", "C.UTF-8"},
      {"HOME", folder / "work"},
      {"TMPDIR", folder / "work"},
      {"SLIPWAY_ONNXRUNTIME", onnxruntime},
      {"SLIPWAY_QNN", ""},
  };
  if (!libraries.qnn_folder.empty()) {
    const fs::path qnn = fs::weakly_canonical(libraries.qnn_folder, error);
    command.environment.back().second = qnn;
    command.readable.push_back(qnn);
    command.readable.push_back(qnn.parent_path() / "onnxruntime_qnn.libs");
  }
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) command.environment.emplace_back(name, value);
  }
  return command;
}

JobOutcome launch_job(const fs::path& program, const runtime::LibraryPaths& libraries, const fs::path& folder,
                      const hub::domain::JobSpec& spec, const JobLimits& limits, const sandbox::LineSink& log,
                      std::stop_token cancel) {
  sandbox::Command command = command_for(program, libraries, folder);
  command.arguments.insert(command.arguments.end(), {"job", folder.string()});
  command.read_only = {folder / "in", folder / "spec.json"};
  std::deque<std::string> last_lines;
  const auto keep = [&](std::string_view line) {
    last_lines.emplace_back(line);
    if (last_lines.size() > kLastLines) last_lines.pop_front();
    if (log) log(line);
  };
  const auto exit = sandbox::run(command, limits_for(spec, limits), keep, std::move(cancel));
  if (!exit) {
    JobOutcome outcome;
    outcome.failure_type = FailureType::kInternal;
    outcome.failure_reason = "the job's process could not be started: " + exit.error().message;
    return outcome;
  }
  if (exit->dropped_log_bytes > 0) keep(fmt::format("[{} bytes of log were dropped]", exit->dropped_log_bytes));
  if (exit->succeeded()) {
    auto outcome = read_outcome(folder);
    if (outcome) return std::move(*outcome);
    keep(outcome.error().message);
  }
  return outcome_of_exit(*exit, spec.job.kind, last_lines);
}

base::Result<ResultFile> ResultFile::open(const fs::path& folder, std::string_view subfolder, std::string_view name) {
  const auto refused = [&](std::string_view why) {
    return base::fail(Code::kInvalidArgument, "the job's result \"{}\" {}", name, why);
  };
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    return refused("has a name that is no plain file name");
  }
  const fs::path parent = subfolder.empty() ? folder : folder / subfolder;
  const int directory = ::open(parent.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) return refused("cannot be opened: its folder is missing");
  const int descriptor =
      ::openat(directory, std::string(name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  const int reason = errno;
  ::close(directory);
  if (descriptor < 0) return refused(reason == ENOENT ? "is missing" : std::strerror(reason));
  ResultFile file(descriptor);
  struct stat about {};
  // A second name could be a file from elsewhere.
  if (::fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode) || about.st_nlink > 1) {
    return refused("is no plain file");
  }
  return file;
}

ResultFile::~ResultFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
ResultFile::ResultFile(ResultFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
ResultFile& ResultFile::operator=(ResultFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

fs::path ResultFile::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor_);
}

}  // namespace slipway::worker
