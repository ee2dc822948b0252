#include "pipelines/samurai/memory_bank.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace slipway::pipelines::samurai {

MemoryBank::MemoryBank(std::size_t memory_floats, std::size_t pointer_floats)
    : memory_floats_(memory_floats),
      pointer_floats_(pointer_floats),
      memories_(kMemoryPlaces * memory_floats),
      pointers_(kPointerPlaces * pointer_floats) {
  memory_frames_.fill(kFree);
  pointer_frames_.fill(kFree);
}

void MemoryBank::store(std::int64_t frame, std::span<const float> memory, std::span<const float> pointer,
                       std::span<const std::int64_t> needed) {
  SLIPWAY_CHECK(memory.size() == memory_floats_ && pointer.size() == pointer_floats_, "one frame's");
  const auto place = std::ranges::find_if(memory_frames_, [&](std::int64_t stored) {
    return stored == kFree || std::ranges::find(needed, stored) == needed.end();
  });
  SLIPWAY_CHECK(place != memory_frames_.end(), "the rule needs at most seven frames");
  *place = frame;
  std::ranges::transform(
      memory, memories_.begin() + (place - memory_frames_.begin()) * static_cast<std::ptrdiff_t>(memory_floats_),
      rounded_to_bfloat16);
  // The prompt's pointer stays in place 0; the others go round.
  const std::size_t round = frame == 0 ? 0 : 1 + static_cast<std::size_t>((frame - 1) % kPointerDistance);
  pointer_frames_[round] = frame;
  std::ranges::copy(pointer, pointers_.begin() + static_cast<std::ptrdiff_t>(round * pointer_floats_));
}

std::span<const float> MemoryBank::memory(std::int64_t frame) const {
  const auto place = std::ranges::find(memory_frames_, frame);
  SLIPWAY_CHECK(place != memory_frames_.end(), "the rule chooses among what is kept");
  return std::span(memories_).subspan(static_cast<std::size_t>(place - memory_frames_.begin()) * memory_floats_,
                                      memory_floats_);
}

std::span<const float> MemoryBank::pointer(std::int64_t frame) const {
  const auto place = std::ranges::find(pointer_frames_, frame);
  SLIPWAY_CHECK(place != pointer_frames_.end(), "the rule chooses among what is kept");
  return std::span(pointers_).subspan(static_cast<std::size_t>(place - pointer_frames_.begin()) * pointer_floats_,
                                      pointer_floats_);
}

}  // namespace slipway::pipelines::samurai
