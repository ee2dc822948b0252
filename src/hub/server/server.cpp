#include "hub/server/server.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "hub/server/internal/connection.hpp"

namespace slipway::hub::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kSweepInterval{1};

class HttpServer final : public Server {
 public:
  HttpServer(domain::Hub& hub, const SignedLinks& links, ServerSettings settings, ServiceSettings service_settings)
      : settings_(std::move(settings)),
        hub_(hub),
        service_(hub, links, std::move(service_settings)),
        context_(settings_.threads),
        acceptor_(asio::make_strand(context_)),
        sweep_timer_(asio::make_strand(context_)) {}

  ~HttpServer() override { stop(std::chrono::milliseconds(0)); }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  base::Result<void> listen() {
    error_code error;
    const auto address = asio::ip::make_address(settings_.address, error);
    if (error) {
      return base::fail(base::Code::kInvalidArgument, "listen: expected an IP address, found \"{}\"",
                        settings_.address);
    }
    const tcp::endpoint endpoint(address, settings_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return base::fail(base::Code::kUnavailable, "listen on {}:{}: {}; is another hub running there?",
                        settings_.address, settings_.port, error.message());
    }
    port_ = acceptor_.local_endpoint(error).port();
    return {};
  }

  void run() {
    // The listener may be called while the server is already gone: it owns what it needs.
    hub_.set_change_listener([changes = changes_] { changes->notify(); });
    asio::co_spawn(acceptor_.get_executor(), accept_connections(), asio::detached);
    asio::co_spawn(sweep_timer_.get_executor(), sweep_often(), asio::detached);
    for (int i = 0; i < settings_.threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
    }
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  void stop(std::chrono::milliseconds patience) override {
    if (shared_.is_stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
    });
    asio::post(sweep_timer_.get_executor(), [this] { sweep_timer_.cancel(); });
    changes_->notify();
    {
      std::unique_lock lock(mutex_);
      for (const Open& open : connections_) {
        asio::post(open.executor, [connection = open.connection] { connection->close_if_idle(); });
      }
      all_closed_.wait_for(lock, patience, [this] { return connections_.empty(); });
    }
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    hub_.set_change_listener([] {});
    // What is left lives in coroutines that the context destroys; nothing may outlive it here.
    changes_->abandon();
    connections_.clear();
  }

 private:
  struct Open {
    std::shared_ptr<internal::Connection> connection;
    asio::any_io_executor executor;
    friend bool operator==(const Open& a, const Open& b) { return a.connection == b.connection; }
  };
  struct HashOpen {
    std::size_t operator()(const Open& open) const { return std::hash<void*>()(open.connection.get()); }
  };

  asio::awaitable<void> accept_connections() {
    while (!shared_.is_stopping) {
      error_code error;
      tcp::socket socket = co_await acceptor_.async_accept(asio::any_io_executor(asio::make_strand(context_)),
                                                           asio::redirect_error(asio::use_awaitable, error));
      if (shared_.is_stopping) co_return;
      if (error) {
        // Out of descriptors, or the peer left already: breathe, then go on.
        spdlog::warn("accept: {}", error.message());
        asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      serve(std::move(socket));
    }
  }

  void serve(tcp::socket socket) {
    const auto executor = socket.get_executor();
    const std::unique_lock lock(mutex_);
    if (connections_.size() >= static_cast<std::size_t>(settings_.max_connections)) {
      asio::co_spawn(executor, internal::turn_away(std::move(socket)), asio::detached);
      return;
    }
    Open open{.connection = internal::make_connection(std::move(socket), shared_), .executor = executor};
    connections_.insert(open);
    asio::co_spawn(
        executor, [open]() -> asio::awaitable<void> { co_await open.connection->run(); },
        [this, open](const std::exception_ptr& problem) {
          if (problem) {
            try {
              std::rethrow_exception(problem);
            } catch (const std::exception& error) {
              spdlog::error("a connection ended by an exception: {}", error.what());
            }
          }
          const std::lock_guard guard(mutex_);
          connections_.erase(open);
          if (connections_.empty()) all_closed_.notify_all();
        });
  }

  asio::awaitable<void> sweep_often() {
    while (!shared_.is_stopping) {
      hub_.sweep();
      error_code ignored;
      sweep_timer_.expires_after(kSweepInterval);
      co_await sweep_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
  }

  ServerSettings settings_;
  domain::Hub& hub_;
  Service service_;
  std::shared_ptr<internal::ChangeSignal> changes_ = std::make_shared<internal::ChangeSignal>();
  internal::Shared shared_{.service = service_, .settings = settings_, .changes = *changes_};
  // The connections' coroutines live in the context: it goes before all that they use.
  std::mutex mutex_;
  std::condition_variable all_closed_;
  std::unordered_set<Open, HashOpen> connections_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  asio::steady_timer sweep_timer_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(domain::Hub& hub, const SignedLinks& links, ServerSettings settings,
                                                    ServiceSettings service_settings) {
  settings.threads = std::max(settings.threads, 1);
  auto server = std::make_unique<HttpServer>(hub, links, std::move(settings), std::move(service_settings));
  SLIPWAY_TRY(server->listen());
  server->run();
  return server;
}

}  // namespace slipway::hub::server
