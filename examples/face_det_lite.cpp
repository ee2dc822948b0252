// Faces of one image: face_det_lite_example MODEL IMAGE OVERLAY.png
#include <cstdio>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/face_det_lite/pipeline.hpp"
#include "runtime/environment.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s MODEL IMAGE OVERLAY.png\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  runtime::SessionOptions options;  // options.provider picks where it runs
  auto detector = or_exit(pipelines::face_det_lite::FaceDetLite::load(environment, argv[1], options, {}));
  media::Image image = or_exit(media::read_image(argv[2]));

  pipelines::face_det_lite::Detections found;
  or_exit(detector->run(image.view(), found));
  for (const auto& face : found.faces)
    std::printf("%.2f  %.1f %.1f %.1f %.1f\n", face.score, face.box.x1, face.box.y1, face.box.x2, face.box.y2);
  pipelines::face_det_lite::draw_faces(image, found.faces);
  or_exit(media::write_image(argv[3], image.view()));
}
