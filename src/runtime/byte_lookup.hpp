#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace slipway::runtime {

/// One byte for each byte there is.
using ByteTable = std::array<std::uint8_t, 256>;

/// out[i] = table[in[i]], with 64 bytes a step on processors with AVX-512 VBMI or NEON. `out` may be `in`.
void lookup_bytes(const ByteTable& table, const std::uint8_t* in, std::size_t count, std::uint8_t* out);

}  // namespace slipway::runtime
