#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace slipway::convert::operators::internal {

/// Memory for a constant that is computed while converting: a transposed weight. What is small lies on the heap; beyond
/// a budget of all together, memory is a mapped temporary file without a name, so that a model of gigabytes needs no
/// gigabytes of heap. Where no such file can be made, the heap serves.
struct Scratch {
  std::span<std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// @throw std::bad_alloc
/// @thread any
[[nodiscard]] Scratch make_scratch(std::size_t size_bytes);

/// What scratches on the heap take at this moment.
[[nodiscard]] std::size_t scratch_bytes_on_heap();

}  // namespace slipway::convert::operators::internal
