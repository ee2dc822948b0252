#pragma once

#include <optional>
#include <span>

#include "pipelines/common/box.hpp"
#include "pipelines/samurai/kalman_filter.hpp"

namespace slipway::pipelines::samurai {

/// Good frames in a row after which motion takes part in the choice.
inline constexpr int kStableFrames = 15;
/// Predicted IoU below which a frame is no evidence of where the object is.
inline constexpr double kStableIouMin = 0.3;
/// Weight of motion against predicted IoU; SAMURAI's configuration of the large model has 0.15.
inline constexpr double kMotionWeight = 0.25;

/// One candidate mask of a frame.
struct Candidate {
  Box box;                   ///< bounds of logit > 0 in the network's pixels, inclusive; zeros when there are none
  double predicted_iou = 0;  ///< what the decoder thinks of it
};

/// What was chosen on a frame.
struct Choice {
  std::size_t index = 0;               ///< among the candidates
  std::optional<double> motion_score;  ///< IoU of the chosen box with the predicted one, where motion took part
};

/// SAMURAI's choice among a frame's candidate masks: by predicted IoU until the object has been followed for fifteen
/// frames, then also by how well a candidate's box continues the motion.
/// @thread one object belongs to one thread
/// @source model-facts: SAMURAI's rules; python/reference/samurai
class MaskChoice {
 public:
  explicit MaskChoice(double motion_weight = kMotionWeight) : motion_weight_(motion_weight) {}

  /// Chooses and takes the chosen box into the filter. Of equal candidates the first wins. A single candidate (a box
  /// prompt gives one) is no choice and leaves the filter as it is.
  /// @pre candidates are not empty
  [[nodiscard]] Choice choose(std::span<const Candidate> candidates);

  /// Good frames since the filter was last started; 0 means that the next frame starts it anew.
  [[nodiscard]] int stable_frames() const { return stable_frames_; }
  /// The filter, once there is one.
  [[nodiscard]] const std::optional<KalmanFilter>& filter() const { return filter_; }

 private:
  std::optional<KalmanFilter> filter_;
  int stable_frames_ = 0;
  double motion_weight_;
};

}  // namespace slipway::pipelines::samurai
