#include "pipelines/yolov8/preprocess.hpp"

namespace slipway::pipelines::yolov8 {

base::Result<media::ImageToTensor> make_preprocess(const Signature& signature, const Config& config) {
  media::ImageInput input;
  input.width = signature.width;
  input.height = signature.height;
  input.layout = signature.layout;
  input.dtype = signature.input.dtype;
  input.quantization = signature.input.quantization;
  input.padding = config.padding;
  return media::ImageToTensor::create(input, media::Fit::kLetterbox);
}

}  // namespace slipway::pipelines::yolov8
