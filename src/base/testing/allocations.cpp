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

void* try_allocate(std::size_t bytes, void* caller) noexcept {
  ++allocated;
  if (is_watching && is_of_program(caller)) ++allocated_by_program;
  return std::malloc(bytes > 0 ? bytes : 1);
}

void* allocate(std::size_t bytes, void* caller) {
  if (void* memory = try_allocate(bytes, caller)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// Every form without alignment: those that call these by the standard are a library's own, and AddressSanitizer's pair
// with its delete, not with this one.
void* operator new(std::size_t bytes) {
  return allocate(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes) {
  return allocate(bytes, __builtin_return_address(0));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return try_allocate(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return try_allocate(bytes, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
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
