#include "pipelines/mediapipe_common/detector.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "media/image_to_tensor.hpp"
#include "media/region_to_tensor.hpp"
#include "pipelines/common/plausibility.hpp"
#include "pipelines/mediapipe_common/region.hpp"

namespace slipway::pipelines::mediapipe {
namespace {

using base::Code;
using tensor::TensorSpec;

constexpr float kQaiHubScoreMin = 0.8F;

template <typename Map>
void move_points(Detection& detection, std::size_t keypoint_count, const Map& map) {
  const media::Point first = map({detection.box.x1, detection.box.y1}),
                     last = map({detection.box.x2, detection.box.y2});
  detection.box = {first.x, first.y, last.x, last.y};
  for (std::size_t k = 0; k < keypoint_count; ++k) detection.keypoints[k] = map(detection.keypoints[k]);
}

/// The app of Qualcomm's package leaves out what touches the image's edge.
bool is_inside(const Detection& detection, std::size_t keypoint_count, media::ImageView image) {
  const auto holds = [&](double x, double y) { return x >= 0 && y >= 0 && x <= image.width && y <= image.height; };
  return holds(detection.box.x1, detection.box.y1) && holds(detection.box.x2, detection.box.y2) &&
         std::all_of(detection.keypoints.begin(),
                     detection.keypoints.begin() + static_cast<std::ptrdiff_t>(keypoint_count),
                     [&](const media::Point& point) { return holds(point.x, point.y); });
}

std::optional<std::size_t> find_output(const std::vector<TensorSpec>& outputs, std::int64_t rows,
                                       std::int64_t columns) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const tensor::Shape& shape = outputs[i].shape;
    const bool has_columns = !shape.empty() && shape.back() == columns;
    if (has_columns && values_of(shape) == rows * columns) return i;
  }
  return std::nullopt;
}

/// Pairs with these numbers of rows, if all are there.
std::vector<HeadPair> find_heads(const std::vector<TensorSpec>& outputs, const std::vector<std::size_t>& parts,
                                 std::int64_t row_values) {
  std::vector<HeadPair> heads;
  for (const std::size_t rows : parts) {
    const auto coordinates = find_output(outputs, static_cast<std::int64_t>(rows), row_values);
    const auto logits = find_output(outputs, static_cast<std::int64_t>(rows), 1);
    if (!coordinates || !logits) return {};
    heads.push_back({*coordinates, *logits, rows});
  }
  return heads;
}

}  // namespace

base::Result<DetectorSignature> read_detector_signature(const DetectorFamily& family,
                                                        const std::vector<TensorSpec>& inputs,
                                                        const std::vector<TensorSpec>& outputs,
                                                        const Quantizations& quantization, int batch) {
  std::vector<int> sizes;
  for (const DetectorKind& kind : family.kinds) sizes.push_back(kind.size);
  const std::string size_list = fmt::format("{}", fmt::join(sizes, " or "));
  DetectorSignature signature;
  SLIPWAY_TRY(signature.read(inputs, outputs, size_list, quantization, batch));
  const auto known = std::ranges::find(family.kinds, signature.input.width, &DetectorKind::size);
  if (known == family.kinds.end()) {
    return base::fail(Code::kInvalidArgument, "input '{}': a {} detector sees {} pixels, found {}", inputs[0].name,
                      family.noun, size_list, tensor::to_string(inputs[0].dtype, inputs[0].shape));
  }
  signature.kind = static_cast<std::size_t>(known - family.kinds.begin());
  const auto row_values = static_cast<std::int64_t>(4 + 2 * family.keypoint_count);
  std::size_t total = 0;
  std::vector<std::size_t> parts;
  for (const AnchorLayer& layer : known->layers) {
    parts.push_back(layer.count(known->size));
    total += parts.back();
  }
  signature.heads = find_heads(signature.outputs, {total}, row_values);
  if (signature.heads.empty()) signature.heads = find_heads(signature.outputs, parts, row_values);
  if (signature.heads.empty()) {
    return base::fail(
        Code::kInvalidArgument,
        "outputs: expected [{}, {}, {}] coordinates and [{}, {}, 1] logits, whole or in parts of {} rows, "
        "found {}: not a {} detector of {} pixels",
        batch, total, row_values, batch, total, fmt::join(parts, " + "), list_of(outputs), family.noun, known->size);
  }
  return signature;
}

struct Detector::State {
  Rules rules;
  float score_min;
  double iou_max;
  DetectorSignature signature;
  Network network;
  std::optional<media::RegionToTensor> warp;      // MediaPipe's letterbox
  std::optional<media::ImageToTensor> letterbox;  // the package's
  SsdDecoder decoder;
  std::vector<media::Affine> maps;           // one an entry of the batch: from the input to the image
  std::vector<media::Placement> placements;  // the same of the package's letterbox
  std::vector<SsdRows> rows;
  std::vector<Detection> found;
  Plausibility plausibility;

  base::Result<void> write(media::ImageView image, std::size_t entry, std::span<std::byte> input) {
    if (image.empty()) return base::fail(base::Code::kInvalidArgument, "an empty picture cannot be converted");
    if (!warp) {
      SLIPWAY_ASSIGN(placements[entry], letterbox->convert(image, input));
      return {};
    }
    const double size = signature.input.width;
    maps[entry] = crop_map(letterbox_region(image.width, image.height), size, size);
    return warp->convert(image, maps[entry], input);
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
    if (plausibility.begin_image()) {
      const auto has_numbers = [](const SsdRows& part) {
        std::size_t at = 0;
        while (at < part.count && !std::isfinite(part.logits[at])) ++at;
        return at < part.count;
      };
      SLIPWAY_TRY(plausibility.check_has_numbers(std::ranges::any_of(rows, has_numbers)));
      const double side = signature.input.width;
      for (const Detection& detection : found) SLIPWAY_TRY(plausibility.check_box(detection.box, side, side));
    }
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
        return media::Point{std::trunc(placement.to_image_x(point.x)), std::trunc(placement.to_image_y(point.y))};
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
  const media::ImageInput input = image_input_of(signature->input, file.input_range.value_or(kind.range));
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
                                                {},
                                                Plausibility("MediaPipe's detectors")}));
}

base::Result<void> Detector::run(std::span<const media::ImageView> images, std::span<Output> outputs) {
  State& state = *state_;
  SLIPWAY_CHECK(images.size() == outputs.size(), "each picture has its result");
  for (Output& output : outputs) output.times = {};
  return state.network.run(
      images.size(), [&](std::size_t i) -> StageTimes& { return outputs[i].times; },
      [&](std::size_t i, std::size_t entry, std::span<std::byte> input) {
        return state.write(images[i], entry, input);
      },
      [&](std::size_t i, std::size_t entry) { return state.read(images[i], entry, outputs[i].detections); });
}

const DetectorSignature& Detector::signature() const {
  return state_->signature;
}
runtime::Session& Detector::session() {
  return state_->network.session();
}

}  // namespace slipway::pipelines::mediapipe
