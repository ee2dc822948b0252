#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace slipway::base {

/// The sixteen canonical codes. They map to HTTP statuses, job failure types and exit codes through one table each.
enum class Code {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// The lower-case word of a code, e.g. "invalid_argument".
[[nodiscard]] std::string_view code_name(Code code);

/// What lies behind a failure, where somebody acts on it: which failure type a job gets, which HTTP status an answer,
/// whether waiting helps. A message is for people; nothing looks into its text.
enum class Reason {
  kNone,                 ///< nothing that the code does not say
  kOutOfDisk,            ///< no space, the quota is used up, or the file would pass its limit of size
  kOutOfMemory,          ///< memory was asked for and not given
  kReadOnly,             ///< the file system takes no writes
  kUnsupportedOperator,  ///< a provider refuses nodes of the graph; the message names them
};

/// The lower-case word of a reason, e.g. "out_of_disk"; for kNone "".
[[nodiscard]] std::string_view reason_name(Reason reason);
/// The reason of that word; kNone for any other.
[[nodiscard]] Reason reason_of_name(std::string_view name);

/// A failure as a value. The message says what was expected, what was found, where, and the way out.
struct [[nodiscard]] Error {
  Code code = Code::kUnknown;
  std::string message;
  Reason reason = Reason::kNone;

  /// The same error with "context: " before its message, for the way up.
  [[nodiscard]] Error with(std::string_view context) const {
    return Error{code, fmt::format("{}: {}", context, message), reason};
  }
  /// Whether a store cannot be written for now: it may have room later, or be made writable.
  [[nodiscard]] bool is_about_writing() const { return reason == Reason::kOutOfDisk || reason == Reason::kReadOnly; }
};

template <typename T>
using Result = std::expected<T, Error>;

/// Builds the unexpected side of a Result: `return fail(Code::kNotFound, "no model {}", id);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// The code that goes with a reason where nothing else decides it.
[[nodiscard]] Code code_of(Reason reason);

/// The same for a failure with a reason: `return fail(Reason::kOutOfMemory, "no memory for {} bytes", size);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail(Reason reason, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code_of(reason), fmt::format(format, std::forward<Args>(args)...), reason});
}

namespace internal {
/// Ends the process after printing the reason: our own bug, never a user's input.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view reason);
}  // namespace internal

}  // namespace slipway::base

#define SLIPWAY_CONCAT_INNER(a, b) a##b
#define SLIPWAY_CONCAT(a, b) SLIPWAY_CONCAT_INNER(a, b)

/// Returns the error of a Result<...> expression, if it holds one.
#define SLIPWAY_TRY(expression)                                                     \
  do {                                                                              \
    auto slipway_result = (expression);                                             \
    if (!slipway_result) return std::unexpected(std::move(slipway_result).error()); \
  } while (false)

/// Assigns the value of a Result<T> expression, or returns its error: SLIPWAY_ASSIGN(auto model, load(path));
#define SLIPWAY_ASSIGN(declaration, expression) \
  SLIPWAY_ASSIGN_INNER(SLIPWAY_CONCAT(slipway_result_, __LINE__), declaration, expression)
#define SLIPWAY_ASSIGN_INNER(result, declaration, expression)     \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = std::move(*result)

/// Aborts with a reason when an invariant of our own is broken. User input never reaches it.
#define SLIPWAY_CHECK(condition, reason) \
  ((condition) ? static_cast<void>(0) : ::slipway::base::internal::check_failed(__FILE__, __LINE__, #condition, reason))
