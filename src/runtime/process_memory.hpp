#pragma once

#include <cstdint>

namespace slipway::runtime {

/// The resident set of this process, from /proc/self/status.
struct ResidentSet {
  std::uint64_t now_bytes = 0;
  std::uint64_t peak_bytes = 0;  ///< since the start, or since reset_peak()
};
[[nodiscard]] ResidentSet resident_set();

/// Starts the peak anew from what is resident now. False where the kernel does not let us.
bool reset_peak();

}  // namespace slipway::runtime
