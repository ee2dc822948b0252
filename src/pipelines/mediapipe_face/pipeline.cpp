#include "pipelines/mediapipe_face/pipeline.hpp"

#include <algorithm>
#include <limits>

#include "pipelines/common/model_folder.hpp"
#include "pipelines/mediapipe_face/detector.hpp"
#include "pipelines/mediapipe_face/landmarker.hpp"
#include "pipelines/mediapipe_face/tracker.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

/// A network's file, its range, and the scales that its description says; those of the configuration win.
struct Found {
  NetworkFile file;
  Quantizations quantization;
};

base::Result<Found> find_network(const ModelFolder& folder, const std::string& name) {
  const ModelGraph* graph = &folder.graphs().front();
  if (!folder.is_bare_file() && folder.graphs().size() > 1) {
    SLIPWAY_ASSIGN(graph, folder.graph(name));
  }
  Found found{{graph->file, std::nullopt}, {}};
  for (const auto* tensors : {&graph->inputs, &graph->outputs}) {
    for (const tensor::TensorSpec& spec : *tensors) {
      if (spec.quantization) found.quantization[spec.name] = *spec.quantization;
    }
  }
  const std::string key = fmt::format("graphs.{}.pre.range", graph->name);
  SLIPWAY_ASSIGN(const auto range, folder.numbers(key));
  if (range) {
    if (range->size() != 2 || !((*range)[0] < (*range)[1])) {
      return base::fail(base::Code::kInvalidArgument, "{}/model.yaml: {}: expected [low, high]", folder.path().string(),
                        key);
    }
    found.file.input_range = {static_cast<float>((*range)[0]), static_cast<float>((*range)[1])};
  }
  return found;
}

bool has_graph(const ModelFolder& folder, const std::string& name) {
  return !folder.is_bare_file() && folder.graph(name).has_value();
}

}  // namespace

struct MediapipeFace::State {
  Rules rules;
  std::optional<int> max_faces;
  Detector detector;
  std::optional<Landmarker> landmarker;
  Tracker tracker;

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
  SLIPWAY_ASSIGN(const ModelFolder folder, ModelFolder::open(models.model));
  Config complete = config;
  SLIPWAY_ASSIGN(Found detector_file, find_network(folder, "detector"));
  complete.detector_quantization.insert(detector_file.quantization.begin(), detector_file.quantization.end());
  SLIPWAY_ASSIGN(Detector detector, Detector::load(environment, detector_file.file, options, complete));

  std::optional<Landmarker> landmarker;
  if (config.find_landmarks && (!models.landmark.empty() || has_graph(folder, "landmark"))) {
    std::optional<ModelFolder> other;
    if (!models.landmark.empty()) {
      SLIPWAY_ASSIGN(other, ModelFolder::open(models.landmark));
    }
    SLIPWAY_ASSIGN(const Found file, find_network(other ? *other : folder, "landmark"));
    complete.landmark_quantization.insert(file.quantization.begin(), file.quantization.end());
    SLIPWAY_ASSIGN(landmarker, Landmarker::load(environment, file.file, options, complete));
  }
  const auto most_tracked = static_cast<std::size_t>(config.max_faces.value_or(1));
  return std::unique_ptr<MediapipeFace>(new MediapipeFace(std::make_unique<State>(
      State{config.rules, config.rules == Rules::kQaiHub ? config.max_faces.value_or(1) : config.max_faces,
            std::move(detector), std::move(landmarker), Tracker(most_tracked, config.smooth)})));
}

base::Result<void> MediapipeFace::run(media::ImageView image, Detections& found) {
  State& state = *state_;
  found.times = found.detector_times = {};
  found.detector_ran = false;
  found.landmark_runs = 0;
  SLIPWAY_ASSIGN(const std::vector<mediapipe::Detection>* detections, state.detect(image, found));
  const auto most = static_cast<std::size_t>(state.max_faces.value_or(std::numeric_limits<int>::max()));
  const std::span<const mediapipe::Detection> best(detections->data(), std::min(detections->size(), most));
  propose_faces(best, state.landmarker ? state.rules : Rules::kQaiHub, found.faces);
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
  state.tracker.propose(detections, state.rules, found.faces);
  SLIPWAY_TRY(state.find_landmarks(image, found));
  state.tracker.update(time_s, found.faces);
  return {};
}

void MediapipeFace::reset() {
  state_->tracker.reset();
}

Variant MediapipeFace::variant() const {
  return state_->detector.signature().variant;
}
runtime::Session& MediapipeFace::detector_session() {
  return state_->detector.session();
}
runtime::Session* MediapipeFace::landmark_session() {
  return state_->landmarker ? &state_->landmarker->session() : nullptr;
}

}  // namespace slipway::pipelines::mediapipe_face
