#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "media/draw.hpp"
#include "media/fit.hpp"
#include "pipelines/common/box.hpp"
#include "pipelines/common/plausibility.hpp"
#include "pipelines/face_det_lite/config.hpp"
#include "pipelines/face_det_lite/signature.hpp"
#include "tensor/tensor.hpp"

namespace slipway::pipelines::face_det_lite {

/// Whole pixels: left, top, width, height.
struct PixelBox {
  int x = 0;
  int y = 0;
  int w = 0;
  int h = 0;
  friend bool operator==(const PixelBox&, const PixelBox&) = default;
};

/// One face in the image.
struct Face {
  Box box;                                ///< as decoded, in image pixels; may reach outside
  PixelBox pixels;                        ///< what the reference app reports of it
  float score = 0;                        ///< in 0 … 1
  std::array<media::Point, 5> landmarks;  ///< eyes, nose, corners of the mouth
};

/// What the reference app reports of a decoded box: a corner outside is clipped to the image while the sides keep
/// their length (one more than the difference of the corners); then each side grows by 5 %, but only when the grown box
/// lies wholly inside.
/// @source python/reference/face_det_lite/postprocess.py::app_box
[[nodiscard]] PixelBox app_box(const Box& box, int image_width, int image_height);

/// Decodes the network's heads into faces, best score first.
///
/// Score = sigmoid(logit); a cell is a peak when no neighbour of its 3×3 surroundings has a higher score (equal ones
/// are all peaks); the best 2000 peaks of at least score_min count. Box of cell (cx, cy): (cx − b0, cy − b1, cx + b2,
/// cy + b3) · 8; landmarks: (l_k + cx, l_{k+5} + cy) · 8. With iou_max: greedy suppression of what overlaps a better
/// face by more. Heads that are not finite give no face.
///
/// @thread one object belongs to one thread
/// @cost   one pass over the heatmap; nothing is allocated once the buffers have grown
/// @source python/reference/face_det_lite/postprocess.py::postprocess
/// @golden tests/golden/face_det_lite/postprocess.npz, tolerance 1e-9 for boxes, equal pixels
class Postprocess {
 public:
  Postprocess(Signature signature, const Config& config);

  /// @param outputs    the model's outputs, in its order
  /// @param entry      of the batch
  /// @param placement  where the image lies in the input
  /// @param faces      replaced
  /// @error kInvalidArgument: a tensor's shape or dtype differs from the signature (the message names both); boxes that
  ///        are none (Plausibility)
  [[nodiscard]] base::Result<void> run(const tensor::NamedTensors& outputs, std::size_t entry,
                                       const media::Placement& placement, int image_width, int image_height,
                                       std::vector<Face>& faces);

 private:
  struct Peak {
    float score;
    std::int32_t cell;
  };

  Signature signature_;
  Plausibility plausibility_{"face_det_lite"};
  float score_min_;
  std::optional<double> iou_max_;
  std::vector<float> logits_;
  std::vector<Peak> peaks_;
  std::vector<Face> decoded_;
  std::vector<Box> boxes_;
  std::vector<std::size_t> kept_;

  void find_peaks(int rows, int columns);
};

}  // namespace slipway::pipelines::face_det_lite
