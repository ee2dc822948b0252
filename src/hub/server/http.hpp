#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hub/domain/ports/blob_store.hpp"

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

/// Bytes that follow the header instead of Response::body.
struct Stream {
  std::shared_ptr<domain::BlobStore::Reader> reader;
  std::uint64_t size_bytes = 0;
};

struct Response {
  int status = 200;
  std::string content_type = "application/x-protobuf";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<Stream> stream;
  bool ends_connection = false;
};

}  // namespace slipway::hub::server
