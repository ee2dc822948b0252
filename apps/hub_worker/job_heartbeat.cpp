#include "apps/hub_worker/job_heartbeat.hpp"

#include <algorithm>
#include <chrono>

namespace slipway::worker {
namespace {

using std::chrono::seconds;

constexpr std::size_t kLargestBatch = 256U << 10;
/// With the hub away the log waits here, up to a point.
constexpr std::size_t kMostWaiting = 4 * kLargestBatch;

}  // namespace

JobHeartbeat::JobHeartbeat(hub::client::AgentClient& client, const base::Clock& clock, std::string job_id,
                           std::string lease_token, unsigned lease_seconds, std::stop_source on_lost,
                           HeartbeatPace pace)
    : client_(client),
      clock_(clock),
      job_id_(std::move(job_id)),
      lease_token_(std::move(lease_token)),
      on_lost_(std::move(on_lost)),
      pace_(pace),
      lease_until_(clock.instant() + seconds(lease_seconds)),
      renew_due_(clock.instant() + pace.renew),
      thread_(clock.start([this](const std::stop_token& stop) { work(stop); })) {}

JobHeartbeat::~JobHeartbeat() {
  clock_.join(thread_);
}

void JobHeartbeat::add_line(std::string_view line, std::string_view who) {
  const std::string stamped = fmt::format("[{}] {} {}\n", who, base::iso8601(clock_.now()), line);
  const std::scoped_lock lock(mutex_);
  if (is_closed_) return;
  const auto now = clock_.instant();
  if (lines_.empty()) send_due_ = now + pace_.send_lines;
  if (lines_.size() < kMostWaiting) lines_ += stamped;
  last_line_ = line;
  last_line_at_ = said_at_ = now;
  changed_.notify_all();
}

void JobHeartbeat::say_again() {
  const auto now = clock_.instant();
  if (is_closed_ || last_line_.empty() || now - said_at_ < pace_.say_again) return;
  said_at_ = now;
  if (lines_.size() >= kMostWaiting) return;
  const auto silent = std::chrono::duration_cast<seconds>(now - last_line_at_);
  lines_ +=
      fmt::format("[agent] {} still at it after {} s: {}\n", base::iso8601(clock_.now()), silent.count(), last_line_);
}

void JobHeartbeat::flush() {
  std::unique_lock lock(mutex_);
  if (lines_.empty() && !is_sending_) return;
  is_flush_wanted_ = true;
  changed_.notify_all();
  clock_.wait(lock, changed_, {}, base::Instant::max(), [&] { return !is_flush_wanted_; });
}

void JobHeartbeat::close_log() {
  {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
  }
  flush();
}

void JobHeartbeat::lose() {
  is_lost_ = true;
  on_lost_.request_stop();
}

void JobHeartbeat::renew(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const auto granted = client_.renew(job_id_, lease_token_);
  lock.lock();
  const auto now = clock_.instant();
  if (granted) {
    lease_until_ = now + seconds(*granted);
  } else {
    // A hub that is away may come back in time; one that answers has decided.
    const bool is_away =
        granted.error().code == base::Code::kUnavailable || granted.error().code == base::Code::kDeadlineExceeded;
    if (!is_away || now >= lease_until_) lose();
  }
  const bool is_near_the_end = !is_lost_ && lease_until_ - now < 2 * pace_.renew;
  renew_due_ = now + (is_near_the_end ? pace_.renew_again : pace_.renew);
}

void JobHeartbeat::send_lines(std::unique_lock<std::mutex>& lock) {
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

base::Instant JobHeartbeat::due() const {
  base::Instant due = renew_due_;
  if (!lines_.empty()) due = std::min(due, send_due_);
  if (!is_closed_ && !last_line_.empty()) due = std::min(due, said_at_ + pace_.say_again);
  return due;
}

void JobHeartbeat::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto end = due();
    clock_.wait(lock, changed_, stop, end, [&] { return is_flush_wanted_ || due() < end; });
    if (!is_flush_wanted_) say_again();
    if (is_flush_wanted_ || clock_.instant() >= send_due_) {
      send_lines(lock);
      send_due_ = clock_.instant() + pace_.send_lines;  // of what could not be sent
    }
    if (is_flush_wanted_) {
      is_flush_wanted_ = false;
      changed_.notify_all();
    }
    if (!stop.stop_requested() && clock_.instant() >= renew_due_) renew(lock);
  }
  is_flush_wanted_ = false;
  changed_.notify_all();
}

}  // namespace slipway::worker
