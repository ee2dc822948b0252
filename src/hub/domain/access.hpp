#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "hub/domain/actor.hpp"
#include "hub/domain/ports/page.hpp"
#include "hub/domain/shortened.hpp"

/// Who may do what. One home, so that sharing and projects change one file. Private to the domain.
namespace slipway::hub::domain::access {

/// Whether an entry may be seen and changed: its owner's, and any for an administrator. Never with an agent's token.
[[nodiscard]] inline bool may_see(const Actor& actor, const std::string& owner_id) {
  return actor.scope == Scope::kUser && (actor.user.role == Role::kAdmin || actor.user.id == owner_id);
}

/// @error kPermissionDenied
[[nodiscard]] inline base::Result<void> require(const Actor& actor, Scope scope) {
  if (actor.scope == scope) return {};
  return base::fail(base::Code::kPermissionDenied, "this token belongs to {}; the call needs one of {}",
                    actor.scope == Scope::kAgent ? "an agent" : "a user",
                    scope == Scope::kAgent ? "an agent" : "a user");
}

/// The answer for what does not exist and for what belongs to somebody else alike.
[[nodiscard]] inline std::unexpected<base::Error> absent(std::string_view what, const std::string& id) {
  constexpr std::size_t kShownBytes = 64;  // ours have nine
  return base::fail(base::Code::kNotFound, "no {} {}", what, shortened(id, kShownBytes));
}

/// An entry that a store was asked for, if it is there for this actor.
template <typename Entry>
[[nodiscard]] base::Result<Entry> visible(const Actor& actor, base::Result<Entry> entry, std::string_view what,
                                          const std::string& id) {
  const bool is_absent = entry ? !may_see(actor, entry->owner_id) : entry.error().code == base::Code::kNotFound;
  if (is_absent) return absent(what, id);
  return entry;
}

/// @error kNotFound: projects are named only where they exist, and none does yet
[[nodiscard]] inline base::Result<void> require_project(const std::string& project_id) {
  if (project_id.empty()) return {};
  return base::fail(base::Code::kNotFound, "unknown project {}", project_id);
}

/// A page as large as one answer may be; the total tells the client that there is more.
[[nodiscard]] inline Page clamped(Page page) {
  constexpr std::uint64_t kMostItems = 1000, kMostOffset = std::uint64_t{1} << 40;
  return {.offset = std::min(page.offset, kMostOffset), .limit = std::min(page.limit, kMostItems)};
}

}  // namespace slipway::hub::domain::access
