#pragma once

#include <map>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/common/picture_signature.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::segmentation {

/// What a network takes and gives that scores classes for every cell of a grid over its picture.
struct Signature {
  PictureTensor input;        ///< RGB
  tensor::TensorSpec logits;  ///< [1, C, h, w] or [1, h, w, C]; with its quantisation
  media::Layout layout = media::Layout::kNchw;
  int class_count = 0;
  int rows = 0;  ///< of the grid, at most the input's
  int columns = 0;
};

/// Recognises the network by its shapes: one RGB picture in, one map of 2 … 255 classes out, at the input's size or
/// smaller. A dynamic batch counts as 1, dynamic sides as 1024×2048 in and 1/8 of it out.
/// @error kInvalidArgument: another signature; the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<Signature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                     const std::vector<tensor::TensorSpec>& outputs,
                                                     const std::map<std::string, tensor::Quantization>& quantization);

}  // namespace slipway::pipelines::segmentation
