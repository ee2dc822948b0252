#include "pipelines/mediapipe_hand/landmarker.hpp"

#include <algorithm>
#include <cmath>

namespace slipway::pipelines::mediapipe_hand {
namespace {

constexpr std::size_t kPalmWrist = 0, kPalmMiddle = 2;                              // key points
constexpr std::size_t kWrist = 0, kIndexRoot = 5, kMiddleRoot = 9, kRingRoot = 13;  // landmarks
constexpr std::array<std::size_t, 12> kStable = {0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18};
constexpr double kPalmShift = -0.5, kPalmScale = 2.6, kHandShift = -0.1, kHandScale = 2.0;
constexpr double kDepthDivisor = 0.4;

}  // namespace

mediapipe::Region region_of(const mediapipe::Detection& palm) {
  const Box& box = palm.box;
  const mediapipe::Region raw = {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
                                 box.x2 - box.x1,
                                 box.y2 - box.y1,
                                 mediapipe::angle_upright(palm.keypoints[kPalmWrist], palm.keypoints[kPalmMiddle])};
  return mediapipe::moved_square(raw, 0, kPalmShift, kPalmScale);
}

mediapipe::Region region_of(const std::array<Landmark, kLandmarkCount>& landmarks) {
  const auto at = [&](std::size_t index) { return mediapipe::point_of(landmarks[index]); };
  const media::Point index = at(kIndexRoot), middle = at(kMiddleRoot), ring = at(kRingRoot);
  const media::Point root = {((index.x + ring.x) / 2 + middle.x) / 2, ((index.y + ring.y) / 2 + middle.y) / 2};
  std::array<Landmark, kStable.size()> stable;
  for (std::size_t i = 0; i < kStable.size(); ++i) stable[i] = landmarks[kStable[i]];
  const mediapipe::Region around = mediapipe::turned_box(stable, mediapipe::angle_upright(at(kWrist), root));
  return mediapipe::moved_square(around, 0, kHandShift, kHandScale);
}

base::Result<Landmarker> Landmarker::load(std::shared_ptr<runtime::Environment> environment,
                                          const mediapipe::NetworkFile& file, const runtime::SessionOptions& options,
                                          float presence_min) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read_landmark_signature(session->inputs(), session->outputs(), file.quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(mediapipe::RegionNetwork network,
                 mediapipe::RegionNetwork::create(std::move(session), signature->input, file, {}));
  return Landmarker(presence_min, std::move(*signature), std::move(network));
}

base::Result<void> Landmarker::run(media::ImageView image, Hand& hand, StageTimes& times) {
  hand.has_landmarks = false;
  hand.presence = hand.left_hand = 0;
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, network_.run(image, hand.region, times));
  if (outputs == nullptr) return {};
  Stopwatch watch;
  const auto read = [&](std::size_t index, std::size_t values) {
    return mediapipe::read_output(*outputs, signature_.outputs, index, values);
  };
  SLIPWAY_ASSIGN(const RealValues presence, read(signature_.presence, 1));
  SLIPWAY_ASSIGN(const RealValues handedness, read(signature_.handedness, 1));
  SLIPWAY_ASSIGN(const RealValues points, read(signature_.landmarks, 3 * kLandmarkCount));
  SLIPWAY_ASSIGN(const RealValues world, read(signature_.world, 3 * kLandmarkCount));
  hand.presence = presence[0];
  hand.left_hand = handedness[0];
  const bool is_placed = mediapipe::place_landmarks(
      points, 3, {network_.to_picture(), 1.0, network_.scale() / kDepthDivisor}, hand.landmarks);
  const bool is_turned = mediapipe::turn_landmarks(world, 3, hand.region.angle, hand.world_landmarks);
  hand.has_landmarks = is_placed && is_turned && hand.presence >= presence_min_;
  times.post_us += watch.lap_us();
  return {};
}

}  // namespace slipway::pipelines::mediapipe_hand
