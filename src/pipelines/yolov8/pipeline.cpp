#include "pipelines/yolov8/pipeline.hpp"

#include "pipelines/common/image_network.hpp"
#include "pipelines/common/network_description.hpp"
#include "pipelines/yolov8/labels.hpp"
#include "pipelines/yolov8/preprocess.hpp"

namespace slipway::pipelines::yolov8 {

struct Yolov8::State {
  ImageNetwork network;
  Signature signature;
  std::vector<std::string> labels;
  Postprocess postprocess;
};

Yolov8::Yolov8(std::unique_ptr<State> state) : state_(std::move(state)) {}
Yolov8::~Yolov8() = default;

base::Result<std::unique_ptr<Yolov8>> Yolov8::load(std::shared_ptr<runtime::Environment> environment,
                                                   const std::filesystem::path& model, const StandbyOptions& options,
                                                   const Config& config) {
  SLIPWAY_ASSIGN(ImageNetwork network,
                 ImageNetwork::load(std::move(environment), model, options, config.quantization, config.batch));
  SLIPWAY_ASSIGN(Signature signature, network.signature(read_signature));
  SLIPWAY_ASSIGN(media::ImageToTensor preprocess, make_preprocess(signature, config));
  SLIPWAY_TRY(network.prepare(signature.input, std::move(preprocess)));

  const NetworkDescription about = describe(network.network().session());
  if (!about.task.empty() && about.task != "detect" && about.task != "segment") {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: its metadata says that its task is '{}', expected 'detect' or 'segment': name a detector",
                      model.string(), about.task);
  }
  std::vector<std::string> labels = !config.labels.empty()               ? config.labels
                                    : !network.folder().labels().empty() ? network.folder().labels()
                                                                         : about.names;
  if (!labels.empty() && signature.class_count > 0 &&
      labels.size() != static_cast<std::size_t>(signature.class_count)) {
    return base::fail(base::Code::kInvalidArgument,
                      "{}: {} classes are named, and the network tells {} apart: it is no detector of these classes",
                      model.string(), labels.size(), signature.class_count);
  }
  // Networks that choose the class in the graph do not say how many there are; those of COCO are what is in use.
  if (labels.empty() && (signature.class_count == 80 || signature.class_count == 0)) labels = coco_labels();
  Postprocess postprocess(signature, config);
  return std::unique_ptr<Yolov8>(new Yolov8(std::make_unique<State>(
      State{std::move(network), std::move(signature), std::move(labels), std::move(postprocess)})));
}

base::Result<void> Yolov8::run(media::ImageView image, Detections& detections) {
  return run(std::span(&image, 1), std::span(&detections, 1));
}

base::Result<void> Yolov8::run(std::span<const media::ImageView> images, std::span<Detections> found) {
  const auto read = [&](std::size_t entry, const tensor::NamedTensors& outputs,
                        const media::Placement& placement) -> base::Result<void> {
    Postprocess& postprocess = state_->postprocess;
    Detections& one = found[entry];
    const int width = images[entry].width, height = images[entry].height;
    SLIPWAY_TRY(postprocess.run(outputs, entry, placement, width, height, one.objects));
    return postprocess.read_masks(outputs, entry, placement, width, height, one.objects, one.masks);
  };
  return state_->network.run(images, found, read);
}

base::Result<void> Yolov8::choose_classes(const std::vector<std::string>& names) {
  std::vector<std::string> labels = state_->labels;
  for (int i = static_cast<int>(labels.size()); i < state_->signature.class_count; ++i) {
    labels.push_back(label_of(labels, i));
  }
  SLIPWAY_ASSIGN(std::vector<std::int32_t> numbers, class_numbers(names, labels));
  state_->postprocess.choose_classes(std::move(numbers));
  return {};
}

const Signature& Yolov8::signature() const {
  return state_->signature;
}
const std::vector<std::string>& Yolov8::labels() const {
  return state_->labels;
}
const StandbyRun& Yolov8::network() const {
  return state_->network.network();
}

}  // namespace slipway::pipelines::yolov8
