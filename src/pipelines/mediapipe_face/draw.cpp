#include <algorithm>
#include <span>

#include "media/labels.hpp"
#include "pipelines/mediapipe_face/face.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

// Landmarks in drawing order; a line ends at −1.
constexpr int kContours[] = {
    61,  146, 91,  181, 84,  17,  314, 405, 321, 375, 291, -1,  // lips, outer and inner, lower and upper
    61,  185, 40,  39,  37,  0,   267, 269, 270, 409, 291, -1,  //
    78,  95,  88,  178, 87,  14,  317, 402, 318, 324, 308, -1,  //
    78,  191, 80,  81,  82,  13,  312, 311, 310, 415, 308, -1,  //
    263, 249, 390, 373, 374, 380, 381, 382, 362, -1,            // left eye
    263, 466, 388, 387, 386, 385, 384, 398, 362, -1,            //
    276, 283, 282, 295, 285, -1,  300, 293, 334, 296, 336, -1,  // left brow
    33,  7,   163, 144, 145, 153, 154, 155, 133, -1,            // right eye
    33,  246, 161, 160, 159, 158, 157, 173, 133, -1,            //
    46,  53,  52,  65,  55,  -1,  70,  63,  105, 66,  107, -1,  // right brow
    10,  338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,  // outline
    148, 176, 149, 150, 136, 172, 58,  132, 93,  234, 127, 162, 21,  54,  103, 67,  109, 10,  -1};

constexpr media::Colour kMesh = {120, 200, 255};

void draw_mesh(media::Image& image, const Face& face, int width) {
  const int radius = face.region.width > 300 ? width : 0;
  for (const Landmark& landmark : face.landmarks)
    media::draw_point(image, mediapipe::point_of(landmark), radius, kMesh);
  int before = -1;
  for (const int index : kContours) {
    if (before >= 0 && index >= 0) {
      media::draw_line(image, mediapipe::point_of(face.landmarks[static_cast<std::size_t>(before)]),
                       mediapipe::point_of(face.landmarks[static_cast<std::size_t>(index)]), media::kWhite, 1);
    }
    before = index;
  }
}

/// Of one that is followed, its own.
media::Colour colour_of(const Face& face) {
  return media::colour_of_class(std::max<int>(0, static_cast<int>(face.track_id)));
}

}  // namespace

void draw_faces(media::Image& image, const std::vector<Face>& faces) {
  const int width = media::line_width_for(image.view());
  for (const Face& face : faces) {
    if (face.has_landmarks) draw_mesh(image, face, width);
    media::draw_box(image, face.box.x1, face.box.y1, face.box.x2, face.box.y2, colour_of(face), width);
    if (!face.has_keypoints) continue;
    for (const media::Point& point : face.keypoints) media::draw_point(image, point, width, media::kYellow);
  }
  // Labels last, so that no box crosses them.
  media::Labels labels(image, media::text_size_for(image.view()));
  for (const Face& face : faces) labels.spare(face.box.x1, face.box.y1, face.box.x2, face.box.y2);
  for (const Face& face : faces) {
    media::LabelText text("{:.2f}", face.score);
    if (face.track_id >= 0) text = media::LabelText("#{} {:.2f}", face.track_id, face.score);
    labels.add(face.box.x1, face.box.y1, face.box.x2, face.box.y2, text.text(), colour_of(face));
  }
}

}  // namespace slipway::pipelines::mediapipe_face
