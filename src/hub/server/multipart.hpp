#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::server {

/// The boundary named in a Content-Type of multipart/form-data.
/// @error kInvalidArgument: another type, or a boundary that is missing, longer than 70 characters or of odd ones
[[nodiscard]] base::Result<std::string> multipart_boundary(std::string_view content_type);

/// Reads a multipart/form-data body (RFC 7578) piece by piece. A part's bytes are passed on as they come; what is held
/// is at most one piece, a part's header and a delimiter.
/// @thread one object belongs to one thread
class MultipartParser {
 public:
  /// Receives the parts in order: begin, data …, end.
  class Receiver {
   public:
    virtual ~Receiver() = default;
    [[nodiscard]] virtual base::Result<void> begin_part(const std::string& name) = 0;
    [[nodiscard]] virtual base::Result<void> part_data(std::span<const std::byte> bytes) = 0;
    [[nodiscard]] virtual base::Result<void> end_part() = 0;
  };

  MultipartParser(std::string_view boundary, Receiver& receiver);

  /// @error kInvalidArgument: a delimiter, header or part count that is not allowed; the receiver's own errors
  [[nodiscard]] base::Result<void> feed(std::string_view bytes);

  /// Call when the body has ended. @error kInvalidArgument: the closing delimiter did not come
  [[nodiscard]] base::Result<void> finish() const;

 private:
  enum class State { kPreamble, kAfterDelimiter, kHeader, kData, kEpilogue };

  /// One step; true when it got somewhere, false when it needs more bytes.
  [[nodiscard]] base::Result<bool> step();
  [[nodiscard]] base::Result<bool> step_data();
  [[nodiscard]] base::Result<bool> step_delimiter_end();
  [[nodiscard]] base::Result<bool> step_header();

  std::string delimiter_;
  Receiver& receiver_;
  State state_ = State::kPreamble;
  std::string buffer_;
  int part_count_ = 0;
};

}  // namespace slipway::hub::server
