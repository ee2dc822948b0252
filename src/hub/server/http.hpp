#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Requests and replies as the handlers see them: plain text, without the HTTP library.
namespace slipway::hub::server {

struct Request {
  std::string id;  ///< for logs and error texts; not secret
  std::string method;
  std::string path;   ///< before the query, as sent
  std::string query;  ///< after the question mark, as sent
  std::string authorization, cookie, host, origin, content_type, range;
  std::string body;  ///< whole; empty for streamed bodies
  std::string remote_address;
};

/// A piece of a file that follows the header instead of Response::body.
struct FilePiece {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/x-protobuf";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<FilePiece> file;
  bool ends_connection = false;
};

}  // namespace slipway::hub::server
