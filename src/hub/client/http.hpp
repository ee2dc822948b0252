#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::client {

/// One HTTP request.
struct Request {
  std::string method = "GET";
  std::string url;
  std::string authorization;  ///< the header's value; empty: none is sent
  std::string content_type;
  std::string_view body;  ///< what is sent, unless `upload` is given

  struct FilePart {
    std::filesystem::path file;
    std::uint64_t offset = 0, size_bytes = 0;
  };
  const FilePart* upload = nullptr;  ///< streamed from the file with Content-Length
  /// Told how many bytes of `upload` the connection has taken so far.
  std::function<void(std::uint64_t size_bytes)> sent;

  std::uint64_t range_begin = 0;  ///< not 0: asks for the bytes from here on (206, or 200 with the whole)
  /// Takes the reply's body piece by piece when its status is 2xx; false stops the transfer.
  std::function<bool(int status, std::string_view piece)> sink;
  std::chrono::milliseconds time_limit{0};  ///< for the whole request; 0: none
  std::chrono::seconds stall_limit{30};     ///< no byte for so long ends it
};

struct Reply {
  int status = 0;
  std::string body;  ///< at most 16 MiB; empty when a sink took it
  std::string etag;
  std::string reason;  ///< of a refusal, where the server says it in one word (Slipway-Reason)
};

/// The way to a hub.
/// @thread one object belongs to one thread at a time
class Connection {
 public:
  virtual ~Connection() = default;
  /// Sends a request and waits for the whole reply, whatever its status. Redirects are not followed.
  /// @error kUnavailable: no connection, or it broke; kDeadlineExceeded: a limit passed; kCancelled: `stop`, at once
  [[nodiscard]] virtual base::Result<Reply> send(const Request& request, std::stop_token stop) = 0;
};

/// Connections to one or a few servers over the network, kept open between requests.
class HttpConnection final : public Connection {
 public:
  HttpConnection();
  ~HttpConnection() override;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] base::Result<Reply> send(const Request& request, std::stop_token stop) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::hub::client
