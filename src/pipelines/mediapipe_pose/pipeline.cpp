#include "pipelines/mediapipe_pose/pipeline.hpp"

#include <algorithm>
#include <optional>

#include "pipelines/mediapipe_common/detector.hpp"
#include "pipelines/mediapipe_pose/follower.hpp"
#include "pipelines/mediapipe_pose/landmarker.hpp"

namespace slipway::pipelines::mediapipe_pose {
namespace {

Pose pose_of(const mediapipe::Detection& person) {
  Pose pose;
  pose.box = person.box;
  pose.score = person.score;
  pose.has_keypoints = true;
  std::copy_n(person.keypoints.begin(), kKeypointCount, pose.keypoints.begin());
  pose.region = circle_region(pose.keypoints[0], pose.keypoints[1], kRegionScale);
  return pose;
}

}  // namespace

struct MediapipePose::State {
  mediapipe::Detector detector;
  std::optional<Landmarker> landmarker;
  Follower follower;

  /// Everyone; with landmarks the best one.
  base::Result<void> detect(media::ImageView image, Detections& found) {
    found.detector_ran = true;
    SLIPWAY_ASSIGN(const std::vector<mediapipe::Detection>* people, detector.run(image, found.times));
    found.detector_times = found.times;
    for (const mediapipe::Detection& person : *people) {
      found.poses.push_back(pose_of(person));
      if (landmarker) break;
    }
    return {};
  }

  base::Result<void> find_landmarks(media::ImageView image, Detections& found) {
    if (!landmarker || found.poses.empty()) return {};
    ++found.landmark_runs;
    return landmarker->run(image, found.poses.front(), found.times);
  }
};

MediapipePose::MediapipePose(std::unique_ptr<State> state) : state_(std::move(state)) {}
MediapipePose::~MediapipePose() = default;

base::Result<std::unique_ptr<MediapipePose>> MediapipePose::load(std::shared_ptr<runtime::Environment> environment,
                                                                 const Models& models,
                                                                 const runtime::SessionOptions& options,
                                                                 const Config& config) {
  SLIPWAY_ASSIGN(mediapipe::ModelFiles files, mediapipe::find_files(models));
  // What the configuration says wins.
  for (const auto& [name, scale] : config.detector_quantization) files.detector.quantization[name] = scale;
  SLIPWAY_ASSIGN(mediapipe::Detector detector,
                 mediapipe::Detector::load(environment, files.detector, options, detector_family(),
                                           {mediapipe::Rules::kMediapipe, config.score_min, config.iou_max}));
  std::optional<Landmarker> landmarker;
  if (config.find_landmarks && files.landmark) {
    for (const auto& [name, scale] : config.landmark_quantization) files.landmark->quantization[name] = scale;
    SLIPWAY_ASSIGN(landmarker, Landmarker::load(environment, *files.landmark, options, config.presence_min));
  }
  return std::unique_ptr<MediapipePose>(new MediapipePose(
      std::make_unique<State>(State{std::move(detector), std::move(landmarker), Follower(config.smooth)})));
}

base::Result<void> MediapipePose::run(media::ImageView image, Detections& found) {
  found.times = found.detector_times = {};
  found.landmark_runs = 0;
  found.poses.clear();
  SLIPWAY_TRY(state_->detect(image, found));
  return state_->find_landmarks(image, found);
}

base::Result<void> MediapipePose::track(media::ImageView image, double time_s, Detections& found) {
  State& state = *state_;
  if (!state.landmarker) return run(image, found);
  found.times = found.detector_times = {};
  found.detector_ran = false;
  found.landmark_runs = 0;
  found.poses.clear();
  if (state.follower.region()) {
    found.poses.emplace_back().region = *state.follower.region();
  } else {
    SLIPWAY_TRY(state.detect(image, found));
  }
  SLIPWAY_TRY(state.find_landmarks(image, found));
  if (found.poses.empty()) {
    state.follower.lose();
    return {};
  }
  Pose& pose = found.poses.front();
  state.follower.update(time_s, pose);
  if (pose.has_keypoints) return {};
  if (!pose.has_landmarks) {
    found.poses.clear();
    return {};
  }
  pose.box = mediapipe::box_of(pose.landmarks);
  pose.score = pose.presence;
  return {};
}

void MediapipePose::reset() {
  state_->follower.lose();
}

runtime::Session& MediapipePose::detector_session() {
  return state_->detector.session();
}
runtime::Session* MediapipePose::landmark_session() {
  return state_->landmarker ? &state_->landmarker->session() : nullptr;
}

}  // namespace slipway::pipelines::mediapipe_pose
