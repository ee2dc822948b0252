#include "pipelines/mediapipe_hand/graph.hpp"

#include <limits>

namespace slipway::pipelines::mediapipe_hand {
namespace {

constexpr std::size_t kPalmWrist = 0, kPalmMiddle = 2;                              // key points
constexpr std::size_t kWrist = 0, kIndexRoot = 5, kMiddleRoot = 9, kRingRoot = 13;  // landmarks
constexpr std::array<std::size_t, 12> kStable = {0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18};
constexpr double kPalmShift = -0.5, kPalmScale = 2.6, kHandShift = -0.1, kHandScale = 2.0;
constexpr double kDepthDivisor = 0.4;
constexpr int kMostTracked = 2;  // unless told otherwise, as MediaPipe's Hands

}  // namespace

base::Result<void> HandKind::Graph::check(const Config& config) {
  return mediapipe::check_most(config.max_hands, "hands");
}

std::size_t HandKind::Graph::most_of_picture(const Config& config, bool /*has_landmarks*/) {
  return static_cast<std::size_t>(config.max_hands.value_or(std::numeric_limits<int>::max()));
}

std::size_t HandKind::Graph::most_tracked(const Config& config) {
  return static_cast<std::size_t>(config.max_hands.value_or(kMostTracked));
}

mediapipe::Region HandKind::Graph::region_of(const mediapipe::Detection& palm, mediapipe::Rules /*rules*/) {
  const Box& box = palm.box;
  const mediapipe::Region raw = {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
                                 box.x2 - box.x1,
                                 box.y2 - box.y1,
                                 mediapipe::angle_upright(palm.keypoints[kPalmWrist], palm.keypoints[kPalmMiddle])};
  return mediapipe::moved_square(raw, 0, kPalmShift, kPalmScale);
}

mediapipe::Region HandKind::Graph::next_region(const Hand& hand) {
  const auto at = [&](std::size_t index) { return mediapipe::point_of(hand.landmarks[index]); };
  const media::Point index = at(kIndexRoot), middle = at(kMiddleRoot), ring = at(kRingRoot);
  const media::Point root = {((index.x + ring.x) / 2 + middle.x) / 2, ((index.y + ring.y) / 2 + middle.y) / 2};
  std::array<Landmark, kStable.size()> stable;
  for (std::size_t i = 0; i < kStable.size(); ++i) stable[i] = hand.landmarks[kStable[i]];
  const mediapipe::Region around = mediapipe::turned_box(stable, mediapipe::angle_upright(at(kWrist), root));
  return mediapipe::moved_square(around, 0, kHandShift, kHandScale);
}

base::Result<bool> HandKind::Graph::read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                         Hand& hand) {
  SLIPWAY_ASSIGN(const RealValues presence, outputs.values(signature.presence, 1));
  SLIPWAY_ASSIGN(const RealValues handedness, outputs.values(signature.handedness, 1));
  SLIPWAY_ASSIGN(const RealValues points, outputs.values(signature.landmarks, 3 * kLandmarkCount));
  SLIPWAY_ASSIGN(const RealValues world, outputs.values(signature.world, 3 * kLandmarkCount));
  hand.presence = presence[0];
  hand.left_hand = handedness[0];
  const bool is_placed = mediapipe::place_landmarks(
      points, 3, {outputs.to_picture(), 1.0, outputs.scale() / kDepthDivisor}, hand.landmarks);
  return mediapipe::turn_landmarks(world, 3, hand.region.angle, hand.world_landmarks) && is_placed;
}

}  // namespace slipway::pipelines::mediapipe_hand
