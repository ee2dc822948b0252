#pragma once

#include <cstdint>

namespace slipway::base::testing {

/// How often this thread has taken memory by operator new since it began. Only in programs that link
/// slipway_base_testing, which replaces that operator.
[[nodiscard]] std::uint64_t allocations();

}  // namespace slipway::base::testing
