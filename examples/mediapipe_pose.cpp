// The pose of a person in an image with 33 landmarks: mediapipe_pose_example MODEL IMAGE OVERLAY.png
#include <cstdio>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/mediapipe_pose/pose.hpp"
#include "runtime/environment.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s MODEL IMAGE OVERLAY.png\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  runtime::SessionOptions options;  // options.provider picks where it runs
  auto pipeline = or_exit(pipelines::mediapipe_pose::MediapipePose::load(environment, {argv[1], {}}, options, {}));
  media::Image image = or_exit(media::read_image(argv[2]));

  pipelines::mediapipe_pose::Detections found;
  or_exit(pipeline->run(image.view(), found));  // of a video: pipeline->track(frame, seconds, found)
  for (const auto& pose : found.objects)
    std::printf("person %.2f  %.1f %.1f %.1f %.1f\n", pose.score, pose.box.x1, pose.box.y1, pose.box.x2, pose.box.y2);
  pipelines::mediapipe_pose::draw_poses(image, found.objects);
  or_exit(media::write_image(argv[3], image.view()));
}
