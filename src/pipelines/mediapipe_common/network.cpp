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

base::Result<ImageTensor> read_image(const std::vector<tensor::TensorSpec>& inputs, std::string_view sizes,
                                     const Quantizations& quantization, int batch) {
  constexpr int kLongestSide = 256;
  const auto refuse = [&] {
    return base::fail(base::Code::kInvalidArgument,
                      "expected one input, an RGB picture [N, S, S, 3] or [N, 3, S, S] with S {}; found {}", sizes,
                      list_of(inputs));
  };
  if (inputs.size() != 1 || inputs[0].shape.size() != 4) return refuse();
  const std::int64_t found = inputs[0].shape[0];
  if (found != -1 && found != batch) {
    return base::fail(
        base::Code::kInvalidArgument,
        "input '{}': expected a batch of {} or a free one, found {}: ask for a batch of {}, or export the "
        "network with `--batch {}` or `--batch dynamic`",
        inputs[0].name, batch, tensor::to_string(inputs[0].dtype, inputs[0].shape), found, batch);
  }
  SLIPWAY_ASSIGN(ImageTensor image, read_image_input(inputs, 3, 1, 0, 0, quantization, batch));
  if (image.width != image.height || image.width > kLongestSide) return refuse();
  return image;
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

base::Result<Network> Network::bind(std::unique_ptr<runtime::Session> session, const ImageTensor& input,
                                    std::vector<tensor::TensorSpec> outputs) {
  Network network;
  network.output_specs_ = std::move(outputs);
  const std::shared_ptr<runtime::Session> shared = std::move(session);
  tensor::TensorSpec spec = input.spec;
  SLIPWAY_ASSIGN(auto whole, runtime::BoundSession::bind(shared, {spec}));
  network.bindings_.push_back(std::move(whole));
  if (input.is_batch_free && spec.shape[0] > 1) {
    spec.shape[0] = 1;
    SLIPWAY_ASSIGN(auto one, runtime::BoundSession::bind(shared, {spec}));
    network.bindings_.push_back(std::move(one));
  }
  return network;
}

std::size_t Network::begin(std::size_t waiting) {
  current_ = waiting < batch() ? bindings_.size() - 1 : 0;
  return std::min(waiting, batch_of(bindings_[current_]));
}

std::span<std::byte> Network::input(std::size_t entry) {
  const std::span<std::byte> all = bindings_[current_].input(0).bytes();
  const std::size_t size_bytes = all.size() / batch_of(bindings_[current_]);
  return all.subspan(entry * size_bytes, size_bytes);
}

base::Result<void> Network::run_entries() {
  SLIPWAY_TRY(bindings_[current_].run());
  SLIPWAY_ASSIGN(outputs_, bindings_[current_].outputs());
  return {};
}

base::Result<RealValues> Network::values(std::size_t output, std::size_t entry, std::size_t count) const {
  const tensor::TensorSpec& spec = output_specs_[output];
  const tensor::Tensor& tensor = (*outputs_)[output].tensor;
  const std::size_t expected = count * batch_of(bindings_[current_]);
  if (tensor.dtype() != spec.dtype || tensor.size_bytes() != expected * tensor::dtype_size_bytes(spec.dtype)) {
    return base::fail(base::Code::kInvalidArgument, "output '{}': expected {} values of {}, found {}", spec.name,
                      expected, tensor::dtype_name(spec.dtype), tensor::to_string(tensor.dtype(), tensor.shape()));
  }
  SLIPWAY_ASSIGN(const RealValues all, RealValues::over(tensor, spec.quantization, spec.name));
  return all.from(entry * count);
}

media::ImageInput image_input_of(const ImageTensor& image, std::pair<float, float> range) {
  media::ImageInput input;
  input.width = image.width;
  input.height = image.height;
  input.layout = image.layout;
  input.dtype = image.spec.dtype;
  input.quantization = image.spec.quantization;
  input.gain = (range.second - range.first) / 255;
  input.bias = range.first;
  return input;
}

base::Result<void> NetworkSignature::read(const std::vector<tensor::TensorSpec>& inputs,
                                          const std::vector<tensor::TensorSpec>& all_outputs, std::string_view sizes,
                                          const Quantizations& quantization, int batch) {
  SLIPWAY_ASSIGN(input, read_image(inputs, sizes, quantization, batch));
  SLIPWAY_ASSIGN(outputs, outputs_of_one(all_outputs, batch));
  for (tensor::TensorSpec& spec : outputs) SLIPWAY_TRY(complete_quantization(spec, "output", quantization));
  return {};
}

std::int64_t values_of(const tensor::Shape& shape) {
  return tensor::element_count(shape).value_or(-1);
}

}  // namespace slipway::pipelines::mediapipe
