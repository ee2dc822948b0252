#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/mediapipe_common/anchors.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::mediapipe {

using Quantizations = std::map<std::string, tensor::Quantization>;

/// A network's RGB picture input.
struct PictureSpec {
  tensor::TensorSpec tensor;  ///< [1, S, S, 3] or [1, 3, S, S], with its quantisation
  int size = 0;               ///< S
  media::Layout layout = media::Layout::kNhwc;
};

/// One SSD detector among those that a pipeline knows; they are told apart by their size.
struct DetectorKind {
  int size = 0;                     ///< of the input
  std::vector<AnchorLayer> layers;  ///< finest first
  std::pair<float, float> range;    ///< real values of pixels 0 and 255
  float score_min = 0.5F;           ///< MediaPipe's
};

/// What a pipeline looks for with its detector.
struct DetectorFamily {
  std::string_view noun;  ///< for messages: "face"
  std::size_t keypoint_count = 0;
  std::vector<DetectorKind> kinds;
};

/// Coordinates and logits of some of the anchors.
struct HeadPair {
  std::size_t coordinates = 0;  ///< indices among the model's outputs
  std::size_t logits = 0;
  std::size_t rows = 0;
};

struct DetectorSignature {
  std::size_t kind = 0;  ///< index in the family
  PictureSpec input;
  std::vector<HeadPair> heads;              ///< in the order of the anchors
  std::vector<tensor::TensorSpec> outputs;  ///< with their quantisation
};

/// Recognises a detector by its shapes, whatever names and axes: a known size in; its anchors' rows of 4 + 2·keypoints
/// coordinates and one logit out, whole or split by feature map.
/// @error kInvalidArgument: the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                                      const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization);

/// The only input of a network.
/// @param sizes  for the message: "192"
/// @error kInvalidArgument: another number of inputs or another shape than a square RGB picture of 1 to 256 pixels,
///        a dtype that cannot be written, or integers without a scale
[[nodiscard]] base::Result<PictureSpec> read_picture(const std::vector<tensor::TensorSpec>& inputs,
                                                     std::string_view sizes, const Quantizations& quantization);

/// Adds quantisations to outputs.
/// @error kInvalidArgument: a dtype that cannot be read, or integers without a scale
[[nodiscard]] base::Result<void> complete_outputs(std::vector<tensor::TensorSpec>& outputs,
                                                  const Quantizations& quantization);

/// Elements of a shape whose batch may be dynamic; -1 when another axis is.
[[nodiscard]] std::int64_t values_of(tensor::Shape shape);

}  // namespace slipway::pipelines::mediapipe
