#include "pipelines/mediapipe_common/network.hpp"

#include <algorithm>

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

base::Result<Network> Network::bind(std::unique_ptr<runtime::Session> session, const PictureTensor& input,
                                    std::vector<tensor::TensorSpec> outputs) {
  Network network;
  network.session_ = std::move(session);
  network.output_specs_ = std::move(outputs);
  const std::int64_t batch = input.spec.shape[0];
  SLIPWAY_TRY(network.add_binding(input.spec, batch));
  if (input.is_batch_free && batch > 1) SLIPWAY_TRY(network.add_binding(input.spec, 1));
  return network;
}

base::Result<void> Network::add_binding(const tensor::TensorSpec& input, std::int64_t batch) {
  tensor::Shape shape = input.shape;
  shape[0] = batch;
  SLIPWAY_ASSIGN(tensor::Tensor tensor, tensor::Tensor::zeros(input.dtype, std::move(shape)));
  Binding& binding = bindings_.emplace_back(static_cast<std::size_t>(batch), tensor::NamedTensors{}, nullptr);
  binding.inputs.push_back({input.name, std::move(tensor)});
  SLIPWAY_ASSIGN(binding.bound, runtime::BoundRun::bind(*session_, binding.inputs));
  return {};
}

std::size_t Network::begin(std::size_t waiting) {
  current_ = waiting < batch() ? bindings_.size() - 1 : 0;
  return std::min(waiting, bindings_[current_].batch);
}

std::span<std::byte> Network::input(std::size_t entry) {
  Binding& binding = bindings_[current_];
  const std::span<std::byte> all = binding.inputs[0].tensor.bytes();
  const std::size_t size_bytes = all.size() / binding.batch;
  return all.subspan(entry * size_bytes, size_bytes);
}

base::Result<void> Network::run() {
  SLIPWAY_TRY(bindings_[current_].bound->run());
  SLIPWAY_ASSIGN(outputs_, bindings_[current_].bound->outputs());
  return {};
}

base::Result<RealValues> Network::values(std::size_t output, std::size_t entry, std::size_t count) const {
  const tensor::TensorSpec& spec = output_specs_[output];
  const tensor::Tensor& tensor = (*outputs_)[output].tensor;
  const std::size_t expected = count * bindings_[current_].batch;
  if (tensor.dtype() != spec.dtype || tensor.size_bytes() != expected * tensor::dtype_size_bytes(spec.dtype)) {
    return base::fail(base::Code::kInvalidArgument, "output '{}': expected {} values of {}, found {}", spec.name,
                      expected, tensor::dtype_name(spec.dtype), tensor::to_string(tensor.dtype(), tensor.shape()));
  }
  SLIPWAY_ASSIGN(const RealValues all, RealValues::over(tensor, spec.quantization, spec.name));
  return all.from(entry * count);
}

media::PictureInput picture_input_of(const PictureTensor& picture, std::pair<float, float> range) {
  media::PictureInput input;
  input.width = picture.width;
  input.height = picture.height;
  input.layout = picture.layout;
  input.dtype = picture.spec.dtype;
  input.quantization = picture.spec.quantization;
  input.gain = (range.second - range.first) / 255;
  input.bias = range.first;
  return input;
}

}  // namespace slipway::pipelines::mediapipe
