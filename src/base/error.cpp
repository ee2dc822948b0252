#include "base/error.hpp"

#include <algorithm>
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

namespace {

struct ReasonRow {
  Reason reason;
  std::string_view name;
  Code code;
};
constexpr std::array kReasons = {
    ReasonRow{Reason::kNone, "", Code::kUnknown},
    ReasonRow{Reason::kOutOfDisk, "out_of_disk", Code::kResourceExhausted},
    ReasonRow{Reason::kOutOfMemory, "out_of_memory", Code::kResourceExhausted},
    ReasonRow{Reason::kReadOnly, "read_only", Code::kPermissionDenied},
    ReasonRow{Reason::kUnsupportedOperator, "unsupported_operator", Code::kUnimplemented},
};

const ReasonRow& row_of(Reason reason) {
  const auto* const found = std::ranges::find(kReasons, reason, &ReasonRow::reason);
  return found == kReasons.end() ? kReasons.front() : *found;
}

}  // namespace

std::string_view reason_name(Reason reason) {
  return row_of(reason).name;
}

Reason reason_of_name(std::string_view name) {
  const auto* const found = std::ranges::find(kReasons, name, &ReasonRow::name);
  return found == kReasons.end() ? Reason::kNone : found->reason;
}

Code code_of(Reason reason) {
  return row_of(reason).code;
}

namespace internal {

void check_failed(const char* file, int line, const char* condition, std::string_view reason) {
  fmt::print(stderr, "{}:{}: broken invariant {}: {}\n", file, line, condition, reason);
  std::abort();
}

}  // namespace internal
}  // namespace slipway::base
