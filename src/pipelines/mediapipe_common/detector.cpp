#include "pipelines/mediapipe_common/detector.hpp"

#include <algorithm>
#include <cmath>

#include "media/image_to_tensor.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/mediapipe_common/region.hpp"
#include "pipelines/mediapipe_common/ssd_decoder.hpp"
#include "pipelines/mediapipe_common/weighted_suppression.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

constexpr float kQaiHubScoreMin = 0.8F;

template <typename Map>
void move_points(Detection& detection, std::size_t keypoint_count, const Map& map) {
  const media::Point first = map({detection.box.x1, detection.box.y1}),
                     last = map({detection.box.x2, detection.box.y2});
  detection.box = {first.x, first.y, last.x, last.y};
  for (std::size_t k = 0; k < keypoint_count; ++k) detection.keypoints[k] = map(detection.keypoints[k]);
}

/// The app of Qualcomm's package leaves out what touches the picture's edge.
bool is_inside(const Detection& detection, std::size_t keypoint_count, media::ImageView image) {
  const auto holds = [&](double x, double y) { return x >= 0 && y >= 0 && x <= image.width && y <= image.height; };
  return holds(detection.box.x1, detection.box.y1) && holds(detection.box.x2, detection.box.y2) &&
         std::all_of(detection.keypoints.begin(),
                     detection.keypoints.begin() + static_cast<std::ptrdiff_t>(keypoint_count),
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
  SsdDecoder decoder;
  std::vector<SsdRows> rows;
  std::vector<Detection> found, kept;

  base::Result<void> read_rows(const tensor::NamedTensors& outputs) {
    rows.clear();
    for (const HeadPair& head : signature.heads) {
      SsdRows part;
      part.count = head.rows;
      SLIPWAY_ASSIGN(part.coordinates, read_output(outputs, signature.outputs, head.coordinates,
                                                   head.rows * (4 + 2 * decoder.keypoint_count())));
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
                                      const runtime::SessionOptions& session_options, const DetectorFamily& family,
                                      const DetectorOptions& options) {
  SLIPWAY_ASSIGN(std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(std::move(environment), file.path, session_options));
  auto signature = read_detector_signature(family, session->inputs(), session->outputs(), file.quantization);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), signature->input.tensor));

  const DetectorKind& kind = family.kinds[signature->kind];
  const media::PictureInput input = picture_input_of(signature->input, file.input_range.value_or(kind.range));
  std::optional<media::RegionToTensor> warp;
  std::optional<media::ImageToTensor> letterbox;
  if (options.rules == Rules::kMediapipe) {
    SLIPWAY_ASSIGN(warp,
                   media::RegionToTensor::create(input, media::Border::kZero, media::WarpRounding::kWarpPerspective));
  } else {
    SLIPWAY_ASSIGN(letterbox, media::ImageToTensor::create(input, media::Fit::kLetterbox));
  }
  SsdDecoder decoder(signature->input.size, kind.layers, family.keypoint_count);
  const float usual_min = options.rules == Rules::kQaiHub ? kQaiHubScoreMin : kind.score_min;
  return Detector(std::make_unique<State>(State{options.rules,
                                                options.score_min.value_or(usual_min),
                                                options.iou_max,
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
  const std::size_t keypoint_count = state.decoder.keypoint_count();
  Stopwatch watch;
  if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
  const std::span<std::byte> input = state.network.inputs[0].tensor.bytes();
  media::Affine to_picture;
  media::Placement placement;
  if (state.warp) {
    const double size = state.signature.input.size;
    to_picture = crop_map(letterbox_region(image.width, image.height), size, size);
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
    suppress_weighted(state.found, state.iou_max, state.kept);
    for (Detection& detection : state.kept) {
      move_points(detection, keypoint_count, [&](media::Point point) { return to_picture.apply(point); });
    }
  } else {
    suppress_greedily(state.found, state.iou_max, state.kept);
    for (Detection& detection : state.kept) {
      // Whole pixels, cut towards zero.
      move_points(detection, keypoint_count, [&](media::Point point) {
        return media::Point{std::trunc(placement.to_picture_x(point.x)), std::trunc(placement.to_picture_y(point.y))};
      });
    }
    std::erase_if(state.kept, [&](const Detection& detection) { return !is_inside(detection, keypoint_count, image); });
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

}  // namespace slipway::pipelines::mediapipe
