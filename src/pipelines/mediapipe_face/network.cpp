#include "pipelines/mediapipe_face/network.hpp"

namespace slipway::pipelines::mediapipe_face {

base::Result<Network> Network::bind(std::unique_ptr<runtime::Session> session, const tensor::TensorSpec& input) {
  Network network;
  network.session = std::move(session);
  SLIPWAY_ASSIGN(tensor::Tensor tensor, tensor::Tensor::zeros(input.dtype, input.shape));
  network.inputs.push_back({input.name, std::move(tensor)});
  SLIPWAY_ASSIGN(network.bound, runtime::BoundRun::bind(*network.session, network.inputs));
  return network;
}

base::Result<const tensor::NamedTensors*> Network::run() {
  SLIPWAY_TRY(bound->run());
  return bound->outputs();
}

media::PictureInput picture_input_of(const PictureSpec& spec, std::pair<float, float> range) {
  media::PictureInput input;
  input.width = input.height = spec.size;
  input.layout = spec.layout;
  input.dtype = spec.tensor.dtype;
  input.quantization = spec.tensor.quantization;
  input.gain = (range.second - range.first) / 255;
  input.bias = range.first;
  return input;
}

base::Result<RealValues> read_output(const tensor::NamedTensors& outputs, const std::vector<tensor::TensorSpec>& specs,
                                     std::size_t index, std::size_t values) {
  const tensor::TensorSpec& spec = specs[index];
  const tensor::Tensor& tensor = outputs[index].tensor;
  if (tensor.dtype() != spec.dtype || tensor.size_bytes() != values * tensor::dtype_size_bytes(spec.dtype)) {
    return base::fail(base::Code::kInvalidArgument, "output '{}': expected {} values of {}, found {}", spec.name,
                      values, tensor::dtype_name(spec.dtype), tensor::to_string(tensor.dtype(), tensor.shape()));
  }
  return RealValues::over(tensor, spec.quantization, spec.name);
}

}  // namespace slipway::pipelines::mediapipe_face
