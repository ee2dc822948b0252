#include "base/error.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace slipway::base {

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "ok",        "cancelled",      "unknown",           "invalid_argument",   "deadline_exceeded",
      "not_found", "already_exists", "permission_denied", "resource_exhausted", "failed_precondition",
      "aborted",   "out_of_range",   "unimplemented",     "internal",           "unavailable",
      "data_loss", "unauthenticated"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "unknown";
}

namespace internal {

void check_failed(const char* file, int line, const char* condition, std::string_view reason) {
  fmt::print(stderr, "{}:{}: broken invariant {}: {}\n", file, line, condition, reason);
  std::abort();
}

}  // namespace internal
}  // namespace slipway::base
