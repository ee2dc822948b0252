#include "pipelines/mediapipe_face/landmarker.hpp"

#include <algorithm>
#include <cmath>

#include "pipelines/mediapipe_common/region_network.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr double kMediapipeScale = 1.5, kQaiHubScale = 1.1;
constexpr std::size_t kRightEye = 0, kLeftEye = 1;               // key points
constexpr std::size_t kRightEyeOuter = 33, kLeftEyeOuter = 263;  // landmarks

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

mediapipe::Region region_of(const std::array<Landmark, kLandmarkCount>& landmarks) {
  const double angle = mediapipe::angle_between(mediapipe::point_of(landmarks[kRightEyeOuter]),
                                                mediapipe::point_of(landmarks[kLeftEyeOuter]));
  return mediapipe::square_region(mediapipe::box_of(landmarks), angle, kMediapipeScale);
}

struct Landmarker::State {
  float presence_min;
  LandmarkSignature signature;
  mediapipe::RegionNetwork network;
};

Landmarker::Landmarker(std::unique_ptr<State> state) : state_(std::move(state)) {}
Landmarker::~Landmarker() = default;
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker& Landmarker::operator=(Landmarker&&) noexcept = default;

base::Result<Landmarker> Landmarker::load(std::shared_ptr<runtime::Environment> environment,
                                          const mediapipe::NetworkFile& file, const runtime::SessionOptions& options,
                                          const Config& config) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read_landmark_signature(session->inputs(), session->outputs(), file.quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  mediapipe::CropRules crop;
  if (config.rules == Rules::kQaiHub) {
    crop.border = media::Border::kZero;
    crop.rounding = media::WarpRounding::kWarpAffine;
    crop.shrink = 1;
  }
  SLIPWAY_ASSIGN(mediapipe::RegionNetwork network,
                 mediapipe::RegionNetwork::create(std::move(session), signature->input, file, crop));
  return Landmarker(std::make_unique<State>(State{config.presence_min, std::move(*signature), std::move(network)}));
}

base::Result<void> Landmarker::run(media::ImageView image, Face& face, StageTimes& times) {
  State& state = *state_;
  face.has_landmarks = false;
  face.presence = 0;
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, state.network.run(image, face.region, times));
  if (outputs == nullptr) return {};
  Stopwatch watch;
  const LandmarkSignature& signature = state.signature;
  SLIPWAY_ASSIGN(const RealValues flag, mediapipe::read_output(*outputs, signature.outputs, signature.flag, 1));
  SLIPWAY_ASSIGN(const RealValues values,
                 mediapipe::read_output(*outputs, signature.outputs, signature.landmarks, 3 * kLandmarkCount));
  face.presence = signature.flag_is_logit ? 1.0F / (1.0F + std::exp(-flag[0])) : flag[0];
  const double unit = signature.unit == LandmarkUnit::kCropFraction ? static_cast<double>(state.network.size()) : 1.0;
  const bool is_finite = mediapipe::place_landmarks(
      values, 3, {state.network.to_picture(), unit, unit * state.network.scale()}, face.landmarks);
  face.has_landmarks = is_finite && face.presence >= state.presence_min;
  times.post_us += watch.lap_us();
  return {};
}

const LandmarkSignature& Landmarker::signature() const {
  return state_->signature;
}
runtime::Session& Landmarker::session() {
  return state_->network.session();
}

}  // namespace slipway::pipelines::mediapipe_face
