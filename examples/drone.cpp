// Objects, what they stand on, and the free way, frame by frame: drone_example DETECTOR SEGMENTER INPUT OVERLAY.png
#include <cstdio>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/drone/overlay.hpp"
#include "pipelines/drone/pipeline.hpp"
#include "pipelines/segmentation/labels.hpp"
#include "pipelines/yolov8/labels.hpp"

using namespace slipway;
using pipelines::yolov8::label_of;

int main(int argc, char** argv) {
  if (argc != 5) return std::fprintf(stderr, "usage: %s DETECTOR SEGMENTER INPUT OVERLAY.png\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  pipelines::drone::Config config{.detector_model = argv[1], .segmenter_model = argv[2]};
  auto drone = or_exit(pipelines::drone::Drone::load(environment, config));
  auto source = or_exit(pipelines::FrameSource::open({argv[3]}));  // an image, a folder, a video, /dev/video0

  pipelines::SourceFrame frame;
  pipelines::drone::Scene scene;
  const auto& labels = drone->detector().labels();
  while (source.next(frame) && !frame.error) {
    or_exit(drone->run(frame.frame.image.view(), frame.is_video, scene));
    for (const auto& object : scene.objects) {
      const auto surface = pipelines::drone::main_surface(object.under);
      std::printf("%-12s %-7s on %s\n", label_of(labels, object.class_id).c_str(),
                  distance_name(object.distance.distance).data(), surface_name(surface).data());
    }
    if (scene.heading) std::printf("free heading %+.0f degrees\n", scene.heading->degrees);
  }
  draw_scene(frame.frame.image, scene, labels, pipelines::segmentation::colours_of(drone->segmenter()->labels()));
  or_exit(media::write_image(argv[4], frame.frame.image.view()));
}
