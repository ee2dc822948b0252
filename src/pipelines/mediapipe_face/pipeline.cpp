#include "pipelines/mediapipe_face/pipeline.hpp"

#include <algorithm>
#include <limits>

#include "pipelines/mediapipe_common/detector.hpp"
#include "pipelines/mediapipe_face/landmarker.hpp"
#include "pipelines/mediapipe_face/tracker.hpp"

namespace slipway::pipelines::mediapipe_face {
struct MediapipeFace::State {
  Rules rules;
  std::optional<int> max_faces;
  mediapipe::Detector detector;
  std::optional<Landmarker> landmarker;
  Tracker tracker;
  std::vector<mediapipe::Proposal> proposals;

  base::Result<void> find_landmarks(media::ImageView image, Detections& found) {
    for (Face& face : found.faces) {
      SLIPWAY_TRY(landmarker->run(image, face, found.times));
      ++found.landmark_runs;
    }
    return {};
  }

  base::Result<const std::vector<mediapipe::Detection>*> detect(media::ImageView image, Detections& found) {
    found.detector_ran = true;
    const auto detections = detector.run(image, found.times);
    found.detector_times = found.times;
    return detections;
  }
};

MediapipeFace::MediapipeFace(std::unique_ptr<State> state) : state_(std::move(state)) {}
MediapipeFace::~MediapipeFace() = default;

base::Result<std::unique_ptr<MediapipeFace>> MediapipeFace::load(std::shared_ptr<runtime::Environment> environment,
                                                                 const Models& models,
                                                                 const runtime::SessionOptions& options,
                                                                 const Config& config) {
  if (config.max_faces && *config.max_faces < 1) {
    return base::fail(base::Code::kInvalidArgument, "the most faces: expected 1 or more, found {}", *config.max_faces);
  }
  SLIPWAY_ASSIGN(mediapipe::ModelFiles files, mediapipe::find_files(models));
  // What the configuration says wins.
  for (const auto& [name, scale] : config.detector_quantization) files.detector.quantization[name] = scale;
  SLIPWAY_ASSIGN(mediapipe::Detector detector,
                 mediapipe::Detector::load(environment, files.detector, options, detector_family(),
                                           {config.rules, config.score_min, config.iou_max}));
  std::optional<Landmarker> landmarker;
  if (config.find_landmarks && files.landmark) {
    for (const auto& [name, scale] : config.landmark_quantization) files.landmark->quantization[name] = scale;
    SLIPWAY_ASSIGN(landmarker, Landmarker::load(environment, *files.landmark, options, config));
  }
  const auto most_tracked = static_cast<std::size_t>(config.max_faces.value_or(1));
  return std::unique_ptr<MediapipeFace>(new MediapipeFace(
      std::make_unique<State>(State{config.rules,
                                    config.rules == Rules::kQaiHub ? config.max_faces.value_or(1) : config.max_faces,
                                    std::move(detector),
                                    std::move(landmarker),
                                    Tracker(most_tracked, config.smooth),
                                    {}})));
}

base::Result<void> MediapipeFace::run(media::ImageView image, Detections& found) {
  State& state = *state_;
  found.times = found.detector_times = {};
  found.detector_ran = false;
  found.landmark_runs = 0;
  SLIPWAY_ASSIGN(const std::vector<mediapipe::Detection>* detections, state.detect(image, found));
  const auto most = static_cast<std::size_t>(state.max_faces.value_or(std::numeric_limits<int>::max()));
  const std::span<const mediapipe::Detection> best(detections->data(), std::min(detections->size(), most));
  propose_faces(best, state.landmarker ? state.rules : Rules::kQaiHub, state.proposals, found.faces);
  if (state.landmarker) return state.find_landmarks(image, found);
  return {};
}

base::Result<void> MediapipeFace::track(media::ImageView image, double time_s, Detections& found) {
  State& state = *state_;
  if (!state.landmarker || state.rules == Rules::kQaiHub) return run(image, found);
  found.times = found.detector_times = {};
  found.detector_ran = false;
  found.landmark_runs = 0;
  std::span<const mediapipe::Detection> detections;
  if (state.tracker.needs_detector()) {
    SLIPWAY_ASSIGN(const std::vector<mediapipe::Detection>* seen, state.detect(image, found));
    detections = *seen;
  }
  state.tracker.propose(detections, found.faces);
  SLIPWAY_TRY(state.find_landmarks(image, found));
  state.tracker.update(time_s, found.faces);
  return {};
}

void MediapipeFace::reset() {
  state_->tracker.reset();
}

Variant MediapipeFace::variant() const {
  return static_cast<Variant>(state_->detector.signature().kind);
}
runtime::Session& MediapipeFace::detector_session() {
  return state_->detector.session();
}
runtime::Session* MediapipeFace::landmark_session() {
  return state_->landmarker ? &state_->landmarker->session() : nullptr;
}

}  // namespace slipway::pipelines::mediapipe_face
