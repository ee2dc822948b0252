#include "pipelines/common/standby_run.hpp"

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "pipelines/common/running_median.hpp"
#include "runtime/bound_session.hpp"
#include "runtime/provider.hpp"

namespace slipway::pipelines {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmupRuns = 3;

double us_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

using runtime::BoundSession;
using runtime::Session;

/// Runs a session in a thread of its own, so that a run can be waited for with a deadline and left behind. What the
/// thread touches is shared with it and lives as long as it does.
class WatchedSession {
 public:
  explicit WatchedSession(BoundSession bound) : shared_(std::make_shared<Shared>(std::move(bound))) {
    std::thread([shared = shared_] { serve(*shared); }).detach();
  }
  ~WatchedSession() {
    shared_->cancel.cancel();
    std::unique_lock lock(shared_->mutex);
    shared_->is_ending = true;
    shared_->changed.notify_all();
    // A healthy thread ends at once; one that hangs in its driver is left there with its session.
    shared_->changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return shared_->has_ended; });
  }
  WatchedSession(const WatchedSession&) = delete;
  WatchedSession& operator=(const WatchedSession&) = delete;

  [[nodiscard]] BoundSession& bound() { return shared_->bound; }

  /// The run's outcome; nothing when it took longer than the deadline, and then it is told to stop.
  std::optional<base::Result<void>> run(Clock::duration deadline) {
    std::unique_lock lock(shared_->mutex);
    shared_->is_requested = true;
    shared_->changed.notify_all();
    if (!shared_->changed.wait_for(lock, deadline, [&] { return !shared_->is_requested; })) {
      lock.unlock();
      shared_->cancel.cancel();
      return std::nullopt;
    }
    return std::move(shared_->outcome);
  }

 private:
  struct Shared {
    explicit Shared(BoundSession given) : bound(std::move(given)) {}

    std::mutex mutex;
    std::condition_variable changed;
    bool is_requested = false, is_ending = false, has_ended = false;
    base::Result<void> outcome;
    runtime::CancelFlag cancel;
    BoundSession bound;
  };

  static void serve(Shared& shared) {
    std::unique_lock lock(shared.mutex);
    for (;;) {
      shared.changed.wait(lock, [&] { return shared.is_requested || shared.is_ending; });
      if (shared.is_ending) break;
      lock.unlock();
      base::Result<void> outcome = shared.bound.run(&shared.cancel);
      lock.lock();
      shared.outcome = std::move(outcome);
      shared.is_requested = false;
      shared.changed.notify_all();
    }
    shared.has_ended = true;
    shared.changed.notify_all();
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::string_view cause_name(Replacement::Cause cause) {
  switch (cause) {
    case Replacement::Cause::kLoad:
      return "load";
    case Replacement::Cause::kError:
      return "error";
    case Replacement::Cause::kStall:
      return "stall";
  }
  return "";
}

std::string stall_text(const runtime::MeasuredTime& spent, const runtime::MeasuredTime& median) {
  if (!spent.value() || !median.value()) return "no result long after the median of its runs on the HTP emulator";
  return fmt::format("no result after {:.1f} ms; the median of its runs is {:.1f} ms", *spent.value() / 1000,
                     *median.value() / 1000);
}

struct StandbyRun::State {
  StandbyOptions options;
  std::shared_ptr<Session> primary, standby;  // as loaded; null: could not be, or is not wanted
  // Since prepare(): the primary, with a standby in a thread of its own.
  std::optional<BoundSession> bound_primary, bound_standby;
  std::unique_ptr<WatchedSession> watched;
  std::optional<Replacement> replacement;
  RunningMedian median;
  std::int64_t runs = 0;

  [[nodiscard]] const Session& session() const { return replacement ? *standby : *primary; }
  [[nodiscard]] BoundSession& active() {
    if (replacement) return *bound_standby;
    return watched ? watched->bound() : *bound_primary;
  }

  /// Of the primary.
  [[nodiscard]] runtime::MeasuredTime measured(double us) const {
    const std::string& provider = options.primary.provider.name;
    return {us, runtime::TimeOrigin::of(provider, runtime::is_emulated(provider))};
  }

  void replace(Replacement::Cause cause, std::string reason, double lost_us) {
    replacement = Replacement{.cause = cause,
                              .run = runs,
                              .from = options.primary.provider.name,
                              .to = options.standby->provider.name,
                              .reason = std::move(reason),
                              .lost = measured(lost_us)};
  }

  /// Runs the primary; false when it was replaced instead.
  bool run_primary(Clock::duration deadline) {
    const auto begin = Clock::now();
    const auto outcome = watched->run(deadline);
    const double spent_us = us_since(begin);
    if (outcome && *outcome) {
      median.add(spent_us);
      return true;
    }
    if (outcome) {
      replace(Replacement::Cause::kError, outcome->error().message, spent_us);
    } else {
      replace(Replacement::Cause::kStall, stall_text(measured(spent_us), measured(median.value())), spent_us);
    }
    return false;
  }
};

StandbyRun::StandbyRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
StandbyRun::~StandbyRun() = default;

base::Result<std::unique_ptr<StandbyRun>> StandbyRun::load(std::shared_ptr<runtime::Environment> environment,
                                                           const std::filesystem::path& model,
                                                           const StandbyOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  auto primary = runtime::Session::load(environment, model, options.primary);
  if (!primary && !options.standby) return std::unexpected(std::move(primary).error());
  if (options.standby) {
    auto standby = runtime::Session::load(environment, model, *options.standby);
    // What neither can load is the model's fault, and the primary's message says it.
    if (!standby) return std::unexpected(primary ? std::move(standby).error() : std::move(primary).error());
    state->standby = std::move(*standby);
  }
  if (primary) {
    state->primary = std::move(*primary);
  } else {
    state->replace(Replacement::Cause::kLoad, primary.error().message, 0);
  }
  return std::unique_ptr<StandbyRun>(new StandbyRun(std::move(state)));
}

const std::vector<tensor::TensorSpec>& StandbyRun::inputs() const {
  return state_->session().inputs();
}
const std::vector<tensor::TensorSpec>& StandbyRun::outputs() const {
  return state_->session().outputs();
}

base::Result<void> StandbyRun::prepare(const tensor::TensorSpec& input) {
  State& state = *state_;
  if (state.primary) {
    SLIPWAY_ASSIGN(state.bound_primary, BoundSession::bind(state.primary, {input}));
  }
  if (!state.standby) return {};
  SLIPWAY_ASSIGN(state.bound_standby, BoundSession::bind(state.standby, {input}));
  for (int i = 0; i < kWarmupRuns; ++i) SLIPWAY_TRY(state.bound_standby->run());
  if (state.replacement) return {};
  state.watched = std::make_unique<WatchedSession>(std::move(*state.bound_primary));
  state.bound_primary.reset();
  for (int i = 0; i < kWarmupRuns; ++i) {
    if (!state.run_primary(state.options.first_run_limit)) break;
  }
  return {};
}

std::span<std::byte> StandbyRun::input() {
  return state_->active().input(0).bytes();
}

base::Result<void> StandbyRun::run() {
  State& state = *state_;
  ++state.runs;
  if (!state.watched || state.replacement) return state.active().run();
  const auto deadline = std::max<Clock::duration>(
      state.options.least_deadline,
      std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double, std::micro>(state.options.stall_factor * state.median.value())));
  const std::span<const std::byte> given = input();
  if (state.run_primary(deadline)) return {};
  // A stalled run may still read its own input: the standby gets a copy.
  std::memcpy(state.active().input(0).bytes().data(), given.data(), given.size());
  return state.active().run();
}

base::Result<const tensor::NamedTensors*> StandbyRun::run_outputs() {
  return state_->active().outputs();
}

const std::optional<Replacement>& StandbyRun::replacement() const {
  return state_->replacement;
}

const runtime::Session& StandbyRun::session() const {
  return state_->session();
}

std::string StandbyRun::provider() const {
  return state_->replacement ? state_->replacement->to : state_->options.primary.provider.name;
}

}  // namespace slipway::pipelines
