#include "pipelines/mediapipe_face/graph.hpp"

#include <cmath>
#include <limits>

namespace slipway::pipelines::mediapipe_face {
namespace {

constexpr double kMediapipeScale = 1.5, kQaiHubScale = 1.1;
constexpr std::size_t kRightEye = 0, kLeftEye = 1;               // key points
constexpr std::size_t kRightEyeOuter = 33, kLeftEyeOuter = 263;  // landmarks

}  // namespace

base::Result<void> FaceKind::Graph::check(const Config& config) {
  return mediapipe::check_most(config.max_faces, "faces");
}

std::size_t FaceKind::Graph::most_of_picture(const Config& config, bool /*has_landmarks*/) {
  const int without = config.rules == Rules::kQaiHub ? 1 : std::numeric_limits<int>::max();
  return static_cast<std::size_t>(config.max_faces.value_or(without));
}

mediapipe::Region FaceKind::Graph::region_of(const mediapipe::Detection& detection, Rules rules) {
  const double angle = mediapipe::angle_between(detection.keypoints[kRightEye], detection.keypoints[kLeftEye]);
  if (rules == Rules::kMediapipe) return mediapipe::square_region(detection.box, angle, kMediapipeScale);
  const Box& box = detection.box;
  return {{(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2},
          (box.x2 - box.x1) * kQaiHubScale,
          (box.y2 - box.y1) * kQaiHubScale,
          angle};
}

mediapipe::Region FaceKind::Graph::next_region(const Face& face) {
  const double angle = mediapipe::angle_between(mediapipe::point_of(face.landmarks[kRightEyeOuter]),
                                                mediapipe::point_of(face.landmarks[kLeftEyeOuter]));
  return mediapipe::square_region(mediapipe::box_of(face.landmarks), angle, kMediapipeScale);
}

mediapipe::CropRules FaceKind::Graph::crop_rules(const Config& config) {
  mediapipe::CropRules crop;
  if (config.rules == Rules::kQaiHub) {
    crop.border = media::Border::kZero;
    crop.rounding = media::WarpRounding::kWarpAffine;
    crop.shrink = 1;
  }
  return crop;
}

base::Result<bool> FaceKind::Graph::read(const LandmarkSignature& signature, const mediapipe::RegionOutputs& outputs,
                                         Face& face) {
  SLIPWAY_ASSIGN(const RealValues flag, outputs.values(signature.flag, 1));
  SLIPWAY_ASSIGN(const RealValues values, outputs.values(signature.landmarks, 3 * kLandmarkCount));
  face.presence = signature.flag_is_logit ? 1.0F / (1.0F + std::exp(-flag[0])) : flag[0];
  const double unit = signature.unit == LandmarkUnit::kCropFraction ? static_cast<double>(outputs.size()) : 1.0;
  return mediapipe::place_landmarks(values, 3, {outputs.to_picture(), unit, unit * outputs.scale()}, face.landmarks);
}

}  // namespace slipway::pipelines::mediapipe_face
