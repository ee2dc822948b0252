#include "pipelines/segmentation/pipeline.hpp"

#include "pipelines/common/image_network.hpp"
#include "pipelines/common/network_description.hpp"
#include "pipelines/segmentation/labels.hpp"
#include "pipelines/segmentation/upsampled_argmax.hpp"

namespace slipway::pipelines::segmentation {
namespace {

using base::Code;

base::Result<std::optional<std::array<float, 3>>> three_numbers(const ModelFolder& folder, std::string_view key) {
  SLIPWAY_ASSIGN(const auto values, folder.numbers(key));
  if (!values) return std::optional<std::array<float, 3>>();
  if (values->size() != 3) {
    return base::fail(Code::kInvalidArgument, "{}/model.yaml: {}: expected three numbers, R G B, found {}",
                      folder.path().string(), key, values->size());
  }
  return std::array<float, 3>{static_cast<float>((*values)[0]), static_cast<float>((*values)[1]),
                              static_cast<float>((*values)[2])};
}

base::Result<media::ImageToTensor> make_preprocess(const Signature& signature, const ModelFolder& folder,
                                                   const Config& config) {
  media::ImageInput input;
  input.width = signature.input.width;
  input.height = signature.input.height;
  input.layout = signature.input.layout;
  input.dtype = signature.input.spec.dtype;
  input.quantization = signature.input.spec.quantization;
  SLIPWAY_ASSIGN(const auto mean, three_numbers(folder, "pre.mean"));
  SLIPWAY_ASSIGN(const auto deviation, three_numbers(folder, "pre.deviation"));
  if (mean) input.mean = *mean;
  if (deviation) input.deviation = *deviation;
  if (config.mean) input.mean = *config.mean;
  if (config.deviation) input.deviation = *config.deviation;
  return media::ImageToTensor::create(input, media::Fit::kLetterbox);
}

/// One label a class: those that are said, else those of Cityscapes where there are as many or more, then numbers.
base::Result<std::vector<std::string>> labels_for(const Signature& signature, std::vector<std::string> said) {
  const auto count = static_cast<std::size_t>(signature.class_count);
  if (said.empty()) {
    if (count >= cityscapes_labels().size()) said = cityscapes_labels();
    for (std::size_t i = said.size(); i < count; ++i) said.push_back(fmt::format("class {}", i));
  }
  if (said.size() == count) return said;
  return base::fail(Code::kInvalidArgument,
                    "{} classes are named, and the network tells {} apart: it is no segmenter of these classes",
                    said.size(), count);
}

}  // namespace

struct Segmenter::State {
  ImageNetwork network;
  Signature signature;
  std::vector<std::string> labels;
  UpsampledArgmax argmax;
};

Segmenter::Segmenter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Segmenter::~Segmenter() = default;

base::Result<std::unique_ptr<Segmenter>> Segmenter::load(std::shared_ptr<runtime::Environment> environment,
                                                         const std::filesystem::path& model,
                                                         const StandbyOptions& options, const Config& config) {
  SLIPWAY_ASSIGN(ImageNetwork network,
                 ImageNetwork::load(std::move(environment), model, options, config.quantization, config.batch));
  SLIPWAY_ASSIGN(Signature signature, network.signature(read_signature));
  SLIPWAY_ASSIGN(media::ImageToTensor preprocess, make_preprocess(signature, network.folder(), config));
  SLIPWAY_TRY(network.prepare(signature.input.spec, std::move(preprocess)));
  const NetworkDescription about = describe(network.network().session());
  SLIPWAY_ASSIGN(std::vector<std::string> labels,
                 labels_for(signature, !config.labels.empty()               ? config.labels
                                       : !network.folder().labels().empty() ? network.folder().labels()
                                                                            : about.names));
  UpsampledArgmax argmax(signature);
  return std::unique_ptr<Segmenter>(new Segmenter(
      std::make_unique<State>(State{std::move(network), std::move(signature), std::move(labels), std::move(argmax)})));
}

base::Result<void> Segmenter::run(media::ImageView image, Segments& segments) {
  return run(std::span(&image, 1), std::span(&segments, 1));
}

base::Result<void> Segmenter::run(std::span<const media::ImageView> images, std::span<Segments> segments) {
  return state_->network.run(images, segments,
                             [&](std::size_t entry, const tensor::NamedTensors& outputs,
                                 const media::Placement& placement) -> base::Result<void> {
                               return state_->argmax.run(outputs.front().tensor, entry, placement, segments[entry].map);
                             });
}

const Signature& Segmenter::signature() const {
  return state_->signature;
}
const std::vector<std::string>& Segmenter::labels() const {
  return state_->labels;
}
const StandbyRun& Segmenter::network() const {
  return state_->network.network();
}

void draw_segments(media::Image& image, const LabelMap& map, const std::vector<media::Colour>& colours) {
  if (map.empty()) return;
  const std::int64_t width = image.width();
  for (int y = 0; y < image.height(); ++y) {
    const std::uint8_t* label =
        map.labels.data() + std::ptrdiff_t{nearest_cell(y, image.height(), map.height)} * std::ptrdiff_t{map.width};
    std::uint8_t* to = image.row(y);
    // nearest_cell(x), carried from pixel to pixel: a division each would take longer than the rest.
    std::int64_t numerator = map.width;
    for (std::int64_t x = 0; x < width; ++x, to += 3, numerator += std::int64_t{2} * map.width) {
      for (; numerator >= 2 * width; numerator -= 2 * width) ++label;
      if (*label >= colours.size()) continue;
      for (std::size_t c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((2 * to[c] + colours[*label][c]) / 3);
    }
  }
}

}  // namespace slipway::pipelines::segmentation
