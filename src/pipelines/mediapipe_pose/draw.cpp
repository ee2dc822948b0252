#include <algorithm>

#include "media/labels.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"

namespace slipway::pipelines::mediapipe_pose {
namespace {

// Landmarks in drawing order; a line ends at −1: trunk, arms with hands, legs with feet, face.
constexpr int kBones[] = {11, 12, 24, 23, 11, -1, 11, 13, 15, 17, 19, 15, 21, -1, 12, 14, 16,
                          18, 20, 16, 22, -1, 23, 25, 27, 29, 31, 27, -1, 24, 26, 28, 30, 32,
                          28, -1, 8,  6,  5,  4,  0,  1,  2,  3,  7,  -1, 10, 9,  -1};
constexpr media::Colour kBone = {120, 200, 255};
constexpr float kVisible = 0.5F;

void draw_bones(media::Image& image, const Pose& pose, int width) {
  int before = -1;
  for (const int index : kBones) {
    const auto at = [&](int i) { return mediapipe::point_of(pose.landmarks[static_cast<std::size_t>(i)]); };
    const auto is_visible = [&](int i) { return i >= 0 && pose.visibility[static_cast<std::size_t>(i)] >= kVisible; };
    if (is_visible(before) && is_visible(index)) media::draw_line(image, at(before), at(index), kBone, width);
    before = index;
  }
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    if (pose.visibility[i] < kVisible) continue;
    media::draw_point(image, mediapipe::point_of(pose.landmarks[i]), width + 1, media::kWhite);
  }
}

/// Of one that is followed, its own.
media::Colour colour_of(const Pose& pose) {
  return media::colour_of_class(std::max<int>(0, static_cast<int>(pose.track_id)));
}

}  // namespace

void draw_poses(media::Image& image, const std::vector<Pose>& poses) {
  const int width = media::line_width_for(image.view());
  for (const Pose& pose : poses) {
    if (pose.has_landmarks) draw_bones(image, pose, width);
    media::draw_box(image, pose.box.x1, pose.box.y1, pose.box.x2, pose.box.y2, colour_of(pose), width);
    if (pose.has_landmarks || !pose.has_keypoints) continue;
    for (const media::Point& point : pose.keypoints) media::draw_point(image, point, width, media::kYellow);
  }
  // Labels last, so that no box crosses them.
  media::Labels labels(image, media::text_size_for(image.view()));
  for (const Pose& pose : poses) {
    media::LabelText text("{:.2f}", pose.score);
    if (pose.track_id >= 0) text = media::LabelText("#{} {:.2f}", pose.track_id, pose.score);
    labels.add(pose.box.x1, pose.box.y1, pose.box.x2, pose.box.y2, text.text(), colour_of(pose));
  }
}

}  // namespace slipway::pipelines::mediapipe_pose
