#include "apps/hub_worker/slot.hpp"

#include <chrono>
#include <set>

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include "apps/hub_worker/job_heartbeat.hpp"
#include "apps/hub_worker/job_launcher.hpp"
#include "apps/hub_worker/private_paths.hpp"
#include "base/files.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::worker {
namespace {

namespace fs = std::filesystem;
namespace agent = hub::protocol::agent;
using base::Code;
using hub::domain::failure;
using hub::domain::FailureType;
using hub::domain::JobOutcome;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{2000};

/// Folder of one attempt, removed when it is over.
class JobFolder {
 public:
  static base::Result<JobFolder> create(const fs::path& parent, std::string_view job_id) {
    if (job_id.find('/') != std::string_view::npos) return base::fail(Code::kInternal, "a job id with a slash");
    std::string path = (parent / fmt::format("{}{}-XXXXXX", kJobFolderPrefix, job_id)).string();
    if (::mkdtemp(path.data()) == nullptr) {
      return std::unexpected(base::errno_error(errno, fmt::format("make {}", path)));
    }
    for (const char* name : {"in", "work", "out"}) {
      if (::mkdir((path + "/" + name).c_str(), 0755) != 0) {
        return std::unexpected(base::errno_error(errno, fmt::format("make {}/{}", path, name)));
      }
    }
    return JobFolder(path);
  }
  ~JobFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
    if (error) spdlog::warn("removing {}: {}", path_.string(), error.message());
  }
  JobFolder(JobFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  JobFolder& operator=(JobFolder&&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  explicit JobFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

/// What went wrong around the job: here, or at the hub.
JobOutcome failure_of(const base::Error& error) {
  return failure(error.reason == base::Reason::kOutOfDisk ? FailureType::kOutOfDisk : FailureType::kInternal,
                 error.message);
}

/// Whether the hub has looked at a result and will not have it, whoever brings it.
bool is_refused(const base::Error& error) {
  return error.code == Code::kInvalidArgument || error.code == Code::kResourceExhausted || error.code == Code::kUnknown;
}

/// One slot with its two connections: its own and the one of the heartbeat beside a running job.
class Slot {
 public:
  Slot(const SlotSettings& settings, std::stop_token stop)
      : settings_(settings),
        stop_(std::move(stop)),
        clock_(settings.hub.clock),
        client_(settings.hub),
        heartbeat_client_(settings.hub) {}

  base::Result<void> run(Membership& membership) {
    std::string agent_id;
    milliseconds wait{100};
    while (!stop_.stop_requested()) {
      const auto outcome = turn(membership, agent_id);
      if (outcome) {
        wait = milliseconds(100);
        continue;
      }
      const auto code = outcome.error().code;
      if (code == Code::kUnauthenticated || code == Code::kPermissionDenied) return outcome;
      if (code == Code::kCancelled) continue;
      spdlog::warn("{}", outcome.error().message);
      clock_.pause(wait, stop_);
      wait = std::min(2 * wait, kLongestPause);
    }
    return {};
  }

 private:
  /// Waits for one job and executes it, if there is one within the poll.
  base::Result<void> turn(Membership& membership, std::string& agent_id) {
    if (agent_id.empty()) {
      SLIPWAY_ASSIGN(agent_id, membership.join(client_, "", stop_));
    }
    auto lease = client_.lease(agent_id, settings_.kinds, stop_);
    if (!lease && lease.error().code == Code::kNotFound) {
      // The hub was started anew and does not know its agents.
      SLIPWAY_ASSIGN(agent_id, membership.join(client_, agent_id, stop_));
      lease = client_.lease(agent_id, settings_.kinds, stop_);
    }
    if (!lease) return std::unexpected(lease.error());
    if (lease->has_value()) execute(**lease);
    return {};
  }

  void execute(const agent::LeaseReply& lease) {
    std::stop_source job_stop;
    const std::stop_callback passed_on(stop_, [&] { job_stop.request_stop(); });
    JobHeartbeat heartbeat(heartbeat_client_, clock_, lease.job_id, lease.lease_token, lease.lease_seconds, job_stop);
    const auto start = clock_.instant();
    const auto folder = JobFolder::create(settings_.work_folder, lease.job_id);
    JobOutcome outcome =
        folder ? work_in(folder->path(), lease, heartbeat, job_stop.get_token()) : failure_of(folder.error());
    const auto took = std::chrono::duration_cast<milliseconds>(clock_.instant() - start);
    if (job_stop.stop_requested()) {
      spdlog::info("job {}: dropped after {} ms, {}", lease.job_id, took.count(),
                   heartbeat.is_lost() ? "the lease was lost" : "the agent ends");
      return;
    }
    auto done = submit_result(folder ? folder->path() : fs::path(), lease, outcome, heartbeat, job_stop.get_token());
    if (!done && is_refused(done.error())) {
      // The next attempt would be refused as well, so the job ends here, in words.
      outcome = failure(FailureType::kInternal, "the hub did not take the result: " + done.error().message);
      done = submit_result({}, lease, outcome, heartbeat, job_stop.get_token());
    }
    spdlog::info("job {}: {} in {} ms{}", lease.job_id, outcome.succeeded ? "done" : "failed", took.count(),
                 done ? "" : ", but the hub did not take the result: " + done.error().message);
  }

  /// Where this machine keeps its things stays out of what is told of the job.
  JobOutcome work_in(const fs::path& folder, const agent::LeaseReply& lease, JobHeartbeat& heartbeat,
                     const std::stop_token& stop) {
    std::vector<fs::path> places = {folder, settings_.work_folder};
    places.insert(places.end(), settings_.private_places.begin(), settings_.private_places.end());
    const PrivatePaths paths(std::move(places));
    const auto tell = [&](std::string_view line) { heartbeat.add_line(paths.without(line)); };
    JobOutcome outcome = outcome_of(folder, lease, tell, stop);
    outcome.failure_reason = paths.without(outcome.failure_reason);
    for (auto& remark : outcome.remarks) remark = paths.without(remark);
    return outcome;
  }

  JobOutcome outcome_of(const fs::path& folder, const agent::LeaseReply& lease,
                        const std::function<void(std::string_view)>& tell, const std::stop_token& stop) {
    auto spec = hub::domain::job_spec_from_document(lease.spec_document);
    if (!spec) return failure(FailureType::kInternal, spec.error().message);
    spec->job.lease_token.clear();  // a secret that the job's process has no use for
    const auto written = base::write_file_durably(folder / "spec.json", hub::domain::to_document(*spec));
    if (!written) return failure_of(written.error());
    for (const auto& input : lease.inputs) {
      if (input.name.empty() || input.name.find('/') != std::string::npos || input.name == "..") {
        return failure(FailureType::kInternal, fmt::format("the hub names an input \"{}\"", input.name));
      }
      tell(fmt::format("fetching {} ({:.1f} MB)", input.name, static_cast<double>(input.size_bytes) / 1e6));
      const auto fetched = client_.fetch(input, folder / "in" / input.name, stop);
      if (fetched) continue;
      return failure_of(fetched.error());
    }
    return settings_.execute(folder, *spec, tell, stop);
  }

  base::Result<void> submit_result(const fs::path& folder, const agent::LeaseReply& lease, JobOutcome outcome,
                                   JobHeartbeat& heartbeat, const std::stop_token& stop) {
    agent::CompleteRequest request;
    request.lease_token = lease.lease_token;
    for (const auto& name : hub::domain::files_of(outcome)) {
      const auto file = ResultFile::open(folder, "out", name);
      if (!file) {
        outcome = failure(FailureType::kInternal, file.error().message);
        request.files.clear();
        break;
      }
      heartbeat.add_line(fmt::format("handing over {}", name), "agent");
      auto sent = client_.upload(lease.job_id, lease.lease_token, name, file->path(), stop);
      if (!sent && sent.error().is_about_writing()) {
        // The hub has no room for results; for how the job ended it has.
        outcome = failure_of(sent.error());
        request.files.clear();
        break;
      }
      if (!sent) return std::unexpected(sent.error());
      request.files.push_back(std::move(*sent));
    }
    request.outcome_document = hub::domain::to_document(outcome);
    if (request.outcome_document.size() > agent::kLargestOutcomeInMessage) {
      const fs::path file = folder / "outcome-document.json";
      SLIPWAY_TRY(base::write_file_durably(file, request.outcome_document));
      SLIPWAY_ASSIGN(request.outcome_file, client_.upload(lease.job_id, lease.lease_token, "the outcome", file, stop));
      request.outcome_document.clear();
    }
    heartbeat.close_log();
    return client_.complete(lease.job_id, request, stop);
  }

  const SlotSettings& settings_;
  std::stop_token stop_;
  const base::Clock& clock_;
  hub::client::AgentClient client_, heartbeat_client_;
};

}  // namespace

base::Result<std::string> Membership::join(hub::client::AgentClient& client, const std::string& known,
                                           std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!clock_.wait(lock, changed_, stop, base::Instant::max(), [&] { return !is_joining_; })) {
    return base::fail(Code::kCancelled, "the agent ends");
  }
  if (!agent_id_.empty() && agent_id_ != known) return agent_id_;
  is_joining_ = true;
  lock.unlock();
  auto registered = client.register_agent(registration_, std::move(stop));
  lock.lock();
  is_joining_ = false;
  changed_.notify_all();
  if (registered) agent_id_ = *registered;
  return registered;
}

void Membership::leave(hub::client::AgentClient& client) {
  std::string left;
  {
    const std::scoped_lock lock(mutex_);
    left.swap(agent_id_);
  }
  if (left.empty()) return;
  // Without an answer the jobs wait until their leases end.
  if (const auto said = client.leave(left); !said) spdlog::warn("leaving: {}", said.error().message);
}

base::Result<void> run_slot(const SlotSettings& settings, Membership& membership, std::stop_token stop) {
  return Slot(settings, std::move(stop)).run(membership);
}

base::Result<void> serve_hub(const hub::client::HubAccess& hub, const std::vector<SlotSettings>& slots,
                             Membership& membership, const std::function<void()>& registered, std::stop_token stop) {
  hub::client::AgentClient client(hub);
  while (!stop.stop_requested()) {
    const auto joined = membership.join(client, "", stop);
    if (joined) break;
    const auto code = joined.error().code;
    if (code != Code::kUnavailable && code != Code::kDeadlineExceeded && code != Code::kCancelled) {
      return std::unexpected(joined.error().with("register with the hub"));
    }
    spdlog::warn("{}", joined.error().message);
  }
  if (stop.stop_requested()) return {};
  registered();

  // Each slot may find that the token is no longer good; then all end.
  std::stop_source end;
  const std::stop_callback passed_on(stop, [&] { end.request_stop(); });
  std::mutex mutex;
  std::condition_variable_any changed;
  std::size_t ended = 0;
  std::optional<base::Error> failure;
  const auto work = [&](const SlotSettings& slot) {
    const auto outcome = run_slot(slot, membership, end.get_token());
    const std::scoped_lock lock(mutex);
    if (!outcome && !failure) failure = outcome.error();
    if (!outcome) end.request_stop();
    ++ended;
    changed.notify_all();
  };
  std::vector<std::jthread> threads;
  for (const SlotSettings& slot : slots) {
    threads.push_back(hub.clock.start([&](const std::stop_token&) { work(slot); }));
  }
  {
    std::unique_lock lock(mutex);
    hub.clock.wait(lock, changed, {}, base::Instant::max(), [&] { return ended == slots.size(); });
  }
  for (std::jthread& thread : threads) hub.clock.join(thread);
  membership.leave(client);
  if (failure) return std::unexpected(*failure);
  return {};
}

}  // namespace slipway::worker
