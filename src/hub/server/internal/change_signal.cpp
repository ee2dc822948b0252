#include "hub/server/internal/change_signal.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace slipway::hub::server::internal {

namespace asio = boost::asio;

void ChangeSignal::notify() {
  std::unordered_set<std::shared_ptr<asio::steady_timer>> woken;
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    woken.swap(waiting_);
  }
  // On the timer's own strand: its coroutine has begun to wait by the time this runs.
  for (const auto& timer : woken) {
    asio::post(timer->get_executor(), [timer] { timer->cancel(); });
  }
}

std::uint64_t ChangeSignal::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void ChangeSignal::abandon() {
  std::unordered_set<std::shared_ptr<asio::steady_timer>> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

asio::awaitable<void> ChangeSignal::wait(std::uint64_t seen, std::chrono::nanoseconds time) {
  const auto executor = co_await asio::this_coro::executor;
  auto timer = std::make_shared<asio::steady_timer>(executor, time);
  {
    const std::lock_guard lock(mutex_);
    if (generation_ != seen) co_return;
    waiting_.insert(timer);
  }
  boost::system::error_code ignored;
  co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const std::lock_guard lock(mutex_);
  waiting_.erase(timer);
}

}  // namespace slipway::hub::server::internal
