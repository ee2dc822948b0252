#include "base/testing/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <dlfcn.h>

namespace {

thread_local std::uint64_t taken = 0;
std::atomic<bool> is_watching = false;
std::atomic<std::uint64_t> taken_by_program = 0;

/// True for code that is linked into the program, false for that of shared libraries.
bool is_of_program(void* code) {
  Dl_info here{}, there{};
  return dladdr(reinterpret_cast<void*>(&is_of_program), &here) != 0 && dladdr(code, &there) != 0 &&
         here.dli_fbase == there.dli_fbase;
}

void* take(std::size_t bytes, void* caller) {
  ++taken;
  if (is_watching && is_of_program(caller)) ++taken_by_program;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The other forms without alignment call these; theirs is in a library, so the array form is replaced too.
void* operator new(std::size_t bytes) {
  return take(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes) {
  return take(bytes, __builtin_return_address(0));
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

void watch_program(bool is_on) {
  if (is_on) taken_by_program = 0;
  is_watching = is_on;
}

std::uint64_t program_allocations() {
  return taken_by_program;
}

}  // namespace slipway::base::testing
