#include "pipelines/mediapipe_face/face.hpp"

#include <cmath>

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr double kMediapipeScale = 1.5, kQaiHubScale = 1.1;
constexpr std::size_t kRightEye = 0, kLeftEye = 1;               // key points
constexpr std::size_t kRightEyeOuter = 33, kLeftEyeOuter = 263;  // landmarks

mediapipe::Kind kind_of(const Config& config) {
  const bool is_qai_hub = config.rules == Rules::kQaiHub;
  mediapipe::Kind kind{.detector = detector_family(), .rules = config.rules};
  kind.most_of_image = kind.most_boxes =
      config.max_faces ? static_cast<std::size_t>(*config.max_faces) : (is_qai_hub ? 1 : mediapipe::kNoLimit);
  kind.most_tracked = static_cast<std::size_t>(config.max_faces.value_or(1));
  if (is_qai_hub)
    kind.crop = {.border = media::Border::kZero, .rounding = media::WarpRounding::kWarpAffine, .shrink = 1};
  return kind;
}

}  // namespace

mediapipe::Region face_region(const mediapipe::Detection& detection, Rules rules) {
  const double angle = mediapipe::angle_between(detection.keypoints[kRightEye], detection.keypoints[kLeftEye]);
  if (rules == Rules::kMediapipe) return mediapipe::square_region(detection.box, angle, kMediapipeScale);
  const Box& box = detection.box;
  return {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
          (box.x2 - box.x1) * kQaiHubScale,
          (box.y2 - box.y1) * kQaiHubScale,
          angle};
}

mediapipe::Region next_face_region(const Face& face) {
  const double angle = mediapipe::angle_between(mediapipe::point_of(face.landmarks[kRightEyeOuter]),
                                                mediapipe::point_of(face.landmarks[kLeftEyeOuter]));
  return mediapipe::square_region(mediapipe::box_of(face.landmarks), angle, kMediapipeScale);
}

MediapipeFace::MediapipeFace(const Config& config) : Pipeline(kind_of(config)), rules_(config.rules) {}

base::Result<std::unique_ptr<MediapipeFace>> MediapipeFace::load(
    const std::shared_ptr<runtime::Environment>& environment, const Models& models,
    const runtime::SessionOptions& options, const Config& config) {
  SLIPWAY_TRY(mediapipe::check_most(config.max_faces, "faces"));
  std::unique_ptr<MediapipeFace> pipeline(new MediapipeFace(config));
  SLIPWAY_TRY(pipeline->load_networks(environment, models, options, config));
  return pipeline;
}

base::Result<mediapipe::NetworkSignature> MediapipeFace::read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                        const std::vector<tensor::TensorSpec>& outputs,
                                                                        const Quantizations& quantization, int batch) {
  SLIPWAY_ASSIGN(signature_, read_landmark_signature(inputs, outputs, quantization, batch));
  return signature_;
}

base::Result<bool> MediapipeFace::read(const mediapipe::Landmarker::Output& output, Face& face) const {
  SLIPWAY_ASSIGN(const RealValues flag, output.values(signature_.flag, 1));
  SLIPWAY_ASSIGN(const RealValues values, output.values(signature_.landmarks, 3 * kLandmarkCount));
  face.presence = signature_.flag_is_logit ? 1.0F / (1.0F + std::exp(-flag[0])) : flag[0];
  const double unit = signature_.unit == LandmarkUnit::kCropFraction ? static_cast<double>(output.size) : 1.0;
  return mediapipe::place_landmarks(values, 3, {output.to_image, unit, unit * output.scale}, face.landmarks);
}

}  // namespace slipway::pipelines::mediapipe_face
