#include "apps/hub_worker/job_launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "apps/hub_worker/job_process.hpp"
#include "base/files.hpp"
#include "hub/domain/job.hpp"
#include "hub/protocol/agent_messages.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
using base::Code;
using hub::domain::FailureType;
using hub::domain::JobOutcome;

constexpr std::size_t kLastLines = 40;
constexpr std::streamoff kTailBytes = 16 << 10;

sandbox::Limits sandbox_limits(const JobLimits& limits) {
  sandbox::Limits result;
  result.wall_time = limits.time;
  result.memory_bytes = limits.memory_bytes;
  result.disk_bytes = limits.disk_bytes;
  result.file_bytes = limits.disk_bytes;
  return result;
}

/// How a process that left no outcome ended, in the client's words.
/// @param last_words  of the job itself, empty: none
JobOutcome outcome_of_exit(const sandbox::Exit& exit, std::string_view kind, const std::string& last_words,
                           const std::deque<std::string>& last_lines) {
  JobOutcome outcome;
  const std::string doing = last_words.empty() ? "" : "; the last line of its log: " + last_words;
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
      outcome.failure_type = exit.status == kNoRoomStatus ? FailureType::kOutOfDisk : FailureType::kRuntimeUnknown;
      break;
    case sandbox::Ending::kSignalled:
    case sandbox::Ending::kTooManyProcesses:
    case sandbox::Ending::kCancelled:
      outcome.failure_type = FailureType::kRuntimeCrash;
      break;
  }
  outcome.failure_reason =
      fmt::format("the process of the {} job ended without a result: {}{}", kind, exit.describe(), doing);
  outcome.error_details = fmt::format("{}", fmt::join(last_lines, "\n"));
  outcome.sandbox = exit.isolation == "bubblewrap" ? "bubblewrap + limits" : "limits (no namespaces)";
  return outcome;
}

/// The outcome of a process that died after it had written what it had until then: as a result where the process called
/// it one, with words on what is missing; otherwise as a failure that shows it.
JobOutcome what_there_was(JobOutcome written, JobOutcome ended) {
  if (written.succeeded) {
    written.remarks.push_back(
        fmt::format("Partial: {}. What had been measured until then is kept.", ended.failure_reason));
  } else {
    written.failure_type = ended.failure_type;
    written.failure_reason = std::move(ended.failure_reason);
  }
  written.error_details = std::move(ended.error_details);
  written.sandbox = std::move(ended.sandbox);
  return written;
}

/// The last lines that libraries printed, but for those that they always print.
std::vector<std::string> library_lines(const fs::path& folder) {
  std::vector<std::string> lines;
  const auto file = ResultFile::open(folder, "work", kLibraryOutput);
  if (!file) return lines;
  std::ifstream text(file->path(), std::ios::binary);
  text.seekg(0, std::ios::end);
  text.seekg(std::max<std::streamoff>(0, std::streamoff(text.tellg()) - kTailBytes));
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line.find("# LIBNATIVE:") == std::string::npos) lines.push_back(std::move(line));
  }
  if (lines.size() > kLastLines) lines.erase(lines.begin(), lines.end() - kLastLines);
  return lines;
}

base::Result<JobOutcome> read_outcome(const fs::path& folder, const hub::domain::JobPayload& payload) {
  SLIPWAY_ASSIGN(const auto file, ResultFile::open(folder, "", "outcome.json"));
  SLIPWAY_ASSIGN(const auto text, base::read_file(file.path(), hub::protocol::agent::kLargestOutcomeBytes));
  return hub::domain::outcome_from_document(text, payload);
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
  command.environment.emplace_back(kJobSecondsVariable, std::to_string(limits.time.count()));
  command.environment.emplace_back(kJobMemoryVariable, std::to_string(limits.memory_bytes));
  command.read_only = {folder / "in", folder / "spec.json"};
  std::deque<std::string> last_lines;
  const auto record_line = [&](std::string_view line) {
    last_lines.emplace_back(line);
    if (last_lines.size() > kLastLines) last_lines.pop_front();
    if (log) log(line);
  };
  const auto exit = sandbox::run(command, sandbox_limits(limits), record_line, std::move(cancel));
  if (!exit) {
    JobOutcome outcome;
    outcome.failure_type = FailureType::kInternal;
    outcome.failure_reason = "the job's process could not be started: " + exit.error().message;
    return outcome;
  }
  if (exit->dropped_log_bytes > 0) record_line(fmt::format("[{} bytes of log were dropped]", exit->dropped_log_bytes));
  const std::string last_words = last_lines.empty() ? "" : last_lines.back();
  auto outcome = read_outcome(folder, spec.job.payload);
  if (!outcome && exit->succeeded()) record_line(outcome.error().message);
  const bool is_whole = exit->succeeded() && outcome;
  if (!is_whole || !outcome->succeeded) {
    for (const auto& line : library_lines(folder)) record_line("printed: " + line);
  }
  if (is_whole) return std::move(*outcome);
  auto ended = outcome_of_exit(*exit, hub::domain::entry_of(spec.job.payload).name, last_words, last_lines);
  if (exit->succeeded())
    ended.failure_reason = "the job's process left no outcome that can be used: " + outcome.error().message;
  return outcome ? what_there_was(std::move(*outcome), std::move(ended)) : ended;
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
  const base::Descriptor directory(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.is_open()) return refused("cannot be opened: its folder is missing");
  base::Descriptor file(
      ::openat(directory.get(), std::string(name).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.is_open()) return refused(errno == ENOENT ? "is missing" : std::strerror(errno));
  struct stat about {};
  // A second name could be a file from elsewhere.
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_nlink > 1) {
    return refused("is no plain file");
  }
  return ResultFile(std::move(file));
}

fs::path ResultFile::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor_.get());
}

}  // namespace slipway::worker
