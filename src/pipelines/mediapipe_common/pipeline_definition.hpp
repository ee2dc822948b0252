#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "pipelines/mediapipe_common/detector.hpp"
#include "pipelines/mediapipe_common/landmarker.hpp"
#include "pipelines/mediapipe_common/object_tracker.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"

// The members of Pipeline, for the one file of each kind that instantiates them.
namespace slipway::pipelines::mediapipe {

template <typename Kind>
struct Pipeline<Kind>::State {
  using Graph = typename Kind::Graph;

  Rules rules;
  std::size_t most;  // objects of a single picture
  Detector detector;
  std::optional<Landmarker<Graph>> landmarker;
  typename Graph::Tracker tracker;
  std::vector<Seen> seen;
  std::vector<Proposal> proposals;

  /// @return each picture's detections in `seen`
  base::Result<void> detect(std::span<const media::ImageView> images, std::span<Detections> found) {
    seen.resize(std::max(seen.size(), images.size()));
    SLIPWAY_TRY(detector.run(images, std::span(seen).first(images.size())));
    for (std::size_t i = 0; i < images.size(); ++i) {
      found[i].detector_ran = true;
      found[i].times = found[i].detector_times = seen[i].times;
    }
    return {};
  }

  void propose(std::span<const Detection> detections, std::vector<typename Graph::Object>& objects) {
    const auto best = detections.first(std::min(detections.size(), most));
    const auto region_of = [&](const Detection& detection) { return Graph::region_of(detection, rules); };
    if (landmarker && rules == Rules::kMediapipe) {
      propose_regions(best, region_of, proposals);
    } else {
      for (const Detection& detection : best) proposals.push_back({region_of(detection), -1, &detection});
    }
    for (const Proposal& proposal : proposals) {
      objects.push_back(object_of<typename Graph::Object>(proposal));
    }
    proposals.clear();
  }

  static void clear(Detections& found) {
    static_cast<PictureRuns&>(found) = {};
    Graph::objects(found).clear();
  }
};

template <typename Kind>
Pipeline<Kind>::Pipeline(std::unique_ptr<State> state) : state_(std::move(state)) {}
template <typename Kind>
Pipeline<Kind>::~Pipeline() = default;

template <typename Kind>
base::Result<std::unique_ptr<Pipeline<Kind>>> Pipeline<Kind>::load(std::shared_ptr<runtime::Environment> environment,
                                                                   const Models& models,
                                                                   const runtime::SessionOptions& options,
                                                                   const Config& config) {
  using Graph = typename Kind::Graph;
  if (config.batch < 1) {
    return base::fail(base::Code::kInvalidArgument, "a batch of {}: expected 1 or more", config.batch);
  }
  SLIPWAY_TRY(Graph::check(config));
  SLIPWAY_ASSIGN(ModelFiles files, find_files(models));
  const bool finds_landmarks = config.find_landmarks && files.landmark;
  // Two networks in turns: the one that has run must not hold the cores that the other one wants.
  runtime::SessionOptions session_options = options;
  session_options.spin_between_runs = options.spin_between_runs && !finds_landmarks;
  // What the configuration says wins.
  for (const auto& [name, scale] : config.detector_quantization) files.detector.quantization[name] = scale;
  SLIPWAY_ASSIGN(Detector detector,
                 Detector::load(environment, files.detector, session_options, Graph::detector_family(),
                                {Graph::rules(config), config.score_min, config.iou_max, config.batch}));
  std::optional<Landmarker<Graph>> landmarker;
  if (finds_landmarks) {
    for (const auto& [name, scale] : config.landmark_quantization) files.landmark->quantization[name] = scale;
    SLIPWAY_ASSIGN(landmarker, Landmarker<Graph>::load(environment, *files.landmark, session_options, config));
  }
  const std::size_t most = Graph::most_of_picture(config, landmarker.has_value());
  return std::unique_ptr<Pipeline>(
      new Pipeline(std::make_unique<State>(State{Graph::rules(config),
                                                 most,
                                                 std::move(detector),
                                                 std::move(landmarker),
                                                 typename Graph::Tracker(Graph::most_tracked(config), config.smooth),
                                                 {},
                                                 {}})));
}

template <typename Kind>
base::Result<void> Pipeline<Kind>::run(std::span<const media::ImageView> images, std::span<Detections> found) {
  State& state = *state_;
  if (images.size() != found.size()) {
    return base::fail(base::Code::kInvalidArgument, "expected as many results as pictures, {}, found {}", images.size(),
                      found.size());
  }
  for (Detections& each : found) State::clear(each);
  SLIPWAY_TRY(state.detect(images, found));
  for (std::size_t i = 0; i < images.size(); ++i) {
    state.propose(state.seen[i].detections, Kind::Graph::objects(found[i]));
  }
  if (state.landmarker) return state.landmarker->run(images, found);
  return {};
}

template <typename Kind>
base::Result<void> Pipeline<Kind>::track(media::ImageView image, double time_s, Detections& found) {
  State& state = *state_;
  if (!state.landmarker || state.rules != Rules::kMediapipe) return run(image, found);
  const std::span<const media::ImageView> images(&image, 1);
  const std::span<Detections> all(&found, 1);
  State::clear(found);
  std::span<const Detection> detections;
  if (state.tracker.needs_detector()) {
    SLIPWAY_TRY(state.detect(images, all));
    detections = state.seen[0].detections;
  }
  auto& objects = Kind::Graph::objects(found);
  state.tracker.propose(detections, objects);
  SLIPWAY_TRY(state.landmarker->run(images, all));
  state.tracker.update(time_s, objects);
  return {};
}

template <typename Kind>
void Pipeline<Kind>::reset() {
  state_->tracker.reset();
}

template <typename Kind>
const DetectorSignature& Pipeline<Kind>::detector_signature() const {
  return state_->detector.signature();
}
template <typename Kind>
runtime::Session& Pipeline<Kind>::detector_session() {
  return state_->detector.session();
}
template <typename Kind>
runtime::Session* Pipeline<Kind>::landmark_session() {
  return state_->landmarker ? &state_->landmarker->session() : nullptr;
}

}  // namespace slipway::pipelines::mediapipe
