#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"

/// The folder of a store: what is told of it, and how much it takes.
namespace slipway::hub::storage {

/// The same outcome without the store's folder in its message: strangers read it, and where a hub keeps its data is
/// nobody's business.
template <typename T>
base::Result<T> without_folder(base::Result<T> outcome, const std::filesystem::path& folder) {
  if (outcome) return outcome;
  const std::string beginning = folder.string() + "/";
  std::string& message = outcome.error().message;
  for (std::size_t at = 0; (at = message.find(beginning, at)) != std::string::npos;)
    message.erase(at, beginning.size());
  return outcome;
}

/// What is free beside the reserve; nothing where the system does not say.
[[nodiscard]] std::optional<std::uint64_t> room_in(const std::filesystem::path& folder);
/// @error kResourceExhausted (Reason::kOutOfDisk): there is less room
[[nodiscard]] base::Result<void> check_room(const std::filesystem::path& folder, std::uint64_t size_bytes);

}  // namespace slipway::hub::storage
