#include "hub/server/multipart.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace slipway::hub::server {
namespace {

constexpr std::size_t kHeaderLimitBytes = 8192;
constexpr int kMostParts = 64;
constexpr std::size_t kMostBoundaryCharacters = 70;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return base::lowered(a) == base::lowered(b);
}

/// The value of a parameter in `type; key=value; key="quoted"`, or nothing.
std::optional<std::string> parameter(std::string_view text, std::string_view wanted) {
  std::size_t i = std::min(text.find(';'), text.size());
  while (i < text.size()) {
    const std::size_t equals = text.find('=', i + 1);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = base::trimmed(text.substr(i + 1, equals - i - 1));
    std::string value;
    std::size_t at = equals + 1;
    if (at < text.size() && text[at] == '"') {
      ++at;
      while (at < text.size() && text[at] != '"') {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        value += text[at++];
      }
      i = std::min(text.find(';', at), text.size());
    } else {
      i = std::min(text.find(';', at), text.size());
      value = base::trimmed(text.substr(at, i - at));
    }
    if (equal_ignoring_case(key, wanted)) return value;
  }
  return std::nullopt;
}

/// The part's name from its header lines.
base::Result<std::string> part_name(std::string_view header) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find("\r\n"), header.size());
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(end + 2, header.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equal_ignoring_case(line.substr(0, colon), "Content-Disposition")) continue;
    const auto name = parameter(line.substr(colon + 1), "name");
    if (name) return *name;
  }
  return base::fail(base::Code::kInvalidArgument, "form: a part has no Content-Disposition header with a name");
}

}  // namespace

base::Result<std::string> multipart_boundary(std::string_view content_type) {
  const std::string_view type = base::trimmed(content_type.substr(0, content_type.find(';')));
  const auto boundary = parameter(content_type, "boundary");
  if (!equal_ignoring_case(type, "multipart/form-data") || !boundary) {
    return base::fail(base::Code::kInvalidArgument, "expected Content-Type multipart/form-data with a boundary");
  }
  const bool is_allowed = std::ranges::all_of(*boundary, [](char c) { return c > ' ' && c < '\x7f'; });
  if (boundary->empty() || boundary->size() > kMostBoundaryCharacters || !is_allowed) {
    return base::fail(base::Code::kInvalidArgument,
                      "form: expected a boundary of 1 to {} printable characters, found {} characters",
                      kMostBoundaryCharacters, boundary->size());
  }
  return *boundary;
}

// The buffer begins with a line end so that the first delimiter looks like every other.
MultipartParser::MultipartParser(std::string_view boundary, Receiver& receiver)
    : delimiter_(fmt::format("\r\n--{}", boundary)), receiver_(receiver), buffer_("\r\n") {}

base::Result<void> MultipartParser::feed(std::string_view bytes) {
  if (state_ == State::kEpilogue) return {};
  buffer_ += bytes;
  while (true) {
    SLIPWAY_ASSIGN(const bool moved, step());
    if (!moved) return {};
  }
}

base::Result<void> MultipartParser::finish() const {
  if (state_ != State::kEpilogue) {
    return base::fail(base::Code::kInvalidArgument, "form: the body ended before its closing delimiter");
  }
  return {};
}

base::Result<bool> MultipartParser::step() {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return step_data();
    case State::kAfterDelimiter:
      return step_delimiter_end();
    case State::kHeader:
      return step_header();
    case State::kEpilogue:
      buffer_.clear();
      return false;
  }
  return false;
}

base::Result<bool> MultipartParser::step_data() {
  const std::size_t found = buffer_.find(delimiter_);
  const bool is_whole = found != std::string::npos;
  // A delimiter may begin in the last bytes: they stay until more come.
  const std::size_t kept = delimiter_.size() - 1;
  const std::size_t ready = is_whole ? found : (buffer_.size() > kept ? buffer_.size() - kept : 0);
  if (state_ == State::kData && ready > 0) {
    SLIPWAY_TRY(receiver_.part_data(std::as_bytes(std::span(buffer_.data(), ready))));
  }
  if (!is_whole) {
    buffer_.erase(0, ready);
    return false;
  }
  if (state_ == State::kData) SLIPWAY_TRY(receiver_.end_part());
  buffer_.erase(0, found + delimiter_.size());
  state_ = State::kAfterDelimiter;
  return true;
}

base::Result<bool> MultipartParser::step_delimiter_end() {
  if (buffer_.size() < 2) return false;
  if (buffer_.starts_with("--")) {
    state_ = State::kEpilogue;
    return true;
  }
  const std::size_t blanks = buffer_.find_first_not_of(" \t");
  if (blanks == std::string::npos || buffer_.size() < blanks + 2) {
    if (buffer_.size() < kHeaderLimitBytes) return false;
  } else if (buffer_.compare(blanks, 2, "\r\n") == 0) {
    if (++part_count_ > kMostParts) {
      return base::fail(base::Code::kInvalidArgument, "form: expected at most {} parts", kMostParts);
    }
    // The line end stays: a part without header lines has its blank line right here.
    buffer_.erase(0, blanks);
    state_ = State::kHeader;
    return true;
  }
  return base::fail(base::Code::kInvalidArgument, "form: a delimiter is followed by other text than a line end");
}

base::Result<bool> MultipartParser::step_header() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos ? buffer_.size() > kHeaderLimitBytes : end > kHeaderLimitBytes) {
    return base::fail(base::Code::kInvalidArgument, "form: expected at most {} bytes of header in a part",
                      kHeaderLimitBytes);
  }
  if (end == std::string::npos) return false;
  const std::string header = end == 0 ? std::string() : buffer_.substr(2, end - 2);
  SLIPWAY_ASSIGN(const std::string name, part_name(header));
  SLIPWAY_TRY(receiver_.begin_part(name));
  buffer_.erase(0, end + 4);
  state_ = State::kData;
  return true;
}

}  // namespace slipway::hub::server
