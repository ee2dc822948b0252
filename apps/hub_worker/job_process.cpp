#include "apps/hub_worker/job_process.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/hub_worker/job_launcher.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "hub/domain/document.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/executor/execute.hpp"
#include "runtime/environment.hpp"
#include "runtime/profiling.hpp"
#include "sandbox/lock_down.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
using hub::domain::failure;
using hub::domain::FailureType;
using hub::domain::JobOutcome;

constexpr std::uint64_t kLargestSpecBytes = 64U << 20;
constexpr int kProcesses = 64;

/// The job's log is what the job says. What libraries print goes to a file of the folder instead, whose end is shown
/// when the job fails: with each model it is the same, and of no use to those who did not write the library.
class JobLog {
 public:
  /// From here on standard output and error lead to the file.
  explicit JobLog(const fs::path& library_output) {
    std::fflush(stdout);
    log_ = ::fdopen(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "w");
    const base::Descriptor file(
        ::open(library_output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (log_ == nullptr || !file.is_open()) return;
    ::dup2(file.get(), STDOUT_FILENO);
    ::dup2(file.get(), STDERR_FILENO);
  }
  ~JobLog() {
    if (log_ != nullptr) std::fclose(log_);
  }
  JobLog(const JobLog&) = delete;
  JobLog& operator=(const JobLog&) = delete;

  void say(std::string_view line) {
    std::FILE* const log = log_ != nullptr ? log_ : stdout;
    std::fwrite(line.data(), 1, line.size(), log);
    std::fputc('\n', log);
    std::fflush(log);
  }

 private:
  std::FILE* log_ = nullptr;
};

/// What the job may read besides the system: this program and the folders of the libraries, whose parts load each
/// other from the folders beside them.
std::vector<fs::path> readable_places(const base::Result<runtime::LibraryPaths>& libraries) {
  std::error_code error;
  std::vector<fs::path> places = {fs::read_symlink("/proc/self/exe", error)};
  if (!libraries) return places;
  places.push_back(fs::weakly_canonical(libraries->onnxruntime, error).parent_path());
  if (!libraries->qnn_folder.empty()) {
    const auto folder = fs::weakly_canonical(libraries->qnn_folder, error);
    places.push_back(folder);
    places.push_back(folder.parent_path() / "onnxruntime_qnn.libs");
  }
  return places;
}

/// 0: not said.
std::uint64_t number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text != nullptr ? base::parse_number<std::uint64_t>(text).value_or(0) : 0;
}

JobOutcome execute_job(const fs::path& folder, const hub::executor::Log& say) {
  const auto libraries = runtime::locate_libraries();
  const auto level =
      sandbox::lock_down({.writable = {folder}, .readable = readable_places(libraries), .processes = kProcesses});
  if (!level) return failure(FailureType::kInternal, "the job could not lock itself in: " + level.error().message);
  say("sandbox: " + level->text());

  const auto text = base::read_file(folder / "spec.json", kLargestSpecBytes);
  if (!text) return failure(FailureType::kInternal, text.error().message);
  const auto spec = hub::domain::job_spec_from_document(*text);
  if (!spec) return failure(FailureType::kInternal, spec.error().message);
  hub::executor::Tools tools;
  if (libraries) tools.libraries = *libraries;
  tools.slipway_version = SLIPWAY_VERSION;
  tools.memory_bytes = number_of(kJobMemoryVariable);
  if (const auto seconds = number_of(kJobSecondsVariable); seconds != 0) {
    tools.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }
  tools.store = [&](JobOutcome so_far) {
    so_far.sandbox = level->text();
    // A copy that cannot be written is missed only by a process that dies.
    static_cast<void>(base::write_file_durably(folder / "outcome.json", hub::domain::to_document(so_far)));
  };
  tools.end = [&](const JobOutcome& last) {
    tools.store(last);
    std::_Exit(0);
  };
  tools.open_environment = [&]() -> base::Result<std::shared_ptr<runtime::Environment>> {
    if (!libraries) return std::unexpected(libraries.error());
    return runtime::Environment::open(*libraries);
  };
  JobOutcome outcome = hub::executor::execute(*spec, folder, tools, say);
  outcome.sandbox = level->text();
  return outcome;
}

}  // namespace

int run_job_process(const fs::path& folder) {
  std::error_code error;
  const fs::path home = fs::canonical(folder, error);
  for (const char* name : {"in", "work", "out"}) fs::create_directories(home / name, error);
  // The compiler leaves files in the working directory.
  if (error || ::chdir((home / "work").c_str()) != 0) {
    std::fprintf(stderr, "slipway-worker: %s is not a job folder\n", folder.c_str());
    return 2;
  }
  JobLog log(home / "work" / kLibraryOutput);
  const JobOutcome outcome = execute_job(home, [&](std::string_view line) { log.say(line); });
  const auto written = base::write_file_durably(home / "outcome.json", hub::domain::to_document(outcome));
  if (!written) {
    log.say(written.error().message);
    return written.error().reason == base::Reason::kOutOfDisk ? kNoRoomStatus : 1;
  }
  return 0;
}

int run_describe() {
  nlohmann::json about = {{"schema", "slipway-machine/1"}, {"machine", runtime::machine_name()}};
  const auto libraries = runtime::locate_libraries();
  if (libraries) {
    const auto environment = runtime::Environment::open(*libraries);
    if (environment) {
      about["onnxruntime"] = (*environment)->onnxruntime_version();
      if (const auto qairt = (*environment)->qairt_version()) about["qairt"] = *qairt;
      about["has_htp"] = std::ranges::any_of((*environment)->providers(), [](const runtime::ProviderStatus& status) {
        return status.row.accepts_htp && status.available && !status.row.is_emulator;
      });
    } else {
      about["problem"] = environment.error().message;
    }
  } else {
    about["problem"] = libraries.error().message;
  }
  std::puts(about.dump().c_str());
  std::fflush(stdout);
  return 0;
}

}  // namespace slipway::worker
