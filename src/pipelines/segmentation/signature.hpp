#pragma once

#include <map>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/common/image_signature.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::segmentation {

/// What a network takes and gives that scores classes for every cell of a grid over its image.
struct Signature {
  ImageTensor input;          ///< RGB
  int batch = 1;              ///< images a run; what follows is of one image
  tensor::TensorSpec logits;  ///< [1, C, h, w] or [1, h, w, C]; with its quantisation
  media::Layout layout = media::Layout::kNchw;
  int class_count = 0;
  int rows = 0;  ///< of the grid, at most the input's
  int columns = 0;
};

/// Recognises the network by its shapes: one RGB image in, one map of 2 … 255 classes out, at the input's size or
/// smaller. Dynamic sides count as 1024×2048 in and 1/8 of it out.
/// @param batch  images a run; a network with a static batch must have this one
/// @error kInvalidArgument: another signature; the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<Signature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                     const std::vector<tensor::TensorSpec>& outputs,
                                                     const std::map<std::string, tensor::Quantization>& quantization,
                                                     int batch = 1);

}  // namespace slipway::pipelines::segmentation
