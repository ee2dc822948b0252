#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"

namespace slipway::hub::server::internal {

/// Threads for one sort of work that blocks, with a bounded queue before them. A coroutine that waits for its work
/// holds no thread, so that what takes long in one lane holds up neither the transport nor another lane. The threads
/// start with the first work: an idle hub has none for uploads that nobody sends.
/// @thread safe from any thread
class WorkLane {
 public:
  /// @param most_waiting  more than these, besides what is being done, are refused
  WorkLane(std::string_view name, int threads, std::size_t most_waiting);
  WorkLane(const WorkLane&) = delete;
  WorkLane& operator=(const WorkLane&) = delete;

  /// Does `work` on a thread of the lane and returns what it returns, on the coroutine's own executor.
  /// @error kUnavailable: too many are waiting; kInternal: the work threw, which is logged
  template <typename Work>
  boost::asio::awaitable<base::Result<std::invoke_result_t<Work&>>> run(Work work);

  /// Waits for what is being done; what has not begun will not. The coroutines that wait for it stay suspended and go
  /// with the lane, which must go before their executor does.
  void stop();

 private:
  [[nodiscard]] bool enter();
  [[nodiscard]] boost::asio::thread_pool& threads();
  [[nodiscard]] base::Error refusal() const;
  [[nodiscard]] base::Error broken(const std::exception_ptr& problem) const;

  std::string_view name_;
  std::size_t most_waiting_;
  std::atomic<std::size_t> waiting_{0};
  std::size_t thread_count_;
  std::once_flag started_;
  std::optional<boost::asio::thread_pool> threads_;
};

template <typename Work>
boost::asio::awaitable<base::Result<std::invoke_result_t<Work&>>> WorkLane::run(Work work) {
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work&>;
  if (!enter()) co_return std::unexpected(refusal());
  // All of this lives in the coroutine's frame, which the completion handler keeps.
  std::optional<Value> value;
  std::exception_ptr problem;
  const auto start = [&](auto done) {
    asio::post(threads(), [&, done = std::move(done)]() mutable {
      --waiting_;
      try {
        value.emplace(work());
      } catch (...) {
        problem = std::current_exception();
      }
      const auto executor = asio::get_associated_executor(done);
      asio::post(executor, std::move(done));
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
  if (problem) co_return std::unexpected(broken(problem));
  co_return std::move(*value);
}

}  // namespace slipway::hub::server::internal
