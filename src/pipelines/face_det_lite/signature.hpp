#pragma once

#include <map>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::face_det_lite {

/// One output of the network.
struct Head {
  std::size_t index = 0;    ///< among the model's outputs
  tensor::TensorSpec spec;  ///< with its quantisation, when it has one
  media::Layout layout = media::Layout::kNchw;
};

/// What a face_det_lite network takes and gives: sizes, axes and dtypes differ between builds.
struct Signature {
  tensor::TensorSpec input;  ///< [batch, 1, H, W] or [batch, H, W, 1], grey; with its quantisation
  int batch = 1;             ///< images a run
  int width = 0;
  int height = 0;
  Head heatmap;   ///< 1 channel of H/8 × W/8 cells, logits
  Head box;       ///< 4 channels
  Head landmark;  ///< 10 channels
};

/// Recognises the network by its shapes: one grey image in, heads of 1, 4 and 10 channels out, whatever their names
/// and order. Dynamic sides count as 480×640.
/// @param batch  images a run; a network with a static batch must have this one
/// @error kInvalidArgument: another signature; the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<Signature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                     const std::vector<tensor::TensorSpec>& outputs,
                                                     const std::map<std::string, tensor::Quantization>& quantization,
                                                     int batch = 1);

}  // namespace slipway::pipelines::face_det_lite
