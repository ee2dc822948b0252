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
  std::vector<media::Affine> maps;           // one an entry of the batch: from the input to the picture
  std::vector<media::Placement> placements;  // the same of the package's letterbox
  std::vector<SsdRows> rows;
  std::vector<Detection> found;

  base::Result<void> write(media::ImageView image, std::size_t entry) {
    if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
    if (!warp) {
      SLIPWAY_ASSIGN(placements[entry], letterbox->convert(image, network.input(entry)));
      return {};
    }
    const double size = signature.input.width;
    maps[entry] = crop_map(letterbox_region(image.width, image.height), size, size);
    return warp->convert(image, maps[entry], network.input(entry));
  }

  base::Result<void> read(media::ImageView image, std::size_t entry, std::vector<Detection>& kept) {
    const std::size_t keypoint_count = decoder.keypoint_count();
    rows.clear();
    for (const HeadPair& head : signature.heads) {
      SsdRows part;
      part.count = head.rows;
      SLIPWAY_ASSIGN(part.coordinates, network.values(head.coordinates, entry, head.rows * (4 + 2 * keypoint_count)));
      SLIPWAY_ASSIGN(part.logits, network.values(head.logits, entry, head.rows));
      rows.push_back(part);
    }
    decoder.decode(rows, score_min, found);
    if (rules == Rules::kMediapipe) {
      suppress_weighted(found, iou_max, kept);
      for (Detection& detection : kept) {
        move_points(detection, keypoint_count, [&](media::Point point) { return maps[entry].apply(point); });
      }
      return {};
    }
    suppress_greedily(found, iou_max, kept);
    const media::Placement& placement = placements[entry];
    for (Detection& detection : kept) {
      // Whole pixels, cut towards zero.
      move_points(detection, keypoint_count, [&](media::Point point) {
        return media::Point{std::trunc(placement.to_picture_x(point.x)), std::trunc(placement.to_picture_y(point.y))};
      });
    }
    std::erase_if(kept, [&](const Detection& detection) { return !is_inside(detection, keypoint_count, image); });
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
  auto signature =
      read_detector_signature(family, session->inputs(), session->outputs(), file.quantization, options.batch);
  if (!signature) return std::unexpected(signature.error().with(file.path.string()));
  SLIPWAY_ASSIGN(Network network, Network::bind(std::move(session), signature->input, signature->outputs));
  const std::size_t batch = network.batch();

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
  SsdDecoder decoder(signature->input.width, kind.layers, family.keypoint_count);
  const float usual_min = options.rules == Rules::kQaiHub ? kQaiHubScoreMin : kind.score_min;
  return Detector(std::make_unique<State>(State{options.rules,
                                                options.score_min.value_or(usual_min),
                                                options.iou_max,
                                                std::move(*signature),
                                                std::move(network),
                                                std::move(warp),
                                                std::move(letterbox),
                                                std::move(decoder),
                                                std::vector<media::Affine>(batch),
                                                std::vector<media::Placement>(batch),
                                                {},
                                                {}}));
}

base::Result<void> Detector::run(std::span<const media::ImageView> images, std::span<Seen> seen) {
  State& state = *state_;
  SLIPWAY_CHECK(images.size() == seen.size(), "each picture has its result");
  for (std::size_t first = 0; first < images.size();) {
    Stopwatch watch;
    const std::size_t count = state.network.begin(images.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      SLIPWAY_TRY(state.write(images[first + i], i));
      seen[first + i].times = {.pre_us = watch.lap_us(), .inference_us = 0, .post_us = 0};
    }
    SLIPWAY_TRY(state.network.run());
    const double share_us = watch.lap_us() / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i, ++first) {
      SLIPWAY_TRY(state.read(images[first], i, seen[first].detections));
      seen[first].times.inference_us = share_us;
      seen[first].times.post_us = watch.lap_us();
    }
  }
  return {};
}

const DetectorSignature& Detector::signature() const {
  return state_->signature;
}
runtime::Session& Detector::session() {
  return state_->network.session();
}

}  // namespace slipway::pipelines::mediapipe
