#pragma once

#include <cstdint>

#include "base/error.hpp"

namespace slipway::base {

/// Bytes that this process can have at most: the machine's memory, its control group's, or its own limit (`ulimit -v`),
/// whichever is least.
[[nodiscard]] std::uint64_t usable_memory_bytes();

/// Refuses what would take more than that; asking for it would end the process without a word.
/// @param bytes  that are held at once
/// @param what   std::string(), asked only then: what takes them, "a picture of 60000x60000 pixels"
/// @error kResourceExhausted: in these words, with what the machine has
template <typename What>
[[nodiscard]] Result<void> check_memory(std::uint64_t bytes, const What& what) {
  const std::uint64_t usable = usable_memory_bytes();
  if (bytes <= usable) return {};
  constexpr double kGigabyte = 1e9;
  return fail(Reason::kOutOfMemory, "{}: that takes {:.1f} GB, and this machine has {:.1f} GB of memory for it", what(),
              static_cast<double>(bytes) / kGigabyte, static_cast<double>(usable) / kGigabyte);
}

}  // namespace slipway::base
