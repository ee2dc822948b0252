// One object through a video: samurai_example MODEL VIDEO x,y,w,h OVERLAY.mp4
#include <cstdio>

#include "or_exit.hpp"

#include "media/video_file.hpp"
#include "pipelines/samurai/overlay.hpp"
#include "pipelines/samurai/tracker.hpp"
#include "runtime/environment.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  double x = 0, y = 0, w = 0, h = 0;
  if (argc != 5 || std::sscanf(argv[3], "%lf,%lf,%lf,%lf", &x, &y, &w, &h) != 4)
    return std::fprintf(stderr, "usage: %s MODEL VIDEO x,y,w,h OVERLAY.mp4\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  auto tracker = or_exit(pipelines::samurai::SamuraiTracker::load(environment, argv[1], {}));
  pipelines::samurai::Prompt prompt;
  prompt.box = pipelines::Box{x, y, x + w, y + h};
  or_exit(tracker->start({prompt}));

  auto video = or_exit(media::VideoReader::open(argv[2]));
  const media::VideoInfo info = video.info();
  auto overlay =
      or_exit(media::VideoWriter::create(argv[4], info.width, info.height, info.rate_numerator, info.rate_denominator));
  media::VideoFrame frame;
  pipelines::samurai::FrameResult result;
  while (or_exit(video.next(frame))) {
    or_exit(tracker->track(frame.image.view(), result));
    const auto& mask = result.objects[0].mask;
    std::printf("%ld  %.0f %.0f %.0f %.0f\n", long(result.frame), mask.box.x1, mask.box.y1, mask.box.x2, mask.box.y2);
    pipelines::samurai::draw_objects(frame.image, result);
    or_exit(overlay.write(frame.image.view()));
  }
  or_exit(overlay.finish());
}
