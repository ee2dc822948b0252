// Objects of one image: yolov8_example MODEL IMAGE
#include <cstdio>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/yolov8/labels.hpp"
#include "pipelines/yolov8/pipeline.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s MODEL IMAGE\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  pipelines::StandbyOptions options;  // options.primary.provider picks where it runs, options.standby what stands by
  auto detector = or_exit(pipelines::yolov8::Yolov8::load(environment, argv[1], options, {}));
  const media::Image image = or_exit(media::read_image(argv[2]));

  pipelines::yolov8::Detections found;
  or_exit(detector->run(image.view(), found));
  for (const auto& object : found.objects) {
    const std::string label = pipelines::yolov8::label_of(detector->labels(), object.class_id);
    const auto& box = object.box;
    std::printf("%-12s %.2f  %.1f %.1f %.1f %.1f\n", label.c_str(), object.score, box.x1, box.y1, box.x2, box.y2);
  }
}
