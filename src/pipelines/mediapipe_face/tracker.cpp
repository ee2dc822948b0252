#include "pipelines/mediapipe_face/tracker.hpp"

#include <algorithm>

#include "pipelines/mediapipe_face/landmarker.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

void add_face(const mediapipe::Proposal& proposal, std::vector<Face>& faces) {
  Face& face = faces.emplace_back();
  face.region = proposal.region;
  face.track_id = proposal.track_id;
  if (proposal.detection == nullptr) return;
  face.box = proposal.detection->box;
  face.score = proposal.detection->score;
  face.has_keypoints = true;
  std::copy_n(proposal.detection->keypoints.begin(), kKeypointCount, face.keypoints.begin());
}

}  // namespace

void propose_faces(std::span<const mediapipe::Detection> detections, Rules rules,
                   std::vector<mediapipe::Proposal>& proposals, std::vector<Face>& faces) {
  faces.clear();
  proposals.clear();
  const auto region = [&](const mediapipe::Detection& detection) { return region_of(detection, rules); };
  if (rules == Rules::kMediapipe) {
    mediapipe::propose_regions(detections, region, proposals);
  } else {
    for (const mediapipe::Detection& detection : detections) proposals.push_back({region(detection), -1, &detection});
  }
  for (const mediapipe::Proposal& proposal : proposals) add_face(proposal, faces);
}

void Tracker::propose(std::span<const mediapipe::Detection> detections, std::vector<Face>& faces) {
  faces.clear();
  mediapipe::propose_regions(
      detections.first(std::min(detections.size(), tracks_.most())),
      [](const mediapipe::Detection& detection) { return region_of(detection, Rules::kMediapipe); }, proposals_);
  tracks_.add_tracks(proposals_);
  for (const mediapipe::Proposal& proposal : proposals_) add_face(proposal, faces);
}

void Tracker::update(double time_s, std::vector<Face>& faces) {
  std::erase_if(faces, [](const Face& face) { return !face.has_keypoints && !face.has_landmarks; });
  tracks_.begin_update();
  for (Face& face : faces) {
    if (!face.has_landmarks) continue;
    mediapipe::RegionTracker::Track& track = tracks_.follow(face.track_id, region_of(face.landmarks));
    face.track_id = track.id;
    const Box around = mediapipe::box_of(face.landmarks);
    if (smooth_) track.smooth(time_s, around, face.landmarks);
    if (!face.has_keypoints) {
      face.box = around;
      face.score = face.presence;
    }
  }
  tracks_.end_update();
}

}  // namespace slipway::pipelines::mediapipe_face
