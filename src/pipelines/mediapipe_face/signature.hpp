#pragma once

#include <array>
#include <map>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/mediapipe_common/anchors.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::mediapipe_face {

/// A network's RGB picture input.
struct PictureSpec {
  tensor::TensorSpec tensor;  ///< [1, S, S, 3] or [1, 3, S, S], with its quantisation
  int size = 0;               ///< S
  media::Layout layout = media::Layout::kNhwc;
};

/// Which detector it is: they differ in size and feature maps.
enum class Variant {
  kShortRange,  ///< 128×128, faces within 2 m
  kFullRange,   ///< 192×192, within 5 m; the sparse and the dense network have one signature
  kBack,        ///< 256×256, of Qualcomm's package and MediaPipePyTorch
};

/// Coordinates and logits of some of the anchors.
struct HeadPair {
  std::size_t coordinates = 0;  ///< indices among the model's outputs
  std::size_t logits = 0;
  std::size_t rows = 0;
};

struct DetectorSignature {
  Variant variant = Variant::kShortRange;
  PictureSpec input;
  std::vector<mediapipe::AnchorLayer> layers;
  std::vector<HeadPair> heads;              ///< in the order of the anchors
  std::vector<tensor::TensorSpec> outputs;  ///< with their quantisation
};

/// In what the landmark network counts.
enum class LandmarkUnit { kCropPixels, kCropFraction };

struct LandmarkSignature {
  PictureSpec input;
  std::size_t landmarks = 0;  ///< indices among the model's outputs
  std::size_t flag = 0;
  LandmarkUnit unit = LandmarkUnit::kCropPixels;
  bool flag_is_logit = true;
  std::vector<tensor::TensorSpec> outputs;  ///< with their quantisation
};

using Quantizations = std::map<std::string, tensor::Quantization>;

/// Recognises a detector by its shapes, whatever names and axes: 128, 192 or 256 pixels in; 896 or 2304 rows of 16
/// coordinates and one logit out, whole or split by feature map (512 + 384).
/// @error kInvalidArgument: the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<DetectorSignature> read_detector_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization);

/// Recognises the landmark network: 192 pixels in; 1404 values and one value out. Values in three columns
/// ([1, 468, 3], Qualcomm's and MediaPipePyTorch's) are fractions of the crop beside a probability, values in a row
/// ([1, 1, 1, 1404], MediaPipe's) are pixels of the crop beside a logit.
/// @error kInvalidArgument
[[nodiscard]] base::Result<LandmarkSignature> read_landmark_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                                      const std::vector<tensor::TensorSpec>& outputs,
                                                                      const Quantizations& quantization);

}  // namespace slipway::pipelines::mediapipe_face
