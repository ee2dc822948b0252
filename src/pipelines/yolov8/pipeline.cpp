#include "pipelines/yolov8/pipeline.hpp"

#include "pipelines/common/model_folder.hpp"
#include "pipelines/yolov8/labels.hpp"
#include "pipelines/yolov8/preprocess.hpp"

namespace slipway::pipelines::yolov8 {

struct Yolov8::State {
  Signature signature;
  std::vector<std::string> labels;
  std::unique_ptr<StandbyRun> network;
  media::ImageToTensor preprocess;
  Postprocess postprocess;
};

Yolov8::Yolov8(std::unique_ptr<State> state) : state_(std::move(state)) {}
Yolov8::~Yolov8() = default;

base::Result<std::unique_ptr<Yolov8>> Yolov8::load(std::shared_ptr<runtime::Environment> environment,
                                                   const std::filesystem::path& model, const StandbyOptions& options,
                                                   const Config& config) {
  SLIPWAY_ASSIGN(const ModelFolder folder, ModelFolder::open(model));
  SLIPWAY_ASSIGN(const ModelFile file, find_model(model, ""));
  SLIPWAY_ASSIGN(std::unique_ptr<StandbyRun> network, StandbyRun::load(std::move(environment), file.path, options));
  auto quantization = config.quantization;
  quantization.insert(file.quantization.begin(), file.quantization.end());
  auto signature = read_signature(network->inputs(), network->outputs(), quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(media::ImageToTensor preprocess, make_preprocess(*signature, config));
  SLIPWAY_TRY(network->prepare(signature->input));

  std::vector<std::string> labels = config.labels.empty() ? folder.labels() : config.labels;
  // Networks that choose the class in the graph do not say how many there are; those of COCO are what is in use.
  if (labels.empty() && (signature->class_count == 80 || signature->class_count == 0)) labels = coco_labels();
  Postprocess postprocess(*signature, config);
  return std::unique_ptr<Yolov8>(new Yolov8(std::make_unique<State>(State{
      std::move(*signature), std::move(labels), std::move(network), std::move(preprocess), std::move(postprocess)})));
}

base::Result<void> Yolov8::run(media::ImageView image, Detections& detections) {
  State& state = *state_;
  Stopwatch watch;
  SLIPWAY_ASSIGN(const media::Placement placement, state.preprocess.convert(image, state.network->input()));
  detections.times.pre_us = watch.lap_us();
  SLIPWAY_TRY(state.network->run());
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, state.network->run_outputs());
  detections.times.inference_us = watch.lap_us();
  SLIPWAY_TRY(state.postprocess.run(*outputs, placement, image.width, image.height, detections.objects));
  SLIPWAY_TRY(state.postprocess.read_masks(*outputs, placement, image.width, image.height, detections.objects,
                                           detections.masks));
  detections.times.post_us = watch.lap_us();
  return {};
}

const Signature& Yolov8::signature() const {
  return state_->signature;
}
const std::vector<std::string>& Yolov8::labels() const {
  return state_->labels;
}
const StandbyRun& Yolov8::network() const {
  return *state_->network;
}

}  // namespace slipway::pipelines::yolov8
