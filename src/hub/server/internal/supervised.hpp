#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "hub/server/health.hpp"

namespace slipway::hub::server::internal {

/// What everything that must go on for as long as the server does is watched with.
struct Supervision {
  Health& health;
  const std::atomic<bool>& is_stopping;
  std::function<base::Time()> now;
};

/// Does `round` again and again until the server stops. A round that throws is logged, noted in the health under the
/// name of its part, and followed by the next one after a moment.
boost::asio::awaitable<void> supervised(const Supervision& supervision, std::string_view part,
                                        std::function<boost::asio::awaitable<void>()> round);

}  // namespace slipway::hub::server::internal
