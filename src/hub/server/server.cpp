#include "hub/server/server.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include "hub/server/internal/connection.hpp"
#include "hub/server/internal/exception_text.hpp"
#include "hub/server/internal/supervised.hpp"

namespace slipway::hub::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using internal::ConnectionSlots;

constexpr std::chrono::seconds kSweepInterval{1};
constexpr std::string_view kAccepting = "accepting connections", kSweeping = "taking back lost leases";

ConnectionSlots::Limits limits_of(const ServerSettings& settings) {
  return {.all = static_cast<std::size_t>(settings.max_connections),
          .waiting_strangers = static_cast<std::size_t>(settings.waiting_strangers),
          .waiting_strangers_of_an_address = static_cast<std::size_t>(settings.waiting_strangers_of_an_address)};
}

class HttpServer final : public Server {
 public:
  HttpServer(domain::Hub& hub, const SignedLinks& links, ServerSettings settings, ServiceSettings service_settings)
      : settings_(std::move(settings)),
        hub_(hub),
        service_(hub, links, health_, std::move(service_settings)),
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
    const auto go_on = [this](const auto& executor, std::string_view part, auto round) {
      asio::co_spawn(executor, internal::supervised(supervision_, part, std::move(round)), asio::detached);
    };
    go_on(acceptor_.get_executor(), kAccepting, [this] { return accept_one(); });
    go_on(sweep_timer_.get_executor(), kSweeping, [this] { return sweep_once(); });
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
    lanes_.stop();
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

  asio::awaitable<void> accept_one() {
    error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::any_io_executor(asio::make_strand(context_)),
                                                         asio::redirect_error(asio::use_awaitable, error));
    if (shared_.is_stopping) co_return;
    // Out of descriptors, say.
    if (error) throw boost::system::system_error(error);
    serve(std::move(socket));
  }

  void serve(tcp::socket socket) {
    const auto executor = socket.get_executor();
    Open open{.connection = internal::make_connection(std::move(socket), shared_), .executor = executor};
    const auto close = [executor, connection = std::weak_ptr(open.connection)] {
      asio::post(executor, [connection] {
        if (const auto here = connection.lock()) here->close();
      });
    };
    auto slot = slots_.arrive(open.connection->remote_address(), close);
    if (!slot) {
      asio::co_spawn(
          executor, [open]() -> asio::awaitable<void> { co_await open.connection->turn_away(); }, asio::detached);
      return;
    }
    const std::unique_lock lock(mutex_);
    connections_.insert(open);
    asio::co_spawn(
        executor,
        [open, slot = std::move(slot)]() mutable -> asio::awaitable<void> {
          co_await open.connection->run(std::move(slot));
        },
        [this, open](const std::exception_ptr& problem) {
          if (problem) spdlog::error("a connection ended by an exception: {}", internal::text_of(problem));
          const std::lock_guard guard(mutex_);
          connections_.erase(open);
          if (connections_.empty()) all_closed_.notify_all();
        });
  }

  asio::awaitable<void> sweep_once() {
    const auto swept = co_await lanes_.upkeep.run([this] { return hub_.sweep(); });
    if (!swept) throw std::runtime_error(swept.error().message);
    if (!*swept) throw std::runtime_error(swept->error().message);
    error_code ignored;
    sweep_timer_.expires_after(kSweepInterval);
    co_await sweep_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }

  ServerSettings settings_;
  domain::Hub& hub_;
  Health health_;
  Service service_;
  std::shared_ptr<internal::ChangeSignal> changes_ = std::make_shared<internal::ChangeSignal>();
  ConnectionSlots slots_{limits_of(settings_)};
  // The connections' coroutines live in the context and in the lanes: these go before all that the coroutines use, and
  // the lanes before the context, whose sockets those who wait in a lane hold.
  std::mutex mutex_;
  std::condition_variable all_closed_;
  std::unordered_set<Open, HashOpen> connections_;
  asio::io_context context_;
  // A request in a lane is not the context's work.
  asio::executor_work_guard<asio::io_context::executor_type> work_guard_ = asio::make_work_guard(context_);
  internal::WorkLanes lanes_;
  internal::Shared shared_{.service = service_, .settings = settings_, .changes = *changes_, .lanes = lanes_};
  internal::Supervision supervision_{
      .health = health_, .is_stopping = shared_.is_stopping, .now = [this] { return hub_.now(); }};
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
