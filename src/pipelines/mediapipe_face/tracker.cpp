#include "pipelines/mediapipe_face/tracker.hpp"

#include <algorithm>

#include "pipelines/mediapipe_face/landmarker.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr double kSameFaceIou = 0.5;

bool is_same_face(const mediapipe::Region& a, const mediapipe::Region& b) {
  return box_iou(mediapipe::upright_box(a), mediapipe::upright_box(b)) > kSameFaceIou;
}

Face face_of(const mediapipe::Detection& detection, Rules rules) {
  Face face;
  face.box = detection.box;
  face.score = detection.score;
  face.has_keypoints = true;
  std::copy_n(detection.keypoints.begin(), kKeypointCount, face.keypoints.begin());
  face.region = region_of(detection, rules);
  return face;
}

}  // namespace

void propose_faces(std::span<const mediapipe::Detection> detections, Rules rules, std::vector<Face>& faces) {
  faces.clear();
  for (const mediapipe::Detection& detection : detections) {
    const Face face = face_of(detection, rules);
    // As in MediaPipe, the later of two is kept.
    if (rules == Rules::kMediapipe) {
      std::erase_if(faces, [&](const Face& other) { return is_same_face(other.region, face.region); });
    }
    faces.push_back(face);
  }
}

void Tracker::propose(std::span<const mediapipe::Detection> detections, Rules rules, std::vector<Face>& faces) const {
  propose_faces(detections.first(std::min(detections.size(), most_faces_)), rules, faces);
  std::erase_if(faces, [&](const Face& face) {
    return std::ranges::any_of(tracks_, [&](const Track& track) { return is_same_face(track.region, face.region); });
  });
  faces.resize(std::min(faces.size(), most_faces_ - std::min(most_faces_, tracks_.size())));
  const std::size_t detected = faces.size();
  for (const Track& track : tracks_) {
    Face face;
    face.track_id = track.id;
    face.region = track.region;
    faces.push_back(face);
  }
  std::ranges::rotate(faces, faces.begin() + static_cast<std::ptrdiff_t>(detected));
}

void Tracker::update(double time_s, std::vector<Face>& faces) {
  std::erase_if(faces, [](const Face& face) { return !face.has_keypoints && !face.has_landmarks; });
  followed_.clear();
  for (Face& face : faces) {
    if (!face.has_landmarks) continue;
    const auto before = std::ranges::find(tracks_, face.track_id, &Track::id);
    Track track = before != tracks_.end() ? std::move(*before) : Track{};
    if (before == tracks_.end()) track.id = face.track_id = next_id_++;
    track.region = region_of(face.landmarks);
    const Box around = box_of(face.landmarks);
    if (smooth_) {
      constexpr double kSmallest = 1e-6;
      const double size = (around.x2 - around.x1 + around.y2 - around.y1) / 2;
      if (size >= kSmallest) track.filter.apply(time_s, 1 / size, {&face.landmarks[0].x, 3 * kLandmarkCount});
    }
    if (!face.has_keypoints) {
      face.box = around;
      face.score = face.presence;
    }
    followed_.push_back(std::move(track));
  }
  std::swap(tracks_, followed_);
}

}  // namespace slipway::pipelines::mediapipe_face
