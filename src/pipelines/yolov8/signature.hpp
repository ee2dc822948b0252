#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "tensor/shape.hpp"

namespace slipway::pipelines::yolov8 {

/// How the four numbers of a box are meant, in pixels of the input.
enum class BoxForm {
  kCentre,   ///< centre x, centre y, width, height: of networks whose detection head ends the graph
  kCorners,  ///< x1, y1, x2, y2: of networks with the best class chosen in the graph
};

/// Where a kind of values lies among the outputs: value (channel, anchor) of tensor `index`.
struct Head {
  std::size_t index = 0;  ///< among the model's outputs
  tensor::TensorSpec spec;
  int first_channel = 0;  ///< several heads may share a tensor
  int channels = 0;
  int tensor_channels = 0;       ///< of all heads that share it
  std::size_t channel_step = 0;  ///< elements from one channel to the next
  std::size_t anchor_step = 0;   ///< elements from one anchor to the next
};

/// What a YOLOv8 network takes and gives; forms differ between exporters.
struct Signature {
  tensor::TensorSpec input;  ///< [batch, 3, H, W] or [batch, H, W, 3], RGB in 0 … 1
  int batch = 1;             ///< images a run; heads are those of one image
  media::Layout layout = media::Layout::kNchw;
  int width = 0;
  int height = 0;
  int anchors = 0;      ///< cells of strides 8, 16 and 32
  int class_count = 0;  ///< 0: the classes come chosen, their number is not known
  BoxForm box_form = BoxForm::kCentre;
  Head box;                          ///< 4 channels
  Head score;                        ///< class_count channels, or 1
  std::optional<Head> class_index;   ///< with one channel of scores
  std::optional<Head> coefficients;  ///< of masks
  std::optional<Head> prototypes;    ///< "anchors" are its rows × columns
  int prototype_width = 0;
  int prototype_height = 0;
};

/// Recognises a detection (or segmentation) network of the YOLOv8 family by its shapes. With N anchors:
/// - [1, 4 + classes, N] (`--no-include-postprocessing`, Ultralytics' own export);
/// - [1, 4, N] and [1, classes, N] (`--split-output`);
/// - [1, N, 4], [1, N] and an integer [1, N]: corners, best scores and their classes;
/// - any of these with mask coefficients (joined as further channels, or [1, K, N]) and prototypes [1, K, h, w].
/// Axes of the first two may also be the other way round. Dynamic sides count as 640.
/// @param batch  images a run; a network with a static batch must have this one
/// @error kInvalidArgument: another signature; the message names the tensor, what was expected and what was found
[[nodiscard]] base::Result<Signature> read_signature(const std::vector<tensor::TensorSpec>& inputs,
                                                     const std::vector<tensor::TensorSpec>& outputs,
                                                     const std::map<std::string, tensor::Quantization>& quantization,
                                                     int batch = 1);

}  // namespace slipway::pipelines::yolov8
