#include "pipelines/mediapipe_common/region_tracker.hpp"

#include <algorithm>

namespace slipway::pipelines::mediapipe {

bool is_same_object(const Region& a, const Region& b) {
  constexpr double kSameObjectIou = 0.5;
  return box_iou(upright_box(a), upright_box(b)) > kSameObjectIou;
}

void RegionTracker::Track::smooth(double time_s, const Box& around, std::span<Landmark> landmarks) {
  constexpr double kSmallest = 1e-6;
  const double size = (around.x2 - around.x1 + around.y2 - around.y1) / 2;
  if (size >= kSmallest) filter.apply(time_s, 1 / size, {&landmarks[0].x, 3 * landmarks.size()});
}

void RegionTracker::add_tracks(std::vector<Proposal>& proposals) const {
  std::erase_if(proposals, [&](const Proposal& proposal) {
    return std::ranges::any_of(tracks_,
                               [&](const Track& track) { return is_same_object(track.region, proposal.region); });
  });
  proposals.resize(std::min(proposals.size(), most_ - std::min(most_, tracks_.size())));
  const auto detected = static_cast<std::ptrdiff_t>(proposals.size());
  for (const Track& track : tracks_) proposals.push_back({track.region, track.id, nullptr});
  std::ranges::rotate(proposals, proposals.begin() + detected);
}

RegionTracker::Track& RegionTracker::follow(int track_id, const Region& region) {
  const auto before = std::ranges::find(tracks_, track_id, &Track::id);
  const bool is_known = track_id >= 0 && before != tracks_.end();
  followed_.push_back(is_known ? std::move(*before) : Track{});
  Track& track = followed_.back();
  if (!is_known) track.id = next_id_++;
  track.region = region;
  return track;
}

}  // namespace slipway::pipelines::mediapipe
