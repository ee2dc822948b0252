#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/samurai/mask_choice.hpp"
#include "pipelines/samurai/memory_rule.hpp"

namespace slipway::pipelines::samurai {

/// What the rules decided on one frame.
struct Decision {
  std::vector<MemorySlot> memories;  ///< that the frame was looked at with
  std::vector<PointerAge> pointers;
  Choice choice;
  int stable_frames = 0;                      ///< after the frame
  std::optional<std::array<double, 8>> mean;  ///< of the filter after the frame; nothing without a filter
  std::optional<std::array<double, 8>> cov_diagonal;
};

/// SAMURAI's rules for one object, without any network: what to remember and which mask to take.
/// @thread one object belongs to one thread
class TrackRules {
 public:
  explicit TrackRules(double motion_weight = kMotionWeight) : masks_(motion_weight) {}

  /// What the next frame is to be looked at with.
  [[nodiscard]] const MemoryRule& memory() const { return memory_; }

  /// Decides on the next frame.
  /// @pre candidates are not empty
  [[nodiscard]] Decision decide(std::span<const Candidate> candidates, double object_score);

 private:
  MaskChoice masks_;
  MemoryRule memory_;
};

}  // namespace slipway::pipelines::samurai
