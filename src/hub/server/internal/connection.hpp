#pragma once

#include <atomic>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "hub/server/internal/change_signal.hpp"
#include "hub/server/server.hpp"
#include "hub/server/service.hpp"

namespace slipway::hub::server::internal {

/// What all connections share.
struct Shared {
  Service& service;
  const ServerSettings& settings;
  ChangeSignal& changes;
  std::atomic<bool> is_stopping{false};
};

/// One TCP connection: reads requests and answers them in turn until it is closed.
/// @thread run() and close_if_idle() on the socket's strand
class Connection {
 public:
  virtual ~Connection() = default;
  virtual boost::asio::awaitable<void> run() = 0;
  virtual void close_if_idle() = 0;
};

/// @param socket  its executor is a strand
[[nodiscard]] std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, Shared& shared);

/// Answers 503 and closes: for connections beyond the limit.
boost::asio::awaitable<void> turn_away(boost::asio::ip::tcp::socket socket);

}  // namespace slipway::hub::server::internal
