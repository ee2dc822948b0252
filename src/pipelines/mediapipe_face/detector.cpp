#include "pipelines/mediapipe_face/detector.hpp"

#include <algorithm>
#include <cmath>

#include "media/image_to_tensor.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_common/ssd_decoder.hpp"
#include "pipelines/mediapipe_common/weighted_suppression.hpp"

namespace slipway::pipelines::mediapipe_face {
namespace {

using mediapipe::Detection;

constexpr float kQaiHubScoreMin = 0.8F;

float default_score_min(const Config& config, Variant variant) {
  if (config.rules == Rules::kQaiHub) return kQaiHubScoreMin;
  return variant == Variant::kFullRange ? 0.6F : 0.5F;
}

template <typename Map>
void move_points(Detection& detection, const Map& map) {
  const media::Point first = map({detection.box.x1, detection.box.y1}),
                     last = map({detection.box.x2, detection.box.y2});
  detection.box = {first.x, first.y, last.x, last.y};
  for (std::size_t k = 0; k < kKeypointCount; ++k) detection.keypoints[k] = map(detection.keypoints[k]);
}

/// The app of Qualcomm's package leaves out what touches the picture's edge.
bool is_inside(const Detection& detection, media::ImageView image) {
  const auto holds = [&](double x, double y) { return x >= 0 && y >= 0 && x <= image.width && y <= image.height; };
  return holds(detection.box.x1, detection.box.y1) && holds(detection.box.x2, detection.box.y2) &&
         std::all_of(detection.keypoints.begin(), detection.keypoints.begin() + kKeypointCount,
                     [&](const media::Point& point) { return holds(point.x, point.y); });
}

}  // namespace

struct Detector::State {
  Rules rules;
  float score_min;
  double iou_max;
  DetectorSignature signature;
  Network network;
  std::optional<media::RegionToTensor> warp;      // MediaPipe's letterbox
  std::optional<media::ImageToTensor> letterbox;  // the package's
  mediapipe::SsdDecoder decoder;
  std::vector<mediapipe::SsdRows> rows;
  std::vector<Detection> found, kept;

  base::Result<void> read_rows(const tensor::NamedTensors& outputs) {
    rows.clear();
    for (const HeadPair& head : signature.heads) {
      mediapipe::SsdRows part;
      part.count = head.rows;
      SLIPWAY_ASSIGN(part.coordinates,
                     read_output(outputs, signature.outputs, head.coordinates, head.rows * (4 + 2 * kKeypointCount)));
      SLIPWAY_ASSIGN(part.logits, read_output(outputs, signature.outputs, head.logits, head.rows));
      rows.push_back(part);
    }
    return {};
  }
};

Detector::Detector(std::unique_ptr<State> state) : state_(std::move(state)) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

base::Result<Detector> Detector::load(std::shared_ptr<runtime::Environment> environment, const NetworkFile& file,
                                      const runtime::SessionOptions& options, const Config& config) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, options));
  auto signature = read_detector_signature(session->inputs(), session->outputs(), config.detector_quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), signature->input.tensor));

  // MediaPipe's own networks see −1 … 1; the 256-pixel one has that inside.
  const std::pair<float, float> usual =
      signature->variant == Variant::kBack ? std::pair{0.0F, 1.0F} : std::pair{-1.0F, 1.0F};
  const media::PictureInput input = picture_input_of(signature->input, file.input_range.value_or(usual));
  std::optional<media::RegionToTensor> warp;
  std::optional<media::ImageToTensor> letterbox;
  if (config.rules == Rules::kMediapipe) {
    SLIPWAY_ASSIGN(warp,
                   media::RegionToTensor::create(input, media::Border::kZero, media::WarpRounding::kWarpPerspective));
  } else {
    SLIPWAY_ASSIGN(letterbox, media::ImageToTensor::create(input, media::Fit::kLetterbox));
  }
  mediapipe::SsdDecoder decoder(signature->input.size, signature->layers, kKeypointCount);
  const float score_min = config.score_min.value_or(default_score_min(config, signature->variant));
  return Detector(std::make_unique<State>(State{config.rules,
                                                score_min,
                                                config.iou_max,
                                                std::move(*signature),
                                                std::move(network),
                                                std::move(warp),
                                                std::move(letterbox),
                                                std::move(decoder),
                                                {},
                                                {},
                                                {}}));
}

base::Result<const std::vector<Detection>*> Detector::run(media::ImageView image, StageTimes& times) {
  State& state = *state_;
  Stopwatch watch;
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
  const std::span<std::byte> input = state.network.inputs[0].tensor.bytes();
  media::Affine to_picture;
  media::Placement placement;
  if (state.warp) {
    const double size = state.signature.input.size;
    to_picture = mediapipe::crop_map(mediapipe::letterbox_region(image.width, image.height), size, size);
    SLIPWAY_TRY(state.warp->convert(image, to_picture, input));
  } else {
    SLIPWAY_ASSIGN(placement, state.letterbox->convert(image, input));
  }
  times.pre_us += watch.lap_us();
  SLIPWAY_ASSIGN(const tensor::NamedTensors* outputs, state.network.run());
  times.inference_us += watch.lap_us();

  SLIPWAY_TRY(state.read_rows(*outputs));
  state.decoder.decode(state.rows, state.score_min, state.found);
  if (state.rules == Rules::kMediapipe) {
    mediapipe::suppress_weighted(state.found, state.iou_max, state.kept);
    for (Detection& detection : state.kept) {
      move_points(detection, [&](media::Point point) { return to_picture.apply(point); });
    }
  } else {
    mediapipe::suppress_greedily(state.found, state.iou_max, state.kept);
    for (Detection& detection : state.kept) {
      // Whole pixels, cut towards zero.
      move_points(detection, [&](media::Point point) {
        return media::Point{std::trunc(placement.to_picture_x(point.x)), std::trunc(placement.to_picture_y(point.y))};
      });
    }
    std::erase_if(state.kept, [&](const Detection& detection) { return !is_inside(detection, image); });
  }
  times.post_us += watch.lap_us();
  return &state.kept;
}

const DetectorSignature& Detector::signature() const {
  return state_->signature;
}
runtime::Session& Detector::session() {
  return *state_->network.session;
}

}  // namespace slipway::pipelines::mediapipe_face
