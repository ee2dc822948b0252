#include "pipelines/mediapipe_common/landmarker.hpp"

namespace slipway::pipelines::mediapipe {

base::Result<Landmarker> Landmarker::load(std::shared_ptr<runtime::Environment> environment, const NetworkFile& file,
                                          const runtime::SessionOptions& options, int batch, const CropRules& rules,
                                          const ReadSignature& read) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read(session->inputs(), session->outputs(), file.quantization, batch);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  const ImageTensor& input = signature->input;
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), input, std::move(signature->outputs)));
  SLIPWAY_ASSIGN(media::RegionToTensor warp,
                 media::RegionToTensor::create(image_input_of(input, file.input_range.value_or(rules.range)),
                                               rules.border, rules.rounding));
  return Landmarker(std::move(network), std::move(warp), input.width, input.width - rules.shrink);
}

}  // namespace slipway::pipelines::mediapipe
