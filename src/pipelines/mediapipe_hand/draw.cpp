#include <algorithm>

#include "media/labels.hpp"
#include "pipelines/mediapipe_hand/hand.hpp"

namespace slipway::pipelines::mediapipe_hand {
namespace {

// Landmarks in drawing order; a line ends at −1: five fingers, and the palm around.
constexpr int kBones[] = {0,  1,  2,  3,  4,  -1, 5,  6,  7,  8, -1, 9, 10, 11, 12, -1, 13,
                          14, 15, 16, -1, 17, 18, 19, 20, -1, 0, 5,  9, 13, 17, 0,  -1};
constexpr media::Colour kBone = {120, 200, 255};

void draw_bones(media::Image& image, const Hand& hand, int width) {
  int before = -1;
  for (const int index : kBones) {
    if (before >= 0 && index >= 0) {
      media::draw_line(image, mediapipe::point_of(hand.landmarks[static_cast<std::size_t>(before)]),
                       mediapipe::point_of(hand.landmarks[static_cast<std::size_t>(index)]), kBone, width);
    }
    before = index;
  }
  for (const Landmark& joint : hand.landmarks) {
    media::draw_point(image, mediapipe::point_of(joint), width + 1, media::kWhite);
  }
}

/// Of one that is followed, its own.
media::Colour colour_of(const Hand& hand) {
  return media::colour_of_class(std::max<int>(0, static_cast<int>(hand.track_id)));
}

}  // namespace

void draw_hands(media::Image& image, const std::vector<Hand>& hands) {
  const int width = media::line_width_for(image.view());
  for (const Hand& hand : hands) {
    if (hand.has_landmarks) draw_bones(image, hand, width);
    media::draw_box(image, hand.box.x1, hand.box.y1, hand.box.x2, hand.box.y2, colour_of(hand), width);
    if (hand.has_landmarks || !hand.has_keypoints) continue;
    for (const media::Point& point : hand.keypoints) media::draw_point(image, point, width, media::kYellow);
  }
  // Labels last, so that no box crosses them.
  media::Labels labels(image, media::text_size_for(image.view()));
  for (const Hand& hand : hands) labels.spare(hand.box.x1, hand.box.y1, hand.box.x2, hand.box.y2);
  for (const Hand& hand : hands) {
    media::LabelText text("{:.2f}", hand.score);
    if (hand.track_id >= 0) text = media::LabelText("#{} {:.2f}", hand.track_id, hand.score);
    if (hand.has_landmarks) text.append(" {}", hand.is_right() ? "right" : "left");
    labels.add(hand.box.x1, hand.box.y1, hand.box.x2, hand.box.y2, text.text(), colour_of(hand));
  }
}

}  // namespace slipway::pipelines::mediapipe_hand
