#include "hub/server/local_request.hpp"

#include <chrono>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace slipway::hub::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds kPatience{30};

}  // namespace

base::Result<LocalReply> send_local_request(const std::string& address, std::uint16_t port, const std::string& method,
                                            const std::string& path, const std::string& token,
                                            const std::string& body) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return base::fail(base::Code::kInvalidArgument, "\"{}\" is no IP address", address);

  asio::io_context context;
  beast::tcp_stream stream(context);
  stream.expires_after(kPatience);
  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::authorization, "token " + token);
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  http::response<http::string_body> response;
  beast::flat_buffer buffer;
  // Asynchronous calls are the ones that keep to the time limit.
  stream.async_connect({ip, port}, [&](boost::system::error_code connected) {
    error = connected;
    if (error) return;
    http::async_write(stream, request, [&](boost::system::error_code written, std::size_t) {
      error = written;
      if (error) return;
      http::async_read(stream, buffer, response, [&](boost::system::error_code read, std::size_t) { error = read; });
    });
  });
  context.run();
  if (error) {
    return base::fail(base::Code::kUnavailable, "the hub at {} port {} does not answer: {}", address, port,
                      error.message());
  }
  return LocalReply{.status = static_cast<int>(response.result_int()), .body = std::move(response.body())};
}

}  // namespace slipway::hub::server
