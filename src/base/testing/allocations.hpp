#pragma once

#include <cstdint>

namespace slipway::base::testing {

/// How often this thread has taken memory by operator new since it began. Only in programs that link
/// slipway_base_testing, which replaces that operator.
[[nodiscard]] std::uint64_t allocations();

/// Counts, from 0 on, how often code linked into the program takes memory in any thread: what shared libraries (ONNX
/// Runtime) take for themselves is left out.
void watch_program(bool is_on);
[[nodiscard]] std::uint64_t program_allocations();

}  // namespace slipway::base::testing
