#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/testing/manual_clock.hpp"

namespace slipway::base::testing {

/// The clock of a simulation: of the threads that wait by it one runs at a time, until it waits itself, and which of
/// those that could go on is next is drawn by the seed. When none could, time passes until the first one can. So one
/// seed is one course of events, whatever the machine does, and a night takes as long as what happens in it.
///
/// The thread that makes the clock takes part; others do so when they are started by it. A thread that waits in another
/// way than by the clock holds up the world.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] Time now() const override { return clock_.now(); }
  [[nodiscard]] Instant instant() const override { return clock_.instant(); }
  /// Somebody sets the clock on the wall; no time passes.
  void step(std::chrono::microseconds by) const { clock_.step(by); }

  bool wait(std::unique_lock<std::mutex>& lock, std::condition_variable_any& /*changed*/, const std::stop_token& stop,
            Instant end, const std::function<bool()>& is_met) const override {
    lock.unlock();
    {
      const auto waiting = std::make_shared<Waiting>(end, &stop, &is_met);
      std::unique_lock world(mutex_);
      waiting_.push_back(waiting);
      start_next();
      waiting->goes_on.wait(world, [&] { return waiting->is_next; });
    }
    lock.lock();
    return is_met();
  }

  [[nodiscard]] std::jthread start(std::function<void(const std::stop_token&)> work) const override {
    const auto waiting = std::make_shared<Waiting>(instant());
    const std::lock_guard world(mutex_);
    waiting_.push_back(waiting);
    std::jthread thread([this, waiting, work = std::move(work)](const std::stop_token& stop) {
      {
        std::unique_lock lock(mutex_);
        waiting->goes_on.wait(lock, [&] { return waiting->is_next; });
      }
      work(stop);
      const std::lock_guard lock(mutex_);
      running_.erase(std::this_thread::get_id());
      start_next();
    });
    running_.insert(thread.get_id());
    return thread;
  }

  void join(std::jthread& thread) const override {
    if (!thread.joinable()) return;
    thread.request_stop();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    wait(lock, changed, {}, Instant::max(), [&] { return !running_.contains(thread.get_id()); });
    thread.join();
  }

 private:
  struct Waiting {
    explicit Waiting(Instant until, const std::stop_token* its_stop = nullptr,
                     const std::function<bool()>* condition = nullptr)
        : end(until), stop(its_stop), is_met(condition) {}
    [[nodiscard]] bool can_go_on(Instant now) const {
      return end <= now || (stop != nullptr && stop->stop_requested()) || (is_met != nullptr && (*is_met)());
    }
    Instant end;
    const std::stop_token* stop;
    const std::function<bool()>* is_met;
    bool is_next = false;
    std::condition_variable goes_on;
  };

  /// Names the thread that runs next. @pre mutex_ is held, and the caller waits or ends now
  void start_next() const {
    while (!waiting_.empty()) {
      std::vector<std::size_t> able;
      for (std::size_t index = 0; index < waiting_.size(); ++index) {
        if (waiting_[index]->can_go_on(instant())) able.push_back(index);
      }
      if (!able.empty()) {
        const std::size_t chosen = able[random_() % able.size()];
        const auto next = waiting_[chosen];
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(chosen));
        next->is_next = true;
        next->goes_on.notify_one();
        return;
      }
      const Instant first = (*std::ranges::min_element(waiting_, {}, [](const auto& one) { return one->end; }))->end;
      SLIPWAY_CHECK(first != Instant::max(), "somebody can go on some day");
      clock_.advance(std::chrono::ceil<std::chrono::microseconds>(first - instant()));
    }
  }

  ManualClock clock_;
  mutable std::mutex mutex_;
  mutable std::mt19937_64 random_;
  mutable std::vector<std::shared_ptr<Waiting>> waiting_;
  mutable std::set<std::thread::id> running_;
};

}  // namespace slipway::base::testing
