#include "pipelines/mediapipe_common/region_network.hpp"

namespace slipway::pipelines::mediapipe {

base::Result<RegionNetwork> RegionNetwork::create(std::unique_ptr<runtime::Session> session, const PictureTensor& input,
                                                  const std::vector<tensor::TensorSpec>& outputs,
                                                  const NetworkFile& file, const CropRules& rules) {
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), input, outputs));
  SLIPWAY_ASSIGN(media::RegionToTensor warp,
                 media::RegionToTensor::create(picture_input_of(input, file.input_range.value_or(rules.range)),
                                               rules.border, rules.rounding));
  return RegionNetwork(std::move(network), std::move(warp), input.width, input.width - rules.shrink);
}

base::Result<std::size_t> RegionNetwork::run_some(std::span<const Look> looks) {
  Stopwatch watch;
  const auto taken = looks.first(network_.begin(looks.size()));
  for (std::size_t i = 0; i < taken.size(); ++i) {
    maps_[i] = crop_map(taken[i].region, span_, span_);
    SLIPWAY_TRY(warp_.convert(taken[i].image, maps_[i], network_.input(i)));
    taken[i].times->pre_us += watch.lap_us();
  }
  SLIPWAY_TRY(network_.run());
  const double share_us = watch.lap_us() / static_cast<double>(taken.size());
  for (const Look& look : taken) look.times->inference_us += share_us;
  return taken.size();
}

}  // namespace slipway::pipelines::mediapipe
