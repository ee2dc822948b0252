#include "base/testing/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t taken = 0;

void* take(std::size_t bytes) {
  ++taken;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The other forms without alignment call these.
void* operator new(std::size_t bytes) {
  return take(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace slipway::base::testing {

std::uint64_t allocations() {
  return taken;
}

}  // namespace slipway::base::testing
