#pragma once

#include <string_view>

#include "base/error.hpp"

namespace slipway::hub::storage {

/// Upload ids may become names of folders and objects, so nothing but letters, digits, '-' and '_' may be in one.
/// @error kInvalidArgument
[[nodiscard]] inline base::Result<void> check_upload_id(std::string_view id) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!id.empty() && id.size() <= 128 && id.find_first_not_of(kAllowed) == std::string_view::npos) return {};
  return base::fail(base::Code::kInvalidArgument, "'{}' is no upload id", id);
}

}  // namespace slipway::hub::storage
