#include "pipelines/common/image_network.hpp"

namespace slipway::pipelines {

base::Result<ImageNetwork> ImageNetwork::load(std::shared_ptr<runtime::Environment> environment,
                                              const std::filesystem::path& model, const StandbyOptions& options,
                                              std::map<std::string, tensor::Quantization> quantization, int batch) {
  if (batch < 1) return base::fail(base::Code::kInvalidArgument, "a batch of {}: expected 1 or more", batch);
  SLIPWAY_ASSIGN(ModelFolder folder, ModelFolder::open(model));
  SLIPWAY_ASSIGN(const ModelFile file, find_model(model, ""));
  ImageNetwork network(std::move(folder));
  SLIPWAY_ASSIGN(network.run_, StandbyRun::load(std::move(environment), file.path, options));
  network.file_ = file.path.string();
  network.quantization_ = std::move(quantization);
  network.quantization_.insert(file.quantization.begin(), file.quantization.end());
  network.batch_ = batch;
  network.placements_.resize(static_cast<std::size_t>(batch));
  return network;
}

base::Result<void> ImageNetwork::prepare(const tensor::TensorSpec& input, media::ImageToTensor preprocess) {
  preprocess_ = std::move(preprocess);
  return run_->prepare(input);
}

base::Result<const tensor::NamedTensors*> ImageNetwork::infer(std::span<const media::ImageView> images,
                                                              std::size_t results, StageTimes& times) {
  if (images.empty() || images.size() > placements_.size() || images.size() != results) {
    return base::fail(base::Code::kInvalidArgument, "expected 1 to {} pictures and as many results, found {} and {}",
                      placements_.size(), images.size(), results);
  }
  const std::size_t size_bytes = preprocess_->size_bytes();
  Stopwatch watch;
  // An incomplete batch leaves in the other entries what was there; nobody reads their results.
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto entry = run_->input().subspan(i * size_bytes, size_bytes);
    SLIPWAY_ASSIGN(placements_[i], preprocess_->convert(images[i], entry));
  }
  times.pre_us = watch.lap_us();
  SLIPWAY_TRY(run_->run());
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, run_->run_outputs());
  times.inference_us = watch.lap_us();
  return outputs;
}

}  // namespace slipway::pipelines
