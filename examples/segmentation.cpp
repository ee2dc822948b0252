// What an image consists of: segmentation_example MODEL IMAGE OVERLAY.png
#include <cstdio>
#include <vector>

#include "or_exit.hpp"

#include "media/image_file.hpp"
#include "pipelines/segmentation/labels.hpp"
#include "pipelines/segmentation/pipeline.hpp"

using namespace slipway;

int main(int argc, char** argv) {
  if (argc != 4) return std::fprintf(stderr, "usage: %s MODEL IMAGE OVERLAY.png\n", argv[0]), 2;
  const auto environment = or_exit(runtime::Environment::open(or_exit(runtime::locate_libraries())));
  auto segmenter = or_exit(pipelines::segmentation::Segmenter::load(environment, argv[1], {}, {}));
  media::Image image = or_exit(media::read_image(argv[2]));

  pipelines::segmentation::Segments segments;
  or_exit(segmenter->run(image.view(), segments));
  const auto& labels = segmenter->labels();
  std::vector<std::size_t> cells(labels.size());
  for (const auto label : segments.map.labels) ++cells[label];
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (cells[i] > 0)
      std::printf("%5.1f %% %s\n", 100.0 * double(cells[i]) / double(segments.map.labels.size()), labels[i].c_str());
  draw_segments(image, segments.map, pipelines::segmentation::colours_of(labels));
  or_exit(media::write_image(argv[3], image.view()));
}
