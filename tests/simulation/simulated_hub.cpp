#include "tests/simulation/simulated_hub.hpp"

#include <algorithm>
#include <span>

#include "base/files.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/protocol/http_status.hpp"
#include "hub/protocol/routes.hpp"

namespace slipway::simulation {
namespace {

using base::Code;
using base::fail;
using base::Result;
using hub::domain::Job;
using std::chrono::milliseconds;

/// Thrown through a process that has been switched off.
struct SwitchedOff {};

/// Of the thread's request: whether the process that serves it has gone.
thread_local std::function<bool()> is_gone;

}  // namespace

std::string execution_of(const Job& job) {
  return fmt::format("attempt {} by {} since {}", job.attempt, job.agent_id,
                     job.started ? base::iso8601(*job.started) : "?");
}

void WatchedStore::let_others() const {
  clock_.pause(delay(), {});
  if (is_gone && is_gone()) throw SwitchedOff{};
}

void WatchedStore::strike_off_the_queued() {
  std::erase_if(holders, [&](const auto& entry) { return !hub::domain::is_running(job(entry.first)->state); });
}

Result<std::optional<Job>> WatchedStore::lease_job(const hub::domain::LeaseRequest& request) {
  let_others();
  auto leased = MemoryStore::lease_job(request);
  if (leased && *leased) {
    const auto [holder, is_new] = holders.emplace((*leased)->id, execution_of(**leased));
    if (!is_new)
      complaints.push_back(fmt::format("job {} is leased although {} has it", (*leased)->id, holder->second));
  }
  return leased;
}

Result<void> WatchedStore::renew_lease(const std::string& job_id, const std::string& token, base::Time until) {
  let_others();
  return MemoryStore::renew_lease(job_id, token, until);
}

Result<void> WatchedStore::complete_job(const Job& job, const std::string& token,
                                        const std::optional<hub::domain::Model>& target,
                                        const std::optional<hub::domain::Dataset>& output,
                                        const std::optional<hub::domain::Inspection>& inspection) {
  let_others();
  auto completed = MemoryStore::complete_job(job, token, target, output, inspection);
  if (!completed) return completed;
  ++ends[job.id];
  // A failure around the job, such as inputs that cannot be had, names none.
  const bool is_named = job.outcome && !job.outcome->remarks.empty();
  const auto holder = holders.find(job.id);
  const std::string held_by = holder == holders.end() ? "nobody" : holder->second;
  const std::string execution = is_named ? job.outcome->remarks.front() : held_by;
  if (execution != held_by || holder == holders.end()) {
    complaints.push_back(fmt::format("job {} took the result of {}, but {} held it", job.id, execution, held_by));
  }
  accepted[job.id] = execution;
  holders.erase(job.id);
  return completed;
}

Result<void> WatchedStore::fail_job(const Job& job, const std::optional<hub::domain::Inspection>& inspection) {
  let_others();
  auto failed = MemoryStore::fail_job(job, inspection);
  if (failed) ++ends[job.id];
  return failed;
}

Result<std::vector<Job>> WatchedStore::reclaim_leases(base::Time lease_time, base::Time now, int max_attempts) {
  let_others();
  auto given_up = MemoryStore::reclaim_leases(lease_time, now, max_attempts);
  strike_off_the_queued();
  if (given_up) {
    for (const Job& job : *given_up) holders.erase(job.id);
  }
  return given_up;
}

Result<void> WatchedStore::return_lease(const std::string& job_id, const std::string& token, base::Time now) {
  let_others();
  auto returned = MemoryStore::return_lease(job_id, token, now);
  strike_off_the_queued();
  return returned;
}

Result<std::vector<std::string>> WatchedStore::return_leases(const std::string& agent_id, base::Time now) {
  let_others();
  auto returned = MemoryStore::return_leases(agent_id, now);
  strike_off_the_queued();
  return returned;
}

SimulatedHub::Process::Process(SimulatedHub& world)
    : hub({.part_size_bytes = 16, .max_upload_bytes = 1000, .hub_version = "simulated"},
          {world.rows, world.blobs, world.clock_, world.ids}, {}),
      links(std::string(32, 'k'), world.clock_),
      service(hub, links, health, {}) {
  hub.set_change_listener([this] { ++changes; });
}

SimulatedHub::SimulatedHub(std::uint64_t seed, const base::testing::SimulatedClock& clock)
    : rows(clock), blobs(clock), clock_(clock), random_(seed) {
  rows.delay = [this] { return milliseconds(happens(weather.slow_store) ? draw(60'000) : 0); };
  switch_on();
  const auto administrator = hub().accounts.ensure_user("admin@hub", hub::domain::Role::kAdmin).value();
  user = {.user = administrator, .scope = hub::domain::Scope::kUser};
  agent_token = hub().accounts.create_token(administrator.id, "agent", hub::domain::Scope::kAgent).value().text;
}

void SimulatedHub::switch_on() {
  process_ = std::make_shared<Process>(*this);
}

void SimulatedHub::switch_off() {
  process_.reset();
}

void SimulatedHub::tend() {
  const auto now = clock_.instant();
  std::vector<Late> arrived;
  const auto still_away = std::ranges::partition(late_, [&](const Late& one) { return one.arrives > now; });
  std::ranges::move(still_away, std::back_inserter(arrived));
  late_.erase(still_away.begin(), still_away.end());
  for (Late& one : arrived) static_cast<void>(deliver(std::move(one.request), {}));
  if (!process_) return;
  const auto process = process_;
  is_gone = [&] { return process_ != process; };
  try {
    static_cast<void>(process->hub.sweep());
  } catch (const SwitchedOff&) {
  }
  is_gone = nullptr;
}

std::optional<hub::server::Response> SimulatedHub::deliver(hub::server::Request request, const std::stop_token& stop) {
  const auto process = process_;
  if (!process) return std::nullopt;
  const auto is_off = [&] { return process_ != process; };
  is_gone = is_off;
  const auto answer = [&]() -> std::optional<hub::server::Response> {
    const auto match = hub::protocol::match_route(request.method, request.path);
    const std::string body = request.body;
    auto plan = process->service.begin(std::move(request), match, body.size());
    if (!plan) return plan.error();
    if (plan->sink) {
      const auto written = plan->sink->write(std::as_bytes(std::span(body)));
      auto reply = written ? plan->sink->finish() : std::unexpected(written.error());
      return reply ? *reply : process->service.refusal(plan->call.request, reply.error());
    }
    const auto deadline = clock_.instant() + plan->patience;
    while (true) {
      const auto changes_before = process->changes;
      auto response = process->service.answer(plan->call, clock_.instant() >= deadline);
      if (response) return response;
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any changed;
      clock_.wait(lock, changed, stop, deadline, [&] { return process->changes != changes_before || is_off(); });
      if (is_off() || stop.stop_requested()) return std::nullopt;
    }
  };
  std::optional<hub::server::Response> response;
  try {
    response = answer();
  } catch (const SwitchedOff&) {
  }
  is_gone = nullptr;
  return response;
}

std::string SimulatedHub::read(const hub::domain::Blob& blob) const {
  std::string bytes(blob.size_bytes, '\0');
  const auto reader = blobs.open_read(blob, {.first = 0, .size_bytes = blob.size_bytes});
  if (!reader) return reader.error().message;
  const auto count = (*reader)->read(std::as_writable_bytes(std::span(bytes)));
  return count && *count == bytes.size() ? bytes : "the bytes end early";
}

class SimulatedConnection final : public hub::client::Connection {
 public:
  SimulatedConnection(SimulatedHub& world, std::shared_ptr<const bool> dead) : world_(world), dead_(std::move(dead)) {}

  Result<hub::client::Reply> send(const hub::client::Request& request, std::stop_token stop) override {
    const auto limit = request.time_limit.count() != 0 ? request.time_limit : milliseconds(request.stall_limit);
    const auto given_up = world_.clock_.instant() + limit;
    const auto wait_in_vain = [&]() -> Result<hub::client::Reply> {
      if (world_.draw(2) == 0) return fail(Code::kUnavailable, "the connection broke");
      world_.clock_.pause(std::chrono::ceil<milliseconds>(given_up - world_.clock_.instant()), stop);
      return fail(Code::kDeadlineExceeded, "no answer");
    };
    if (*dead_) return fail(Code::kCancelled, "this process is no more");
    const auto way =
        milliseconds(world_.happens(world_.weather.slow) ? 1000 + world_.draw(60'000) : 1 + world_.draw(20));
    auto sent = request_of(request);
    if (way > limit) {
      world_.late_.push_back({.arrives = world_.clock_.instant() + way, .request = std::move(sent)});
      world_.clock_.pause(limit, stop);
      return fail(Code::kDeadlineExceeded, "no answer");
    }
    world_.clock_.pause(way, stop);
    if (stop.stop_requested() || *dead_) return fail(Code::kCancelled, "the request was cancelled");
    if (world_.happens(world_.weather.request_lost)) return wait_in_vain();
    if (!world_.is_on()) return fail(Code::kUnavailable, "nobody listens");
    if (request.sent) request.sent(sent.body.size());
    const auto response = world_.deliver(std::move(sent), stop);
    if (stop.stop_requested() || *dead_) return fail(Code::kCancelled, "the request was cancelled");
    if (!response) return fail(Code::kUnavailable, "the connection broke");
    if (world_.happens(world_.weather.answer_lost)) return wait_in_vain();
    return reply_of(request, *response);
  }

 private:
  static hub::server::Request request_of(const hub::client::Request& request) {
    hub::server::Request sent;
    sent.id = "r";
    sent.method = request.method;
    sent.path = request.url.substr(request.url.find('/', request.url.find("//") + 2));
    sent.authorization = request.authorization;
    sent.host = "hub";
    sent.content_type = request.content_type;
    if (request.range_begin != 0) sent.range = fmt::format("bytes={}-", request.range_begin);
    sent.remote_address = "127.0.0.1";
    sent.body = request.body;
    if (request.upload != nullptr) {
      const auto file = base::read_file(request.upload->file, 1 << 20).value();
      sent.body = file.substr(request.upload->offset, request.upload->size_bytes);
    }
    return sent;
  }

  Result<hub::client::Reply> reply_of(const hub::client::Request& request, const hub::server::Response& response) {
    hub::client::Reply reply;
    reply.status = response.status;
    reply.body = response.body;
    for (const auto& [name, value] : response.headers) {
      if (name == "ETag") reply.etag = value;
      if (name == hub::protocol::kReasonHeader) reply.reason = value;
    }
    if (!response.stream) return reply;
    std::vector<std::byte> bytes(response.stream->size_bytes);
    const auto count = response.stream->reader->read(bytes);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), count.value_or(0));
    const bool breaks = world_.happens(world_.weather.broken_download);
    if (breaks) text = text.substr(0, world_.draw(text.size() + 1));
    if (!text.empty() && request.sink && !request.sink(response.status, text)) {
      return fail(Code::kCancelled, "the download was stopped by its receiver");
    }
    if (breaks) return fail(Code::kUnavailable, "the connection broke");
    return reply;
  }

  SimulatedHub& world_;
  std::shared_ptr<const bool> dead_;
};

std::unique_ptr<hub::client::Connection> SimulatedHub::connect(std::shared_ptr<const bool> dead) {
  return std::make_unique<SimulatedConnection>(*this, std::move(dead));
}

}  // namespace slipway::simulation
