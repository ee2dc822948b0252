#include "apps/hub_worker/lease_keeper.hpp"

#include <chrono>

#include "base/clock.hpp"

namespace slipway::worker {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestBatch = 256U << 10;

}  // namespace

LeaseKeeper::LeaseKeeper(hub::client::AgentClient& client, std::string job_id, std::string lease_token,
                         unsigned lease_seconds, std::stop_source on_lost, KeeperPace pace)
    : client_(client),
      job_id_(std::move(job_id)),
      lease_token_(std::move(lease_token)),
      on_lost_(std::move(on_lost)),
      pace_(pace),
      lease_until_(Clock::now() + seconds(lease_seconds)),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

LeaseKeeper::~LeaseKeeper() = default;

void LeaseKeeper::add_line(std::string_view line, std::string_view who) {
  const std::string stamped = fmt::format("[{}] {} {}\n", who, base::iso8601(base::SystemClock().now()), line);
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return;
  // With the hub away the log waits here, up to a point.
  if (lines_.size() < 4 * kLargestBatch) lines_ += stamped;
  last_line_ = line;
  last_line_at_ = said_at_ = Clock::now();
}

void LeaseKeeper::say_again() {
  const auto now = Clock::now();
  if (is_closed_ || last_line_.empty() || now - said_at_ < pace_.say_again || lines_.size() >= 4 * kLargestBatch)
    return;
  said_at_ = now;
  const auto silent = std::chrono::duration_cast<seconds>(now - last_line_at_);
  lines_ += fmt::format("[agent] {} still at it after {} s: {}\n", base::iso8601(base::SystemClock().now()),
                        silent.count(), last_line_);
}

void LeaseKeeper::flush() {
  std::unique_lock lock(mutex_);
  if (lines_.empty() && !is_sending_) return;
  is_flush_wanted_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !is_flush_wanted_; });
}

void LeaseKeeper::close_log() {
  {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
  }
  flush();
}

void LeaseKeeper::lose() {
  is_lost_ = true;
  on_lost_.request_stop();
}

void LeaseKeeper::renew() {
  const auto granted = client_.renew(job_id_, lease_token_);
  if (granted) {
    lease_until_ = Clock::now() + seconds(*granted);
    return;
  }
  // A hub that is away may come back in time; one that answers has decided.
  const bool is_away =
      granted.error().code == base::Code::kUnavailable || granted.error().code == base::Code::kDeadlineExceeded;
  if (!is_away || Clock::now() >= lease_until_) lose();
}

void LeaseKeeper::send_lines(std::unique_lock<std::mutex>& lock) {
  while (!lines_.empty()) {
    std::string batch = lines_.substr(0, kLargestBatch);
    if (batch.size() == kLargestBatch) batch.resize(batch.rfind('\n') + 1);
    if (batch.empty()) batch = lines_;
    is_sending_ = true;
    lock.unlock();
    const auto sent = client_.append_log(job_id_, lease_token_, batch);
    lock.lock();
    is_sending_ = false;
    if (!sent) {
      if (sent.error().code == base::Code::kAborted) lose();
      if (sent.error().code == base::Code::kUnavailable || sent.error().code == base::Code::kDeadlineExceeded) return;
    }
    lines_.erase(0, batch.size());  // refused lines are not worth a second try
  }
}

void LeaseKeeper::work(const std::stop_token& stop) {
  auto renew_due = Clock::now() + pace_.renew;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, pace_.send_lines, [&] { return is_flush_wanted_; });
    if (!is_flush_wanted_) say_again();
    send_lines(lock);
    if (is_flush_wanted_) {
      is_flush_wanted_ = false;
      changed_.notify_all();
    }
    if (!stop.stop_requested() && Clock::now() >= renew_due) {
      lock.unlock();
      renew();
      lock.lock();
      const bool is_near_the_end = !is_lost_ && lease_until_ - Clock::now() < 2 * pace_.renew;
      renew_due = Clock::now() + (is_near_the_end ? pace_.renew_again : pace_.renew);
    }
  }
  is_flush_wanted_ = false;
  changed_.notify_all();
}

}  // namespace slipway::worker
