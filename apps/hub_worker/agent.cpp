#include "apps/hub_worker/agent.hpp"

#include <array>
#include <cstdio>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/spdlog.h>
#include <sys/file.h>

#include "apps/hub_worker/budgets.hpp"
#include "apps/hub_worker/job_launcher.hpp"
#include "apps/hub_worker/machine.hpp"
#include "apps/hub_worker/slot.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "base/ids.hpp"
#include "hub/domain/document.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
using base::Code;
using hub::domain::JobKind;

constexpr std::uint64_t kLongestInstance = 256;

/// A work folder that belongs to this agent alone; what an earlier one left in it is removed.
class WorkFolder {
 public:
  static base::Result<WorkFolder> acquire(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    const fs::path lock = path / ".lock";
    WorkFolder folder;
    folder.lock_ = base::Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!folder.lock_.is_open()) {
      return std::unexpected(base::errno_error(errno, fmt::format("open {}", lock.string())));
    }
    if (::flock(folder.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      return base::fail(Code::kFailedPrecondition, "another agent works in {}: give each a --work folder of its own",
                        path.string());
    }
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().filename().string().starts_with(kJobFolderPrefix)) fs::remove_all(entry.path(), error);
    }
    folder.successor_of_ = base::read_file(path / ".instance", kLongestInstance).value_or("");
    folder.instance_ = base::RandomIdSource().secret();
    const auto noted = base::write_file_durably(path / ".instance", folder.instance_);
    // On a full disk it goes unnoted: the next process is then no successor, and the leases of this one end by
    // themselves.
    if (!noted && !noted.error().is_about_writing()) return std::unexpected(noted.error());
    return folder;
  }

  /// A name of this process that no other has, and that of the process which had the folder before: with its lock it
  /// is gone for certain.
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] const std::string& successor_of() const { return successor_of_; }

 private:
  WorkFolder() = default;
  base::Descriptor lock_;
  std::string instance_, successor_of_;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "agent";
}

}  // namespace

base::Result<void> run_agent(const AgentSettings& settings, std::stop_token stop) {
  SLIPWAY_ASSIGN(const auto libraries, runtime::locate_libraries());
  SLIPWAY_ASSIGN(const auto work_folder, WorkFolder::acquire(settings.work_folder));
  SLIPWAY_ASSIGN(const auto machine, describe_machine(settings.program, libraries));
  const base::SystemClock clock;
  const auto hub = hub::client::over_http(settings.hub_url, settings.token, clock);
  std::error_code error;
  const fs::path work = fs::canonical(settings.work_folder, error);
  const auto budgets = divide(room_of_machine(work), settings.job_time, settings.job_memory_bytes);
  const auto slot = [&](const JobLimits& limits, std::vector<JobKind> kinds) {
    return SlotSettings{
        .hub = hub,
        .kinds = std::move(kinds),
        .execute =
            [&, limits](const fs::path& folder, const hub::domain::JobSpec& spec, const auto& tell,
                        const std::stop_token& cancel) {
              return launch_job(settings.program, libraries, folder, spec, limits, tell, cancel);
            },
        .work_folder = work,
        .private_places = {libraries.onnxruntime.parent_path(), libraries.qnn_folder, settings.program.parent_path()}};
  };
  // The hub's own jobs are short, and users' jobs wait for them.
  std::vector<JobKind> own;
  for (const auto& kind : hub::domain::JobKinds::kEntries) {
    if (!kind.is_submitted) own.push_back(kind.number);
  }
  Membership membership({.name = settings.name.empty() ? host_name() : settings.name,
                         .instance = work_folder.instance(),
                         .successor_of = work_folder.successor_of(),
                         .device_documents = {hub::domain::to_document(machine.cpu)},
                         .frameworks = machine.frameworks},
                        clock);
  const auto registered = [&] {
    spdlog::info("registered: {} ({})", machine.cpu.name, sandbox::probe_namespaces().detail);
    fmt::print("Slipway agent registered: {}\n", machine.cpu.name);
    std::fflush(stdout);
  };
  return serve_hub(hub, {slot(budgets.inspection, own), slot(budgets.job, hub::domain::submitted_kinds())}, membership,
                   registered, std::move(stop));
}

}  // namespace slipway::worker
