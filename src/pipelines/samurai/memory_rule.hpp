#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace slipway::pipelines::samurai {

inline constexpr int kMemorySlots = 7;       ///< slot 0: the prompt's frame; 1 … 6: other frames, the newest in 6
inline constexpr int kPointerDistance = 15;  ///< farthest frame back whose pointer is kept, beside the prompt's
inline constexpr double kMemoryIouMin = 0.5;

/// A frame in a slot of the memory bank.
struct MemorySlot {
  int slot = 0;
  std::int64_t frame = 0;
  friend bool operator==(const MemorySlot&, const MemorySlot&) = default;
};

/// An object pointer with its age.
struct PointerAge {
  std::int64_t distance = 0;  ///< frames back
  std::int64_t frame = 0;
  friend bool operator==(const PointerAge&, const PointerAge&) = default;
};

/// SAMURAI's selection of the frames that are remembered.
///
/// Frames are counted from the prompt's, which is 0. What must be kept is bounded whatever the video's length: once a
/// frame is good it stays so, and only the newest six count.
/// @thread one object belongs to one thread
/// @source model-facts: SAMURAI's rules; python/reference/samurai
class MemoryRule {
 public:
  /// Tells how the next frame went. Call for every frame in order, the prompt's first.
  /// @param motion_score  nothing where motion took no part in the choice: then it does not count
  void record(double predicted_iou, double object_score, std::optional<double> motion_score);

  /// Frames recorded, so the number of the one that comes next.
  [[nodiscard]] std::int64_t next_frame() const { return next_frame_; }

  /// Memories for the next frame: the prompt's, then the newest six of the good ones (predicted IoU > 0.5, object
  /// score > 0, motion score > 0; frame 1 never counts) and of the frame just before, good or not. Oldest first; empty
  /// before the first record.
  [[nodiscard]] std::vector<MemorySlot> memories() const;

  /// Frames that may still be chosen, now or later: the prompt's and the newest six good ones. The frame just before
  /// is not among them unless it is good.
  [[nodiscard]] std::vector<std::int64_t> needed_frames() const;

  /// Object pointers for the next frame: the prompt's, then those of the fifteen frames before, good or not, the
  /// newest first.
  [[nodiscard]] std::vector<PointerAge> pointers() const;

 private:
  std::int64_t next_frame_ = 0;
  std::deque<std::int64_t> good_;  ///< the newest six, oldest first
};

}  // namespace slipway::pipelines::samurai
