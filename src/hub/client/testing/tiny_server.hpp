#pragma once

#include <atomic>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>

#include "base/descriptor.hpp"
#include "base/testing/sockets.hpp"

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
    acceptor_ = std::thread([this] {
      for (;;) {
        const int socket = ::accept(listener_.descriptor.get(), nullptr, nullptr);
        if (socket < 0) return;
        ++connections_;
        const std::scoped_lock lock(mutex_);
        sockets_.emplace_back(socket);
        workers_.emplace_back([this, &own = sockets_.back()] { serve(own); });
      }
    });
  }
  ~TinyServer() {
    ::shutdown(listener_.descriptor.get(), SHUT_RDWR);
    acceptor_.join();
    for (const base::Descriptor& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
    for (auto& worker : workers_) worker.join();
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", listener_.port); }
  [[nodiscard]] int connections() const { return connections_; }
  std::vector<ReceivedRequest> received() {
    const std::scoped_lock lock(mutex_);
    return received_;
  }

 private:
  void serve(const base::Descriptor& socket) {
    std::string buffer;
    const auto read_more = [&] { return base::testing::read_more(socket, buffer, -1); };
    for (;;) {
      while (buffer.find("\r\n\r\n") == std::string::npos) {
        if (!read_more()) return;
      }
      ReceivedRequest request;
      const auto end = buffer.find("\r\n\r\n");
      request.headers = buffer.substr(0, end);
      buffer.erase(0, end + 4);
      request.method = request.headers.substr(0, request.headers.find(' '));
      request.path = request.headers.substr(request.method.size() + 1);
      request.path = request.path.substr(0, request.path.find(' '));
      const auto length_at = request.headers.find("Content-Length: ");
      const std::size_t length =
          length_at == std::string::npos ? 0 : std::strtoull(request.headers.c_str() + length_at + 16, nullptr, 10);
      while (buffer.size() < length) {
        if (!read_more()) return;
      }
      request.body = buffer.substr(0, length);
      buffer.erase(0, length);
      {
        const std::scoped_lock lock(mutex_);
        received_.push_back(request);
      }
      const Answer answer = handler_(request);
      if (answer.hang_up) {
        ::shutdown(socket.get(), SHUT_RDWR);
        return;
      }
      const std::string reply =
          fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", answer.status, answer.body.size(),
                      answer.headers, answer.body.substr(0, answer.cut_after.value_or(answer.body.size())));
      if (::send(socket.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
      if (answer.cut_after) {
        ::shutdown(socket.get(), SHUT_RDWR);
        return;
      }
    }
  }

  Handler handler_;
  base::testing::Listener listener_ = base::testing::listen_on_loopback();
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<ReceivedRequest> received_;
  std::deque<base::Descriptor> sockets_;  ///< a deque: they stay where they are
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace slipway::hub::client::testing
