#pragma once

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/yolov8/config.hpp"
#include "pipelines/yolov8/signature.hpp"

namespace slipway::pipelines::yolov8 {

/// Makes what turns RGB images of any size into this network's input: letterboxed, in 0 … 1, quantised when the input
/// is.
/// @error as media::ImageToTensor::create
/// @source python/reference/yolov8/preprocess.py::image_to_tensor
[[nodiscard]] base::Result<media::ImageToTensor> make_preprocess(const Signature& signature, const Config& config);

}  // namespace slipway::pipelines::yolov8
