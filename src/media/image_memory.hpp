#pragma once

#include <cstddef>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace slipway::media {

/// Memory of images: large ones ask for the system's large pages. In pages of 4 KB an image of 1920×1080 takes 1,500
/// faults when it is first written and as many look-ups of addresses in every pass over it.
/// @throws std::bad_alloc, as allocators do
template <typename T>
struct ImageMemory {
  using value_type = T;  // NOLINT(readability-identifier-naming): allocators must say it in these words
  static constexpr std::size_t kLargePage = std::size_t{1} << 21;

  ImageMemory() = default;
  template <typename U>
  explicit ImageMemory(const ImageMemory<U>&) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
#if defined(__linux__)
    if (bytes >= kLargePage) madvise(memory, bytes, MADV_HUGEPAGE);  // advice: without it everything works as well
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }

  friend bool operator==(const ImageMemory&, const ImageMemory&) { return true; }

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= kLargePage ? kLargePage : std::size_t{64}};
  }
};

}  // namespace slipway::media
