#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>

namespace slipway::pipelines {

/// A first-in first-out queue between two threads that holds at most `capacity` values.
/// @thread all members are safe to call from any thread
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Waits for room; false when the queue is closed and the value was not taken.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return is_closed_ || values_.size() < capacity_; });
    if (is_closed_) return false;
    values_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  /// Waits for a value; nothing when the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return is_closed_ || !values_.empty(); });
    if (values_.empty()) return std::nullopt;
    T value = std::move(values_.front());
    values_.pop_front();
    room_.notify_one();
    return value;
  }

  /// No more values come; those inside can still be taken.
  void close() {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    filled_.notify_all();
    room_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable filled_, room_;
  std::deque<T> values_;
  bool is_closed_ = false;
};

}  // namespace slipway::pipelines
