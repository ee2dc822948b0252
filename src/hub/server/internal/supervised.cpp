#include "hub/server/internal/supervised.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "hub/server/internal/exception_text.hpp"

namespace slipway::hub::server::internal {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kPause{100};

}  // namespace

asio::awaitable<void> supervised(const Supervision& supervision, std::string_view part,
                                 std::function<asio::awaitable<void>()> round) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!supervision.is_stopping) {
    std::exception_ptr problem;
    try {
      co_await round();
    } catch (...) {
      problem = std::current_exception();
    }
    if (!problem || supervision.is_stopping) continue;
    spdlog::error("{} failed and is tried again: {}", part, text_of(problem));
    supervision.health.note_failure(part, public_text_of(problem), supervision.now());
    timer.expires_after(kPause);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace slipway::hub::server::internal
