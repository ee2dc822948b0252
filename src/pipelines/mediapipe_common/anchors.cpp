#include "pipelines/mediapipe_common/anchors.hpp"

namespace slipway::pipelines::mediapipe {

std::vector<media::Point> make_anchors(int input_size, std::span<const AnchorLayer> layers) {
  std::vector<media::Point> anchors;
  for (const AnchorLayer& layer : layers) {
    const int cells = input_size / layer.stride;
    for (int row = 0; row < cells; ++row) {
      for (int column = 0; column < cells; ++column) {
        anchors.insert(anchors.end(), static_cast<std::size_t>(layer.per_cell),
                       {(column + 0.5) / cells, (row + 0.5) / cells});
      }
    }
  }
  return anchors;
}

}  // namespace slipway::pipelines::mediapipe
