#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

namespace slipway::hub::client::testing {

struct ReceivedRequest {
  std::string method, path, headers, body;
};
struct Answer {
  int status = 200;
  std::string body;
  std::string headers;                        ///< further lines, each ended by CRLF
  bool hang_up = false;                       ///< close without an answer
  std::optional<std::size_t> cut_after = {};  ///< close after so many bytes of the body
};

/// An HTTP/1.1 server of a few lines on plain sockets, so that nothing of the hub is tested against itself.
class TinyServer {
 public:
  using Handler = std::function<Answer(const ReceivedRequest&)>;

  explicit TinyServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::listen(listener_, 8);
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] {
      for (;;) {
        const int socket = ::accept(listener_, nullptr, nullptr);
        if (socket < 0) return;
        ++connections_;
        const std::scoped_lock lock(mutex_);
        sockets_.push_back(socket);
        workers_.emplace_back([this, socket] { serve(socket); });
      }
    });
  }
  ~TinyServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    for (auto& worker : workers_) worker.join();
    for (const int socket : sockets_) ::close(socket);
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  [[nodiscard]] int connections() const { return connections_; }
  std::vector<ReceivedRequest> received() {
    const std::scoped_lock lock(mutex_);
    return received_;
  }

 private:
  void serve(int socket) {
    std::string buffer;
    const auto read_more = [&] {
      std::array<char, 65536> piece;
      const ssize_t count = ::recv(socket, piece.data(), piece.size(), 0);
      if (count > 0) buffer.append(piece.data(), static_cast<std::size_t>(count));
      return count > 0;
    };
    for (;;) {
      while (buffer.find("\r\n\r\n") == std::string::npos) {
        if (!read_more()) return;
      }
      ReceivedRequest seen;
      const auto end = buffer.find("\r\n\r\n");
      seen.headers = buffer.substr(0, end);
      buffer.erase(0, end + 4);
      seen.method = seen.headers.substr(0, seen.headers.find(' '));
      seen.path = seen.headers.substr(seen.method.size() + 1);
      seen.path = seen.path.substr(0, seen.path.find(' '));
      const auto length_at = seen.headers.find("Content-Length: ");
      const std::size_t length =
          length_at == std::string::npos ? 0 : std::strtoull(seen.headers.c_str() + length_at + 16, nullptr, 10);
      while (buffer.size() < length) {
        if (!read_more()) return;
      }
      seen.body = buffer.substr(0, length);
      buffer.erase(0, length);
      {
        const std::scoped_lock lock(mutex_);
        received_.push_back(seen);
      }
      const Answer answer = handler_(seen);
      if (answer.hang_up) {
        ::shutdown(socket, SHUT_RDWR);
        return;
      }
      const std::string reply =
          fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", answer.status, answer.body.size(),
                      answer.headers, answer.body.substr(0, answer.cut_after.value_or(answer.body.size())));
      if (::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
      if (answer.cut_after) {
        ::shutdown(socket, SHUT_RDWR);
        return;
      }
    }
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<ReceivedRequest> received_;
  std::vector<int> sockets_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace slipway::hub::client::testing
