#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/samurai/memory_rule.hpp"

namespace slipway::pipelines::samurai {

/// The nearest number that a bfloat16 can hold, ties to even.
[[nodiscard]] inline float rounded_to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return value;  // not a number
  return std::bit_cast<float>((bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U);
}

/// The memories and object pointers of one object, in places that are used again: its size does not depend on the
/// video's length.
///
/// Kept are the prompt's frame, the frames that the rule may still choose, and the newest fifteen pointers.
/// @thread one object belongs to one thread
class MemoryBank {
 public:
  /// @param memory_floats, pointer_floats  of one frame
  MemoryBank(std::size_t memory_floats, std::size_t pointer_floats);

  /// Keeps the newest frame's memory, rounded to bfloat16 as SAM 2 keeps it, and its pointer in the places of what is
  /// no longer needed.
  /// @param needed  frames that the rule may still choose, at most seven
  void store(std::int64_t frame, std::span<const float> memory, std::span<const float> pointer,
             std::span<const std::int64_t> needed);

  /// @pre the frame is kept
  [[nodiscard]] std::span<const float> memory(std::int64_t frame) const;
  [[nodiscard]] std::span<const float> pointer(std::int64_t frame) const;

 private:
  static constexpr std::int64_t kFree = -1;
  // The prompt's, six good ones, and the newest, which may be good or not.
  static constexpr std::size_t kMemoryPlaces = kMemorySlots + 1;
  static constexpr std::size_t kPointerPlaces = kPointerDistance + 1;

  std::size_t memory_floats_, pointer_floats_;
  std::array<std::int64_t, kMemoryPlaces> memory_frames_;
  std::array<std::int64_t, kPointerPlaces> pointer_frames_;
  std::vector<float> memories_, pointers_;
};

}  // namespace slipway::pipelines::samurai
