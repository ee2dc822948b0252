#pragma once

#include <atomic>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "hub/server/internal/change_signal.hpp"
#include "hub/server/internal/connection_slots.hpp"
#include "hub/server/internal/work_lanes.hpp"
#include "hub/server/server.hpp"
#include "hub/server/service.hpp"

namespace slipway::hub::server::internal {

/// What all connections share.
struct Shared {
  Service& service;
  const ServerSettings& settings;
  ChangeSignal& changes;
  WorkLanes& lanes;
  std::atomic<bool> is_stopping{false};
};

/// One TCP connection: reads requests and answers them in turn until it is closed. What blocks is done in the lanes.
/// @thread run(), close() and close_if_idle() on the socket's strand
class Connection {
 public:
  virtual ~Connection() = default;
  /// @param slot  the connection's place, which it keeps until it ends
  virtual boost::asio::awaitable<void> run(std::unique_ptr<ConnectionSlots::Slot> slot) = 0;
  /// Answers 503 and closes instead: for connections beyond the limit.
  virtual boost::asio::awaitable<void> turn_away() = 0;
  virtual void close() = 0;
  virtual void close_if_idle() = 0;
  /// The other end, as text without a port.
  [[nodiscard]] virtual const std::string& remote_address() const = 0;
};

/// @param socket  its executor is a strand
[[nodiscard]] std::shared_ptr<Connection> make_connection(boost::asio::ip::tcp::socket socket, Shared& shared);

}  // namespace slipway::hub::server::internal
