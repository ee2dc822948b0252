#include "pipelines/mediapipe_hand/pipeline.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "pipelines/mediapipe_common/detector.hpp"
#include "pipelines/mediapipe_common/region_tracker.hpp"
#include "pipelines/mediapipe_hand/landmarker.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

using mediapipe::Proposal;

constexpr int kMostTracked = 2;  // unless told otherwise, as MediaPipe's Hands

void add_hand(const Proposal& proposal, std::vector<Hand>& hands) {
  Hand& hand = hands.emplace_back();
  hand.region = proposal.region;
  hand.track_id = proposal.track_id;
  if (proposal.detection == nullptr) return;
  hand.box = proposal.detection->box;
  hand.score = proposal.detection->score;
  hand.has_keypoints = true;
  std::copy_n(proposal.detection->keypoints.begin(), kKeypointCount, hand.keypoints.begin());
}

}  // namespace

struct MediapipeHand::State {
  std::optional<int> max_hands;
  bool smooth;
  mediapipe::Detector detector;
  std::optional<Landmarker> landmarker;
  mediapipe::RegionTracker tracks;
  std::vector<Proposal> proposals;

  /// The best palms, each with its region.
  base::Result<void> detect(media::ImageView image, std::size_t most, Detections& found) {
    found.detector_ran = true;
    SLIPWAY_ASSIGN(const std::vector<mediapipe::Detection>* palms, detector.run(image, found.times));
    found.detector_times = found.times;
    const std::span<const mediapipe::Detection> best(palms->data(), std::min(palms->size(), most));
    if (landmarker) {
      mediapipe::propose_regions(
          best, [](const mediapipe::Detection& palm) { return region_of(palm); }, proposals);
      return {};
    }
    for (const mediapipe::Detection& palm : best) proposals.push_back({region_of(palm), -1, &palm});
    return {};
  }

  base::Result<void> find_hands(media::ImageView image, Detections& found) {
    for (const Proposal& proposal : proposals) add_hand(proposal, found.hands);
    if (!landmarker) return {};
    for (Hand& hand : found.hands) {
      SLIPWAY_TRY(landmarker->run(image, hand, found.times));
      ++found.landmark_runs;
    }
    return {};
  }

  void follow(double time_s, std::vector<Hand>& hands) {
    std::erase_if(hands, [](const Hand& hand) { return !hand.has_keypoints && !hand.has_landmarks; });
    tracks.begin_update();
    for (Hand& hand : hands) {
      if (!hand.has_landmarks) continue;
      mediapipe::RegionTracker::Track& track = tracks.follow(hand.track_id, region_of(hand.landmarks));
      hand.track_id = track.id;
      const Box around = mediapipe::box_of(hand.landmarks);
      if (smooth) track.smooth(time_s, around, hand.landmarks);
      if (hand.has_keypoints) continue;
      hand.box = around;
      hand.score = hand.presence;
    }
    tracks.end_update();
  }
};

MediapipeHand::MediapipeHand(std::unique_ptr<State> state) : state_(std::move(state)) {}
MediapipeHand::~MediapipeHand() = default;

base::Result<std::unique_ptr<MediapipeHand>> MediapipeHand::load(std::shared_ptr<runtime::Environment> environment,
                                                                 const Models& models,
                                                                 const runtime::SessionOptions& options,
                                                                 const Config& config) {
  if (config.max_hands && *config.max_hands < 1) {
    return base::fail(base::Code::kInvalidArgument, "the most hands: expected 1 or more, found {}", *config.max_hands);
  }
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
  const auto most_tracked = static_cast<std::size_t>(config.max_hands.value_or(kMostTracked));
  return std::unique_ptr<MediapipeHand>(
      new MediapipeHand(std::make_unique<State>(State{config.max_hands,
                                                      config.smooth,
                                                      std::move(detector),
                                                      std::move(landmarker),
                                                      mediapipe::RegionTracker(most_tracked),
                                                      {}})));
}

base::Result<void> MediapipeHand::run(media::ImageView image, Detections& found) {
  State& state = *state_;
  found.times = found.detector_times = {};
  found.landmark_runs = 0;
  found.hands.clear();
  state.proposals.clear();
  const auto most = static_cast<std::size_t>(state.max_hands.value_or(std::numeric_limits<int>::max()));
  SLIPWAY_TRY(state.detect(image, most, found));
  return state.find_hands(image, found);
}

base::Result<void> MediapipeHand::track(media::ImageView image, double time_s, Detections& found) {
  State& state = *state_;
  if (!state.landmarker) return run(image, found);
  found.times = found.detector_times = {};
  found.detector_ran = false;
  found.landmark_runs = 0;
  found.hands.clear();
  state.proposals.clear();
  if (state.tracks.needs_detector()) SLIPWAY_TRY(state.detect(image, state.tracks.most(), found));
  state.tracks.add_tracks(state.proposals);
  SLIPWAY_TRY(state.find_hands(image, found));
  state.follow(time_s, found.hands);
  return {};
}

void MediapipeHand::reset() {
  state_->tracks.reset();
}

runtime::Session& MediapipeHand::detector_session() {
  return state_->detector.session();
}
runtime::Session* MediapipeHand::landmark_session() {
  return state_->landmarker ? &state_->landmarker->session() : nullptr;
}

}  // namespace slipway::pipelines::mediapipe_hand
