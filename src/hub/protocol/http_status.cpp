#include "hub/protocol/http_status.hpp"

#include <nlohmann/json.hpp>

#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol {

int http_status(const base::Error& error, Reader reader) {
  if (error.is_about_writing()) return reader == Reader::kOfficialClient ? 409 : 507;
  if (error.reason == base::Reason::kOutOfMemory) return 503;
  switch (error.code) {
    case base::Code::kInvalidArgument:
    case base::Code::kFailedPrecondition:
    case base::Code::kOutOfRange:
    case base::Code::kUnimplemented:
    case base::Code::kCancelled:
      return 400;
    case base::Code::kUnauthenticated:
      return 401;
    case base::Code::kPermissionDenied:
      return 403;
    case base::Code::kNotFound:
      return 404;
    case base::Code::kAlreadyExists:
    case base::Code::kAborted:
      return 409;
    case base::Code::kResourceExhausted:
      return reader == Reader::kOfficialClient ? 400 : 413;
    case base::Code::kUnavailable:
    case base::Code::kDeadlineExceeded:
      return 503;
    case base::Code::kUnknown:
    case base::Code::kInternal:
    case base::Code::kDataLoss:
      return 500;
  }
  return 500;
}

std::string_view words_for_full_store(base::Reason reason) {
  return reason == base::Reason::kReadOnly
             ? "this hub's data folder is read-only for now: what it holds can be read, and nothing new is taken until "
               "its administrator makes it writable again"
             : "this hub's disk has no room for this: what it holds can be read, and more is taken as soon as there is "
               "room again. Its administrator can free some, for instance with `slipway-hub collect`";
}

std::string error_body(std::string_view detail) {
  return nlohmann::json{{"detail", wire_text(detail)}}.dump();
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 303:
      return "See Other";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

}  // namespace slipway::hub::protocol
