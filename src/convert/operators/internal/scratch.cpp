#include "convert/operators/internal/scratch.hpp"

#include <atomic>
#include <filesystem>
#include <optional>
#include <vector>

#include <fcntl.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include "base/descriptor.hpp"

namespace slipway::convert::operators::internal {
namespace {

/// Of all scratches that live at a time.
constexpr std::size_t kMostOnHeapBytes = 64U << 20U;
/// Smaller ones are not worth a file.
constexpr std::size_t kSmallestMappedBytes = 64U << 10U;

std::atomic<std::size_t> heap_bytes{0};

Scratch on_heap(std::size_t size_bytes) {
  auto held = std::make_unique<std::vector<std::byte>>(size_bytes);
  const std::span<std::byte> bytes = *held;
  heap_bytes += size_bytes;
  std::shared_ptr<const void> owner(held.release(), [](std::vector<std::byte>* memory) {
    heap_bytes -= memory->size();
    delete memory;
  });
  return {bytes, std::move(owner)};
}

std::optional<Scratch> in_file(std::size_t size_bytes) {
  // A file beyond the limit of a process ends it by a signal.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || size_bytes > limit.rlim_cur) return std::nullopt;
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return std::nullopt;
  const base::Descriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  // Space is taken now: a full disk must be found here, not by a signal where the memory is written.
  if (!file.is_open() || ::posix_fallocate(file.get(), 0, static_cast<off_t>(size_bytes)) != 0) return std::nullopt;
  void* const memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return std::nullopt;
  return Scratch{{static_cast<std::byte*>(memory), size_bytes},
                 std::shared_ptr<const void>(memory, [size_bytes](void* mapped) { ::munmap(mapped, size_bytes); })};
}

}  // namespace

Scratch make_scratch(std::size_t size_bytes) {
  if (size_bytes >= kSmallestMappedBytes && heap_bytes + size_bytes > kMostOnHeapBytes) {
    if (auto scratch = in_file(size_bytes)) return std::move(*scratch);
  }
  return on_heap(size_bytes);
}

std::size_t scratch_bytes_on_heap() {
  return heap_bytes;
}

}  // namespace slipway::convert::operators::internal
