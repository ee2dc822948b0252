#include "pipelines/samurai/track_rules.hpp"

namespace slipway::pipelines::samurai {

Decision TrackRules::decide(std::span<const Candidate> candidates, double object_score) {
  Decision decision;
  decision.memories = memory_.memories();
  decision.pointers = memory_.pointers();
  decision.choice = masks_.choose(candidates);
  memory_.record(candidates[decision.choice.index].predicted_iou, object_score, decision.choice.motion_score);
  decision.stable_frames = masks_.stable_frames();
  if (masks_.filter()) {
    decision.mean = masks_.filter()->mean();
    decision.cov_diagonal = masks_.filter()->covariance_diagonal();
  }
  return decision;
}

}  // namespace slipway::pipelines::samurai
