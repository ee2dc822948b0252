#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

constexpr std::size_t kPalmWrist = 0, kPalmMiddle = 2;                              // key points
constexpr std::size_t kWrist = 0, kIndexRoot = 5, kMiddleRoot = 9, kRingRoot = 13;  // landmarks
constexpr std::array<std::size_t, 12> kStable = {0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18};
constexpr double kPalmShift = -0.5, kPalmScale = 2.6, kHandShift = -0.1, kHandScale = 2.0;
constexpr double kDepthDivisor = 0.4;
constexpr int kMostTracked = 2;  // unless told otherwise, as MediaPipe's Hands

mediapipe::Kind kind_of(const Config& config) {
  mediapipe::Kind kind{.detector = detector_family()};
  if (config.max_hands) kind.most_of_image = kind.most_boxes = static_cast<std::size_t>(*config.max_hands);
  kind.most_tracked = static_cast<std::size_t>(config.max_hands.value_or(kMostTracked));
  return kind;
}

}  // namespace

mediapipe::Region palm_region(const mediapipe::Detection& palm) {
  const Box& box = palm.box;
  const mediapipe::Region raw = {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
                                 box.x2 - box.x1,
                                 box.y2 - box.y1,
                                 mediapipe::angle_upright(palm.keypoints[kPalmWrist], palm.keypoints[kPalmMiddle])};
  return mediapipe::moved_square(raw, 0, kPalmShift, kPalmScale);
}

mediapipe::Region next_hand_region(const Hand& hand) {
  const auto at = [&](std::size_t index) { return mediapipe::point_of(hand.landmarks[index]); };
  const media::Point index = at(kIndexRoot), middle = at(kMiddleRoot), ring = at(kRingRoot);
  const media::Point root = {((index.x + ring.x) / 2 + middle.x) / 2, ((index.y + ring.y) / 2 + middle.y) / 2};
  std::array<Landmark, kStable.size()> stable;
  for (std::size_t i = 0; i < kStable.size(); ++i) stable[i] = hand.landmarks[kStable[i]];
  const mediapipe::Region around = mediapipe::turned_box(stable, mediapipe::angle_upright(at(kWrist), root));
  return mediapipe::moved_square(around, 0, kHandShift, kHandScale);
}

MediapipeHand::MediapipeHand(const Config& config) : Pipeline(kind_of(config)) {}

base::Result<std::unique_ptr<MediapipeHand>> MediapipeHand::load(
    const std::shared_ptr<runtime::Environment>& environment, const Models& models,
    const runtime::SessionOptions& options, const Config& config) {
  SLIPWAY_TRY(mediapipe::check_most(config.max_hands, "hands"));
  std::unique_ptr<MediapipeHand> pipeline(new MediapipeHand(config));
  SLIPWAY_TRY(pipeline->load_networks(environment, models, options, config));
  return pipeline;
}

base::Result<mediapipe::NetworkSignature> MediapipeHand::read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                                        const mediapipe::Quantizations& quantization,
                                                                        int batch) {
  SLIPWAY_ASSIGN(signature_, read_landmark_signature(inputs, outputs, quantization, batch));
  return signature_;
}

base::Result<bool> MediapipeHand::read(const mediapipe::Landmarker::Output& output, Hand& hand) const {
  SLIPWAY_ASSIGN(const RealValues presence, output.values(signature_.presence, 1));
  SLIPWAY_ASSIGN(const RealValues handedness, output.values(signature_.handedness, 1));
  SLIPWAY_ASSIGN(const RealValues points, output.values(signature_.landmarks, 3 * kLandmarkCount));
  SLIPWAY_ASSIGN(const RealValues world, output.values(signature_.world, 3 * kLandmarkCount));
  hand.presence = presence[0];
  hand.left_hand = handedness[0];
  const bool is_placed =
      mediapipe::place_landmarks(points, 3, {output.to_image, 1.0, output.scale / kDepthDivisor}, hand.landmarks);
  return mediapipe::turn_landmarks(world, 3, hand.region.angle, hand.world_landmarks) && is_placed;
}

}  // namespace slipway::pipelines::mediapipe_hand
