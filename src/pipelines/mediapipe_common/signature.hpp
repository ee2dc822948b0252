#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pipelines/common/picture_signature.hpp"
#include "pipelines/mediapipe_common/anchors.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::mediapipe {

using Quantizations = std::map<std::string, tensor::Quantization>;

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
  PictureTensor input;
  std::vector<HeadPair> heads;              ///< in the order of the anchors
  std::vector<tensor::TensorSpec> outputs;  ///< of one picture, with their quantisation
};

/// Recognises a detector by its shapes, whatever names and axes: a known size in; its anchors' rows of 4 + 2·keypoints
/// coordinates and one logit out, whole or split by feature map.
/// @param batch  as in read_picture
/// @error kInvalidArgument: the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                                      const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization, int batch = 1);

/// The only input of a network.
/// @param sizes  for the message: "192"
/// @param batch  pictures a run, at least 1; a network with a static batch must have this one
/// @error kInvalidArgument: another number of inputs or another shape than a square RGB picture of 1 to 256 pixels,
///        another batch, a dtype that cannot be written, or integers without a scale
[[nodiscard]] base::Result<PictureTensor> read_picture(const std::vector<tensor::TensorSpec>& inputs,
                                                       std::string_view sizes, const Quantizations& quantization,
                                                       int batch = 1);

/// The outputs as they are for one picture of a batch, with their quantisation.
/// @error kInvalidArgument: another static batch, a dtype that cannot be read, or integers without a scale
[[nodiscard]] base::Result<std::vector<tensor::TensorSpec>> read_outputs(const std::vector<tensor::TensorSpec>& outputs,
                                                                         const Quantizations& quantization, int batch);

/// Elements of a shape; -1 when an axis is dynamic.
[[nodiscard]] std::int64_t values_of(const tensor::Shape& shape);

}  // namespace slipway::pipelines::mediapipe
