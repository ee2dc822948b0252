#include "hub/server/internal/connection.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "hub/protocol/http_status.hpp"

namespace slipway::hub::server::internal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint32_t kHeaderLimitBytes = 16 * 1024;
constexpr std::size_t kFirstReadBytes = 2048;
/// Each piece of a transfer is a change of threads: large enough that this costs nothing beside its bytes.
constexpr std::size_t kPieceBytes = 256 * 1024;
/// How much of a refused body is read before closing, so that the client gets to read the refusal.
constexpr std::uint64_t kDrainLimitBytes = 64ULL << 20;
constexpr std::chrono::seconds kDrainTime{10};
/// A waiting request looks again this often even when nothing seems to change.
constexpr std::chrono::seconds kLongestWait{5};

std::string text_of(boost::core::string_view text) {
  return {text.data(), text.size()};
}

Request request_of(const http::request<http::empty_body>& message, std::string id, std::string remote_address) {
  const std::string target = text_of(message.target());
  const std::size_t question = std::min(target.find('?'), target.size());
  return Request{.id = std::move(id),
                 .method = text_of(message.method_string()),
                 .path = target.substr(0, question),
                 .query = target.substr(std::min(question + 1, target.size())),
                 .authorization = text_of(message[http::field::authorization]),
                 .cookie = text_of(message[http::field::cookie]),
                 .host = text_of(message[http::field::host]),
                 .origin = text_of(message[http::field::origin]),
                 .content_type = text_of(message[http::field::content_type]),
                 .range = text_of(message[http::field::range]),
                 .body = {},
                 .remote_address = std::move(remote_address)};
}

/// What went wrong while reading, as a reply; nothing when the client is simply gone.
std::optional<Response> reply_to_read_error(const error_code& error) {
  const auto reply = [](int status, std::string_view detail) {
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = protocol::error_body(detail);
    return response;
  };
  if (error == http::error::header_limit) return reply(431, "the request's header is too large");
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != http::make_error_code(http::error::bad_method).category()) {
    return std::nullopt;
  }
  return reply(400, "this is not an HTTP request that can be read");
}

class HttpConnection final : public Connection {
 public:
  HttpConnection(asio::ip::tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    error_code ignored;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto remote = stream_.socket().remote_endpoint(ignored);
    remote_address_ = ignored ? "?" : remote.address().to_string();
  }

  asio::awaitable<void> run(std::unique_ptr<ConnectionSlots::Slot> slot) override {
    slot_ = std::move(slot);
    while (true) {
      const bool is_persistent = co_await serve_one();
      if (!is_persistent || shared_.is_stopping) break;
      slot_->waits();
    }
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.close();
    slot_.reset();
  }

  asio::awaitable<void> turn_away() override {
    static constexpr std::string_view kReply =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: application/json\r\n"
        "Content-Length: 50\r\nConnection: close\r\n\r\n{\"detail\":\"too many connections; try again later\"}";
    stream_.expires_after(shared_.settings.header_timeout);
    error_code ignored;
    co_await asio::async_write(stream_, asio::buffer(kReply), asio::redirect_error(asio::use_awaitable, ignored));
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  }

  void close() override { stream_.close(); }
  void close_if_idle() override {
    if (is_idle_) stream_.cancel();
  }
  [[nodiscard]] const std::string& remote_address() const override { return remote_address_; }

 private:
  using Duration = base::Instant::duration;
  using HeaderParser = http::request_parser<http::empty_body>;

  /// Reads and answers one request. @return whether the connection can carry another
  asio::awaitable<bool> serve_one() {
    HeaderParser header;
    header.header_limit(kHeaderLimitBytes);
    header.body_limit(boost::none);
    header.eager(false);
    is_idle_ = true;
    error_code error;
    if (is_used_ && buffer_.size() == 0) {
      // Between two requests there is nothing to be slow about yet.
      stream_.expires_after(slot_->is_known() ? shared_.settings.idle_timeout : shared_.settings.header_timeout);
      const std::size_t count = co_await stream_.async_read_some(buffer_.prepare(kFirstReadBytes),
                                                                 asio::redirect_error(asio::use_awaitable, error));
      buffer_.commit(count);
    }
    stream_.expires_after(shared_.settings.header_timeout);
    if (!error) {
      co_await http::async_read_header(stream_, buffer_, header, asio::redirect_error(asio::use_awaitable, error));
    }
    is_idle_ = false;
    is_used_ = true;
    if (error) {
      if (const auto response = reply_to_read_error(error)) {
        const bool is_sent = co_await send(*response, "GET", 11, false);
        if (is_sent) co_await drain();
      }
      co_return false;
    }
    co_return co_await handle(header);
  }

