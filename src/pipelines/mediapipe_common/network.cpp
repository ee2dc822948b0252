#include "pipelines/mediapipe_common/network.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

base::Result<NetworkFile> find_network(const ModelFolder& folder, const std::string& name) {
  const ModelGraph* graph = &folder.graphs().front();
  if (!folder.is_bare_file() && folder.graphs().size() > 1) {
    SLIPWAY_ASSIGN(graph, folder.graph(name));
  }
  NetworkFile found{graph->file, std::nullopt, {}};
  for (const auto* tensors : {&graph->inputs, &graph->outputs}) {
    for (const tensor::TensorSpec& spec : *tensors) {
      if (spec.quantization) found.quantization[spec.name] = *spec.quantization;
    }
  }
  const std::string key = fmt::format("graphs.{}.pre.range", graph->name);
  SLIPWAY_ASSIGN(const auto range, folder.numbers(key));
  if (range) {
    if (range->size() != 2 || !((*range)[0] < (*range)[1])) {
      return base::fail(base::Code::kInvalidArgument, "{}/model.yaml: {}: expected [low, high]", folder.path().string(),
                        key);
    }
    found.input_range = {static_cast<float>((*range)[0]), static_cast<float>((*range)[1])};
  }
  return found;
}

}  // namespace

base::Result<ModelFiles> find_files(const Models& models) {
  SLIPWAY_ASSIGN(const ModelFolder folder, ModelFolder::open(models.model));
  ModelFiles files;
  SLIPWAY_ASSIGN(files.detector, find_network(folder, "detector"));
  if (!models.landmark.empty()) {
    SLIPWAY_ASSIGN(const ModelFolder other, ModelFolder::open(models.landmark));
    SLIPWAY_ASSIGN(files.landmark, find_network(other, "landmark"));
  } else if (!folder.is_bare_file() && folder.graph("landmark")) {
    SLIPWAY_ASSIGN(files.landmark, find_network(folder, "landmark"));
  }
  return files;
}

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

}  // namespace slipway::pipelines::mediapipe
