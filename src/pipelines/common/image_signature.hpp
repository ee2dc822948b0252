#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/common/real_values.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines {

/// A network's only input: images.
struct ImageTensor {
  tensor::TensorSpec spec;  ///< static, the batch in front; with its quantisation
  media::Layout layout = media::Layout::kNchw;
  int width = 0;
  int height = 0;
  bool is_batch_free = false;  ///< the network takes any number of images
};

/// Reads the input of a network that takes images of so many channels. Dynamic sides count as the defaults.
/// @param sides_divide_by  what both sides must be multiples of
/// @param batch            images a run, at least 1; a network with a static batch must have this one
/// @error kInvalidArgument: another signature; the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<ImageTensor> read_image_input(
    const std::vector<tensor::TensorSpec>& inputs, int channels, int sides_divide_by, int default_width,
    int default_height, const std::map<std::string, tensor::Quantization>& quantization, int batch = 1);

/// The outputs as they are for one image of a batch: with 1 in front.
/// @error kInvalidArgument: an output of another static batch
[[nodiscard]] base::Result<std::vector<tensor::TensorSpec>> outputs_of_one(std::vector<tensor::TensorSpec> outputs,
                                                                           int batch);

/// Adds the quantisation of an integer tensor.
/// @param role  "input" or "output", for messages
/// @error kInvalidArgument: a dtype that cannot be read as real numbers, or an integer without scale and zero point
[[nodiscard]] base::Result<void> complete_quantization(tensor::TensorSpec& spec, std::string_view role,
                                                       const std::map<std::string, tensor::Quantization>& quantization);

/// "'boxes' float32[1,4,8400], 'scores' …", or "none".
[[nodiscard]] std::string list_of(const std::vector<tensor::TensorSpec>& specs);

}  // namespace slipway::pipelines