  asio::awaitable<bool> handle(HeaderParser& header) {
    const auto begin = now();
    const Request request = request_of(header.get(), shared_.service.ids().id("r", 8), remote_address_);
    const std::string& method = request.method;
    const protocol::RouteMatch match = protocol::match_route(method, request.path);
    const bool is_found = match.kind == protocol::RouteMatch::Kind::kFound;
    const std::string_view name = is_found ? protocol::route_name(match.route) : "unknown";
    const unsigned version = header.get().version();
    const bool wants_continue = header.get()[http::field::expect] == "100-continue";
    const bool is_persistence_wanted = header.get().keep_alive();
    bool is_body_read = header.is_done();

    std::optional<std::uint64_t> length;
    if (const auto said = header.content_length()) length = *said;

    slot_->is_served();
    WorkLane& door = shared_.lanes.at_the_door(match);
    auto begun = co_await door.run([&] { return shared_.service.begin(request, match, length); });
    std::optional<Response> response;
    if (!begun) {
      response = shared_.service.refusal(request, begun.error());
    } else if (!*begun) {
      response = std::move(begun->error());
    } else {
      Service::Plan& plan = **begun;
      // What is open to anyone proves nothing; of downloads the link is looked at by the answer.
      const bool is_link = match.access == protocol::Access::kLink;
      if (plan.sink || (!is_link && match.access != protocol::Access::kAnyone)) slot_->becomes_known();
      slot_->waits();
      if (wants_continue && !is_body_read) {
        const bool is_sent = co_await send_continue(version);
        if (!is_sent) co_return false;
      }
      if (plan.body == Service::Plan::Body::kStreamed) {
        response = co_await receive_upload(header, plan, length);
        // Its end blocks as well: a part that broke off is removed, or waits for the joining of its upload.
        co_await shared_.lanes.transfers.run([&] {
          plan.sink.reset();
          return true;
        });
      } else {
        response = co_await receive_message(header, plan);
      }
      // The readers take the parser over; afterwards the body is through, or the connection is of no use.
      is_body_read = is_body_whole_;
      if (response && response->status == 0) co_return false;
      slot_->is_served();
      if (!response) response = co_await wait_for_answer(plan);
      if (!response) co_return false;
      if (is_link && response->status < 400) slot_->becomes_known();
    }
    slot_->waits();
    const bool is_persistent =
        is_persistence_wanted && is_body_read && !shared_.is_stopping && !response->ends_connection;
    const bool is_sent = co_await send(*response, method, version, is_persistent);
    log(request.id, method, name, *response, now() - begin);
    if (!is_sent) co_return false;
    if (!is_body_read) co_await drain();
    co_return is_persistent;
  }

  /// Reads a message's body into the call. Nothing: go on; a reply of status 0: the client is gone.
  asio::awaitable<std::optional<Response>> receive_message(HeaderParser& header, Service::Plan& plan) {
    is_body_whole_ = header.is_done();
    if (is_body_whole_) co_return std::nullopt;
    http::request_parser<http::string_body> parser(std::move(header));
    parser.body_limit(shared_.service.settings().message_limit_bytes);
    stream_.expires_after(shared_.settings.body_timeout);
    error_code error;
    co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
    // In chunks: what says its size was refused before.
    if (error == http::error::body_limit) co_return shared_.service.refusal_of_size(plan.call.request, std::nullopt);
    if (error) {
      Response gone;
      gone.status = 0;
      co_return reply_to_read_error(error).value_or(gone);
    }
    is_body_whole_ = true;
    plan.call.request.body = std::move(parser.get().body());
    co_return std::nullopt;
  }

  /// Passes an upload's body on piece by piece.
  asio::awaitable<std::optional<Response>> receive_upload(HeaderParser& header, Service::Plan& plan,
                                                          std::optional<std::uint64_t> length) {
    is_body_whole_ = header.is_done();
    Response gone;
    gone.status = 0;
    http::request_parser<http::buffer_body> parser(std::move(header));
    parser.body_limit(boost::none);
    std::vector<char> piece(kPieceBytes);
    // Beast reads no more at a time than the buffer has room for, and 512 bytes when it has none.
    buffer_.reserve(kPieceBytes);
    const auto slowest = std::chrono::seconds(length.value_or(0) / shared_.settings.slowest_bytes_per_second);
    const auto deadline = now() + shared_.settings.body_timeout + slowest;
    WorkLane& lane = shared_.lanes.transfers;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      error_code error;
      // Until the piece is full; each bit of progress has the time of its own.
      while (!error && !parser.is_done() && parser.get().body().size > 0) {
        stream_.expires_after(std::min<Duration>(deadline - now(), shared_.settings.body_timeout));
        co_await http::async_read_some(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
      }
      if (error && error != http::error::need_buffer) co_return reply_to_read_error(error).value_or(gone);
      const auto bytes = std::as_bytes(std::span(piece.data(), piece.size() - parser.get().body().size));
      const auto written = co_await lane.run([&] { return plan.sink->write(bytes); });
      if (!written) co_return shared_.service.refusal(plan.call.request, written.error());
      if (!*written) co_return shared_.service.refusal(plan.call.request, written->error());
    }
    is_body_whole_ = true;
    auto reply = co_await lane.run([&] { return plan.sink->finish(); });
    if (!reply) co_return shared_.service.refusal(plan.call.request, reply.error());
    if (!*reply) co_return shared_.service.refusal(plan.call.request, reply->error());
    co_return std::move(**reply);
  }

