#include "pipelines/mediapipe_face/landmarker.hpp"

#include <algorithm>
#include <cmath>

#include "media/region_to_tensor.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr double kMediapipeScale = 1.5, kQaiHubScale = 1.1;
constexpr std::size_t kRightEye = 0, kLeftEye = 1;               // key points
constexpr std::size_t kRightEyeOuter = 33, kLeftEyeOuter = 263;  // landmarks

media::Point point_of(const Landmark& landmark) {
  return {static_cast<double>(landmark.x), static_cast<double>(landmark.y)};
}

}  // namespace

mediapipe::Region region_of(const mediapipe::Detection& detection, Rules rules) {
  const double angle = mediapipe::angle_between(detection.keypoints[kRightEye], detection.keypoints[kLeftEye]);
  if (rules == Rules::kMediapipe) return mediapipe::square_region(detection.box, angle, kMediapipeScale);
  const Box& box = detection.box;
  return {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
          (box.x2 - box.x1) * kQaiHubScale,
          (box.y2 - box.y1) * kQaiHubScale,
          angle};
}

Box box_of(const std::array<Landmark, kLandmarkCount>& landmarks) {
  float left = landmarks[0].x, right = left, top = landmarks[0].y, bottom = top;
  for (const Landmark& landmark : landmarks) {
    left = std::min(left, landmark.x);
    right = std::max(right, landmark.x);
    top = std::min(top, landmark.y);
    bottom = std::max(bottom, landmark.y);
  }
  return {static_cast<double>(left), static_cast<double>(top), static_cast<double>(right), static_cast<double>(bottom)};
}

mediapipe::Region region_of(const std::array<Landmark, kLandmarkCount>& landmarks) {
  const double angle =
      mediapipe::angle_between(point_of(landmarks[kRightEyeOuter]), point_of(landmarks[kLeftEyeOuter]));
  return mediapipe::square_region(box_of(landmarks), angle, kMediapipeScale);
}

struct Landmarker::State {
  Rules rules;
  float presence_min;
  LandmarkSignature signature;
  Network network;
  media::RegionToTensor warp;
};

Landmarker::Landmarker(std::unique_ptr<State> state) : state_(std::move(state)) {}
Landmarker::~Landmarker() = default;
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;

base::Result<Landmarker> Landmarker::load(std::shared_ptr<runtime::Environment> environment, const NetworkFile& file,
                                          const runtime::SessionOptions& options, const Config& config) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read_landmark_signature(session->inputs(), session->outputs(), config.landmark_quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), signature->input.tensor));
  const media::PictureInput input =
      picture_input_of(signature->input, file.input_range.value_or(std::pair{0.0F, 1.0F}));
  const bool is_mediapipe = config.rules == Rules::kMediapipe;
  SLIPWAY_ASSIGN(media::RegionToTensor warp,
                 media::RegionToTensor::create(
                     input, is_mediapipe ? media::Border::kReplicate : media::Border::kZero,
                     is_mediapipe ? media::WarpRounding::kWarpPerspective : media::WarpRounding::kWarpAffine));
  return Landmarker(std::make_unique<State>(
      State{config.rules, config.presence_min, std::move(*signature), std::move(network), std::move(warp)}));
}

base::Result<void> Landmarker::run(media::ImageView image, Face& face, StageTimes& times) {
  State& state = *state_;
  Stopwatch watch;
  face.has_landmarks = false;
  face.presence = 0;
  const double size = state.signature.input.size;
  // The package lays the crop's corner pixels, not its edges, onto the region's corners.
  const double span = state.rules == Rules::kMediapipe ? size : size - 1;
  media::Affine to_picture = mediapipe::crop_map(face.region, span, span);
  if (face.region.width <= 0 || face.region.height <= 0 || !to_picture.is_finite()) return {};
  SLIPWAY_TRY(state.warp.convert(image, to_picture, state.network.inputs[0].tensor.bytes()));
  times.pre_us += watch.lap_us();
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, state.network.run());
  times.inference_us += watch.lap_us();

  const LandmarkSignature& signature = state.signature;
  SLIPWAY_ASSIGN(const RealValues flag, read_output(*outputs, signature.outputs, signature.flag, 1));
  SLIPWAY_ASSIGN(const RealValues values,
                 read_output(*outputs, signature.outputs, signature.landmarks, 3 * kLandmarkCount));
  face.presence = signature.flag_is_logit ? 1.0F / (1.0F + std::exp(-flag[0])) : flag[0];
  const double unit = signature.unit == LandmarkUnit::kCropFraction ? size : 1.0;
  const double depth_unit = unit * face.region.width / span;
  bool is_finite = std::isfinite(face.presence);
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    const media::Point at =
        to_picture.apply({static_cast<double>(values[3 * i]) * unit, static_cast<double>(values[3 * i + 1]) * unit});
    const double depth = static_cast<double>(values[3 * i + 2]) * depth_unit;
    face.landmarks[i] = {static_cast<float>(at.x), static_cast<float>(at.y), static_cast<float>(depth)};
    is_finite = is_finite && std::isfinite(at.x) && std::isfinite(at.y) && std::isfinite(depth);
  }
  face.has_landmarks = is_finite && face.presence >= state.presence_min;
  times.post_us += watch.lap_us();
  return {};
}

const LandmarkSignature& Landmarker::signature() const {
  return state_->signature;
}
runtime::Session& Landmarker::session() {
  return *state_->network.session;
}

}  // namespace slipway::pipelines::mediapipe_face
