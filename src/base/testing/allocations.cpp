#include "base/testing/allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <dlfcn.h>

namespace {

thread_local std::uint64_t allocated = 0;
std::atomic<bool> is_watching = false;
std::atomic<std::uint64_t> allocated_by_program = 0;

/// True for code that is linked into the program, false for that of shared libraries.
bool is_of_program(void* code) {
  Dl_info here{}, there{};
  return dladdr(reinterpret_cast<void*>(&is_of_program), &here) != 0 && dladdr(code, &there) != 0 &&
         here.dli_fbase == there.dli_fbase;
}

void* allocate(std::size_t bytes, void* caller) {
  ++allocated;
  if (is_watching && is_of_program(caller)) ++allocated_by_program;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// The other forms without alignment call these; theirs is in a library, so the array form is replaced too.
void* operator new(std::size_t bytes) {
  return allocate(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace slipway::base::testing {

std::uint64_t allocations() {
  return allocated;
}

void watch_program(bool is_on) {
  if (is_on) allocated_by_program = 0;
  is_watching = is_on;
}

std::uint64_t program_allocations() {
  return allocated_by_program;
}

}  // namespace slipway::base::testing
