#pragma once

#include "base/error.hpp"
#include "media/image_to_tensor.hpp"
#include "pipelines/face_det_lite/config.hpp"
#include "pipelines/face_det_lite/signature.hpp"

namespace slipway::pipelines::face_det_lite {

/// Makes what turns RGB images of any size into this network's input: fitted, grey or blue, in 0 … 1, and quantised
/// when the input is.
/// @error as media::ImageToTensor::create
/// @source python/reference/face_det_lite/preprocess.py::image_to_tensor
[[nodiscard]] base::Result<media::ImageToTensor> make_preprocess(const Signature& signature, const Config& config);

}  // namespace slipway::pipelines::face_det_lite
