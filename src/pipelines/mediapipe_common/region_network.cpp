#include "pipelines/mediapipe_common/region_network.hpp"

namespace slipway::pipelines::mediapipe {

base::Result<RegionNetwork> RegionNetwork::create(std::unique_ptr<runtime::Session> session, const PictureSpec& input,
                                                  const NetworkFile& file, const CropRules& rules) {
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), input.tensor));
  SLIPWAY_ASSIGN(media::RegionToTensor warp,
                 media::RegionToTensor::create(picture_input_of(input, file.input_range.value_or(rules.range)),
                                               rules.border, rules.rounding));
  return RegionNetwork(std::move(network), std::move(warp), input.size, input.size - rules.shrink);
}

base::Result<const tensor::NamedTensors*> RegionNetwork::run(media::ImageView image, const Region& region,
                                                             StageTimes& times) {
  Stopwatch watch;
  to_picture_ = crop_map(region, span_, span_);
  scale_ = region.width / span_;
  if (!(region.width > 0) || !(region.height > 0) || !to_picture_.is_finite()) return nullptr;
  SLIPWAY_TRY(warp_.convert(image, to_picture_, network_.inputs[0].tensor.bytes()));
  times.pre_us += watch.lap_us();
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, network_.run());
  times.inference_us += watch.lap_us();
  return outputs;
}

}  // namespace slipway::pipelines::mediapipe
