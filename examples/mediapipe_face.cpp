// Faces of one image with 468 landmarks: mediapipe_face_example MODEL IMAGE OVERLAY.png
#include <cstdio>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/mediapipe_face/face.hpp"
#include "runtime/environment.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s MODEL IMAGE OVERLAY.png\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  runtime::SessionOptions options;  // options.provider picks where it runs
  auto pipeline = or_exit(pipelines::mediapipe_face::MediapipeFace::load(environment, {argv[1], {}}, options, {}));
  media::Image image = or_exit(media::read_image(argv[2]));

  pipelines::mediapipe_face::Detections found;
  or_exit(pipeline->run(image.view(), found));  // of a video: pipeline->track(frame, seconds, found)
  for (const auto& face : found.objects)
    std::printf("face %.2f  %.1f %.1f %.1f %.1f\n", face.score, face.box.x1, face.box.y1, face.box.x2, face.box.y2);
  pipelines::mediapipe_face::draw_faces(image, found.objects);
  or_exit(media::write_image(argv[3], image.view()));
}