  /// Asks for the answer until there is one. Nothing: the client is gone.
  asio::awaitable<std::optional<Response>> wait_for_answer(const Service::Plan& plan) {
    const auto deadline = now() + plan.patience;
    WorkLane& lane = shared_.lanes.of_the_answer(plan.call.match);
    while (true) {
      const std::uint64_t seen = shared_.changes.generation();
      const auto asked = now();
      const bool is_last = asked >= deadline || shared_.is_stopping;
      auto response = co_await lane.run([&] { return shared_.service.answer(plan.call, is_last); });
      if (!response) co_return shared_.service.refusal(plan.call.request, response.error());
      if (*response) co_return std::move(*response);
      co_await shared_.changes.wait(seen, std::min<Duration>(deadline - asked, kLongestWait));
      // Work must not be handed to someone who hung up while waiting.
      if (is_client_gone()) co_return std::nullopt;
    }
  }

  [[nodiscard]] base::Instant now() const { return shared_.service.clock().instant(); }

  [[nodiscard]] bool is_client_gone() {
    char byte = 0;
    return ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  asio::awaitable<bool> send_continue(unsigned version) {
    http::response<http::empty_body> message(http::status::continue_, version);
    stream_.expires_after(shared_.settings.body_timeout);
    error_code error;
    co_await http::async_write(stream_, message, asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  asio::awaitable<bool> send(const Response& response, const std::string& method, unsigned version,
                             bool is_persistent) {
    const std::uint64_t size = response.stream ? response.stream->size_bytes : response.body.size();
    http::response<http::empty_body> message;
    message.version(version);
    message.result(static_cast<unsigned>(response.status));
    message.reason(std::string(protocol::reason_phrase(response.status)));
    message.set(http::field::server, "slipway-hub");
    message.set(http::field::content_type, response.content_type);
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) message.set(name, value);
    message.keep_alive(is_persistent);
    message.content_length(size);

    stream_.expires_after(shared_.settings.body_timeout);
    error_code error;
    http::response_serializer<http::empty_body> serializer(message);
    co_await http::async_write_header(stream_, serializer, asio::redirect_error(asio::use_awaitable, error));
    if (error || method == "HEAD") co_return !error;
    if (response.stream) co_return co_await send_stream(*response.stream);
    if (response.body.empty()) co_return true;
    co_await asio::async_write(stream_, asio::buffer(response.body), asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  asio::awaitable<bool> send_stream(const Stream& stream) {
    std::vector<std::byte> bytes(kPieceBytes);
    std::uint64_t sent = 0;
    while (sent < stream.size_bytes) {
      const auto read = co_await shared_.lanes.transfers.run([&] { return stream.reader->read(bytes); });
      const auto count = read ? *read : base::Result<std::size_t>(std::unexpected(read.error()));
      if (!count || *count == 0) {
        spdlog::error("a download broke off after {} of {} bytes: {}", sent, stream.size_bytes,
                      count ? "the bytes ended" : count.error().message);
        co_return false;
      }
      stream_.expires_after(shared_.settings.body_timeout);
      error_code error;
      co_await asio::async_write(stream_, asio::buffer(bytes.data(), *count),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return false;
      sent += *count;
    }
    co_return true;
  }

  /// Reads on for a moment after a refusal: a client that is still sending would otherwise see a reset connection and
  /// never the reply.
  asio::awaitable<void> drain() {
    error_code error;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    std::array<char, 16 * 1024> scrap{};
    std::uint64_t count = 0;
    const auto deadline = now() + kDrainTime;
    while (!error && count < kDrainLimitBytes && now() < deadline && !shared_.is_stopping) {
      stream_.expires_after(std::min<Duration>(deadline - now(), std::chrono::seconds(2)));
      count += co_await stream_.async_read_some(asio::buffer(scrap), asio::redirect_error(asio::use_awaitable, error));
    }
  }

  /// The path stays out: it may hold a link's secret.
  void log(const std::string& id, const std::string& method, std::string_view name, const Response& response,
           Duration took) const {
    const bool is_quiet = method == "GET" && response.status < 400;
    spdlog::log(is_quiet ? spdlog::level::debug : spdlog::level::info, "{} {} {} {} {:.1f} ms {} bytes {}", id,
                method.size() < 16 ? method : "?", name, response.status,
                std::chrono::duration<double, std::milli>(took).count(),
                response.stream ? response.stream->size_bytes : response.body.size(), remote_address_);
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kPieceBytes};
  std::string remote_address_;
  std::unique_ptr<ConnectionSlots::Slot> slot_;
  bool is_idle_ = false;
  bool is_used_ = false;
  bool is_body_whole_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Shared& shared) {
  return std::make_shared<HttpConnection>(std::move(socket), shared);
}

}  // namespace slipway::hub::server::internal
