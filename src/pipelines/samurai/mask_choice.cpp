#include "pipelines/samurai/mask_choice.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace slipway::pipelines::samurai {
namespace {

// The original has predicted IoUs and what they are compared with or multiplied by in single precision: candidates that
// it finds equal must be equal here, and 0.3 is not above itself.
constexpr float kLeastIou = static_cast<float>(kStableIouMin);

float single(double predicted_iou) {
  return static_cast<float>(predicted_iou);
}

}  // namespace

Choice MaskChoice::choose(std::span<const Candidate> candidates) {
  SLIPWAY_CHECK(!candidates.empty(), "the decoder gives at least one mask");
  if (candidates.size() == 1) return {};
  const auto best = static_cast<std::size_t>(std::ranges::max_element(candidates, {}, &Candidate::predicted_iou) -
                                             candidates.begin());
  if (!filter_ || stable_frames_ == 0) {
    filter_.emplace();
    filter_->initiate(candidates[best].box);
    ++stable_frames_;
    return {best, std::nullopt};
  }

  filter_->predict();
  if (stable_frames_ < kStableFrames) {
    if (single(candidates[best].predicted_iou) > kLeastIou) {
      filter_->update(candidates[best].box);
      ++stable_frames_;
    } else {
      stable_frames_ = 0;
    }
    return {best, std::nullopt};
  }

  const Box expected = filter_->box();
  Choice choice;
  double best_score = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double motion = box_iou(expected, candidates[i].box);
    const float sureness = single(1 - motion_weight_) * single(candidates[i].predicted_iou);
    const double score = motion_weight_ * motion + static_cast<double>(sureness);
    if (i > 0 && !(score > best_score)) continue;
    best_score = score;
    choice = {i, motion};
  }
  const Candidate& chosen = candidates[choice.index];
  if (single(chosen.predicted_iou) < kLeastIou) {
    stable_frames_ = 0;
  } else {
    filter_->update(chosen.box);
  }
  return choice;
}

}  // namespace slipway::pipelines::samurai
