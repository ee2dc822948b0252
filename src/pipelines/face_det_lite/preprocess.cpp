#include "pipelines/face_det_lite/preprocess.hpp"

namespace slipway::pipelines::face_det_lite {

base::Result<media::ImageToTensor> make_preprocess(const Signature& signature, const Config& config) {
  if (config.channels == media::Channels::kRgb) {
    return base::fail(base::Code::kInvalidArgument, "face_det_lite sees one channel: luma or blue");
  }
  media::ImageInput input;
  input.width = signature.width;
  input.height = signature.height;
  input.channels = config.channels;
  input.dtype = signature.input.dtype;
  input.quantization = signature.input.quantization;
  return media::ImageToTensor::create(input, config.fit);
}

}  // namespace slipway::pipelines::face_det_lite
