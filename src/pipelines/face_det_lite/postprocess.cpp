#include "pipelines/face_det_lite/postprocess.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "pipelines/common/real_values.hpp"

namespace slipway::pipelines::face_det_lite {
namespace {

float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

/// Towards zero, as Python's int().
int whole(double value) {
  constexpr double kFar = 1 << 30;
  return static_cast<int>(std::clamp(value, -kFar, kFar));
}

/// Reads a head's channels at a cell, whatever the order of its axes.
class CellReader {
 public:
  static base::Result<CellReader> over(const tensor::NamedTensors& outputs, std::size_t batch, std::size_t entry,
                                       const Head& head, std::size_t channels, std::size_t cells) {
    if (head.index >= outputs.size()) {
      return base::fail(base::Code::kInvalidArgument, "output '{}' is missing", head.spec.name);
    }
    const tensor::Tensor& tensor = outputs[head.index].tensor;
    if (tensor.dtype() != head.spec.dtype ||
        tensor.size_bytes() != batch * channels * cells * tensor::dtype_size_bytes(tensor.dtype())) {
      return base::fail(base::Code::kInvalidArgument, "output '{}': expected {}, found {}", head.spec.name,
                        tensor::to_string(head.spec.dtype, head.spec.shape),
                        tensor::to_string(tensor.dtype(), tensor.shape()));
    }
    CellReader reader;
    SLIPWAY_ASSIGN(reader.values_, RealValues::over(tensor, head.spec.quantization, head.spec.name));
    const bool is_channel_last = head.layout == media::Layout::kNhwc;
    if (tensor.dtype() == tensor::Dtype::kFloat32) reader.floats_ = tensor.values<float>();
    reader.first_ = entry * channels * cells;
    reader.cell_step_ = is_channel_last ? channels : 1;
    reader.channel_step_ = is_channel_last ? 1 : cells;
    return reader;
  }

  [[nodiscard]] float at(std::size_t cell, std::size_t channel) const {
    return values_[first_ + cell * cell_step_ + channel * channel_step_];
  }

  /// The values of neighbouring cells of a head with one channel.
  void copy_row(std::size_t cell, std::size_t count, float* out) const {
    if (!floats_.empty()) {
      std::ranges::copy(floats_.subspan(first_ + cell, count), out);
    } else {
      for (std::size_t i = 0; i < count; ++i) out[i] = at(cell + i, 0);
    }
  }

