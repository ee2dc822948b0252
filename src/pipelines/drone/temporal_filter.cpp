#include "pipelines/drone/temporal_filter.hpp"

#include <algorithm>
#include <tuple>

namespace slipway::pipelines::drone {
namespace {

constexpr double kLeastIou = 0.3, kNewWeight = 0.6, kNewSectorWeight = 0.5;
constexpr int kHitsToGoOn = 2, kMostMissed = 3;

double mixed(double before, double now, double weight = kNewWeight) {
  return before + weight * (now - before);
}

}  // namespace

void TemporalFilter::reset() {
  tracks_.clear();
  sector_scores_.clear();
}

void TemporalFilter::follow(Track& track, const SceneObject& found) const {
  SceneObject& object = track.object;
  object.box = {mixed(object.box.x1, found.box.x1), mixed(object.box.y1, found.box.y1),
                mixed(object.box.x2, found.box.x2), mixed(object.box.y2, found.box.y2)};
  object.score = static_cast<float>(mixed(object.score, found.score));
  for (std::size_t i = 0; i < object.under.size(); ++i) {
    object.under[i] = mixed(object.under[i], found.under[i]);
    object.around[i] = mixed(object.around[i], found.around[i]);
  }
  object.free_space = mixed(object.free_space, found.free_space);
  const DistanceClass before = object.distance.distance, now = found.distance.distance;
  object.distance = found.distance;
  // One frame's word does not change the class.
  if (now != before && now != track.proposed) object.distance.distance = before;
  track.proposed = now;
  object.is_detected = true;
  ++track.hits;
  track.missed = 0;
}

void TemporalFilter::match(const std::vector<SceneObject>& objects) {
  pairs_.clear();
  for (std::size_t t = 0; t < tracks_.size(); ++t) {
    for (std::size_t o = 0; o < objects.size(); ++o) {
      if (tracks_[t].object.class_id != objects[o].class_id) continue;
      const double iou = box_iou(tracks_[t].object.box, objects[o].box);
      if (iou >= kLeastIou) pairs_.push_back({iou, t, o});
    }
  }
  std::ranges::sort(pairs_, {}, [](const Pair& pair) { return std::tuple(-pair.iou, pair.track, pair.object); });
  has_object_.assign(tracks_.size(), 0);
  has_track_.assign(objects.size(), 0);
  for (const Pair& pair : pairs_) {
    if (has_object_[pair.track] != 0 || has_track_[pair.object] != 0) continue;
    has_object_[pair.track] = has_track_[pair.object] = 1;
    follow(tracks_[pair.track], objects[pair.object]);
  }
}

void TemporalFilter::steady(std::vector<SceneObject>& objects, bool did_detect) {
  if (did_detect) {
    match(objects);
    for (std::size_t t = 0; t < has_object_.size(); ++t) {
      if (has_object_[t] != 0) continue;
      ++tracks_[t].missed;
      tracks_[t].object.is_detected = false;
    }
    std::erase_if(tracks_, [](const Track& track) {
      return track.missed > kMostMissed || (track.missed > 0 && track.hits < kHitsToGoOn);
    });
    for (std::size_t o = 0; o < has_track_.size(); ++o) {
      if (has_track_[o] != 0) continue;
      tracks_.push_back({.object = objects[o], .proposed = objects[o].distance.distance});
      tracks_.back().object.track = next_track_++;
    }
  } else {
    for (Track& track : tracks_) track.object.is_detected = false;
  }
  objects.clear();
  for (const Track& track : tracks_) objects.push_back(track.object);
  std::ranges::sort(objects, {}, [](const SceneObject& object) { return std::tuple(-object.score, object.track); });
}

void TemporalFilter::steady(std::vector<Sector>& sectors) {
  if (sector_scores_.size() == sectors.size()) {
    for (std::size_t i = 0; i < sectors.size(); ++i) {
      sectors[i].free = mixed(sector_scores_[i], sectors[i].free, kNewSectorWeight);
    }
  }
  sector_scores_.clear();
  for (const Sector& sector : sectors) sector_scores_.push_back(sector.free);
}

}  // namespace slipway::pipelines::drone