 private:
  RealValues values_;
  std::span<const float> floats_;  // the tensor as it is; empty when it is not float32
  std::size_t first_ = 0, cell_step_ = 1, channel_step_ = 1;
};

bool is_finite(const Face& face) {
  return std::isfinite(face.box.x1) && std::isfinite(face.box.y1) && std::isfinite(face.box.x2) &&
         std::isfinite(face.box.y2) && std::ranges::all_of(face.landmarks, [](const media::Point& point) {
           return std::isfinite(point.x) && std::isfinite(point.y);
         });
}

Face decode_face(const CellReader& box, const CellReader& landmark, std::size_t cell, int columns, float score) {
  const auto cx = static_cast<double>(cell % static_cast<std::size_t>(columns));
  const auto cy = static_cast<double>(cell / static_cast<std::size_t>(columns));
  Face face;
  face.score = score;
  // (np.array([cx, cy, cx, cy]) + [-b0, -b1, b2, b3]) * stride
  face.box = {
      (cx - static_cast<double>(box.at(cell, 0))) * kStride, (cy - static_cast<double>(box.at(cell, 1))) * kStride,
      (cx + static_cast<double>(box.at(cell, 2))) * kStride, (cy + static_cast<double>(box.at(cell, 3))) * kStride};
  if (face.box.x1 > face.box.x2) std::swap(face.box.x1, face.box.x2);
  if (face.box.y1 > face.box.y2) std::swap(face.box.y1, face.box.y2);
  for (std::size_t k = 0; k < face.landmarks.size(); ++k) {
    face.landmarks[k] = {(static_cast<double>(landmark.at(cell, k)) + cx) * kStride,
                         (static_cast<double>(landmark.at(cell, k + 5)) + cy) * kStride};
  }
  return face;
}

void bring_to_image(Face& face, const media::Placement& placement) {
  face.box = {placement.to_image_x(face.box.x1), placement.to_image_y(face.box.y1), placement.to_image_x(face.box.x2),
              placement.to_image_y(face.box.y2)};
  for (media::Point& point : face.landmarks) point = {placement.to_image_x(point.x), placement.to_image_y(point.y)};
}

}  // namespace

PixelBox app_box(const Box& box, int image_width, int image_height) {
  const double width = box.x2 - box.x1 + 1, height = box.y2 - box.y1 + 1;
  int left = whole(box.x1), top = whole(box.y1);
  const int w = whole(width), h = whole(height);
  if (left < 0 || top < 0 || whole(box.x1 + width) >= image_width || whole(box.y1 + height) >= image_height) {
    left = std::max(left, 0);
    top = std::max(top, 0);
  }
  const PixelBox grown = {left - whole(w * 0.05), top - whole(h * 0.05), whole(w * 1.1), whole(h * 1.1)};
  const bool is_inside = grown.x >= 0 && grown.y >= 0 && std::int64_t{grown.x} + grown.w - 1 < image_width &&
                         std::int64_t{grown.y} + grown.h - 1 < image_height;
  return is_inside ? grown : PixelBox{left, top, w, h};
}

Postprocess::Postprocess(Signature signature, const Config& config)
    : signature_(std::move(signature)), score_min_(config.score_min), iou_max_(config.iou_max) {}

void Postprocess::find_peaks(int rows, int columns) {
  peaks_.clear();
  // The heatmap lies in logits_ with a border of one cell. Only cells whose logit can reach the threshold get a
  // sigmoid; the margin is far above what rounding moves.
  constexpr float kMargin = 1e-3F;
  const float lowest_logit = score_min_ <= 0   ? -std::numeric_limits<float>::infinity()
                             : score_min_ >= 1 ? std::numeric_limits<float>::max()
                                               : std::log(score_min_ / (1 - score_min_)) - kMargin;
  const std::ptrdiff_t stride = columns + 2;
  const std::array<std::ptrdiff_t, 8> neighbours = {-stride - 1, -stride,    -stride + 1, -1,
                                                    1,           stride - 1, stride,      stride + 1};
  for (int y = 0; y < rows; ++y) {
    const float* row = logits_.data() + (y + 1) * stride + 1;
    for (int x = 0; x < columns; ++x) {
      const float logit = row[x];
      if (!(logit >= lowest_logit)) continue;
      const float score = sigmoid(logit);
      if (!(score >= score_min_)) continue;
      // Scores decide, not logits: two logits may round to one score, and then both cells are peaks.
      const bool is_peak = std::ranges::none_of(
          neighbours, [&](std::ptrdiff_t step) { return row[x + step] > logit && sigmoid(row[x + step]) > score; });
      if (is_peak) peaks_.push_back({score, y * columns + x});
    }
  }
  std::ranges::sort(
      peaks_, [](const Peak& a, const Peak& b) { return a.score != b.score ? a.score > b.score : a.cell < b.cell; });
  if (peaks_.size() > kMostPeaks) peaks_.resize(kMostPeaks);
}

base::Result<void> Postprocess::run(const tensor::NamedTensors& outputs, std::size_t entry,
                                    const media::Placement& placement, int image_width, int image_height,
                                    std::vector<Face>& faces) {
  const int rows = signature_.height / kStride, columns = signature_.width / kStride;
  const std::size_t cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  const auto batch = static_cast<std::size_t>(signature_.batch);
  const auto read = [&](const Head& head, std::size_t channels) {
    return CellReader::over(outputs, batch, entry, head, channels, cells);
  };
  SLIPWAY_ASSIGN(const CellReader heatmap, read(signature_.heatmap, 1));
  SLIPWAY_ASSIGN(const CellReader box, read(signature_.box, 4));
  SLIPWAY_ASSIGN(const CellReader landmark, read(signature_.landmark, 10));

  const std::size_t stride = static_cast<std::size_t>(columns) + 2;
  logits_.assign(stride * (static_cast<std::size_t>(rows) + 2), -std::numeric_limits<float>::infinity());
  const auto width = static_cast<std::size_t>(columns);
  for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y) {
    heatmap.copy_row(y * width, width, logits_.data() + (y + 1) * stride + 1);
  }
  find_peaks(rows, columns);

  const bool is_first = plausibility_.begin_image();
  if (is_first) {
    const auto is_number = [](float logit) { return std::isfinite(logit); };
    SLIPWAY_TRY(plausibility_.check_has_numbers(std::ranges::any_of(logits_, is_number)));
  }
  decoded_.clear();
  boxes_.clear();
  for (const Peak& peak : peaks_) {
    const Face face = decode_face(box, landmark, static_cast<std::size_t>(peak.cell), columns, peak.score);
    if (!is_finite(face)) continue;
    if (is_first) SLIPWAY_TRY(plausibility_.check_box(face.box, signature_.width, signature_.height));
    decoded_.push_back(face);
    boxes_.push_back(face.box);
  }
  faces.clear();
  if (iou_max_) {
    suppress(boxes_, {}, *iou_max_, kept_);
    for (const std::size_t index : kept_) faces.push_back(decoded_[index]);
  } else {
    faces.assign(decoded_.begin(), decoded_.end());
  }
  for (Face& face : faces) {
    bring_to_image(face, placement);
    face.pixels = app_box(face.box, image_width, image_height);
  }
  return {};
}

}  // namespace slipway::pipelines::face_det_lite
