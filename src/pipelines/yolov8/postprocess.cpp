#include "pipelines/yolov8/postprocess.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

#include "pipelines/yolov8/score_scan.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

base::Result<const tensor::Tensor*> tensor_of(const tensor::NamedTensors& outputs, const Head& head, int batch,
                                              std::size_t elements_of_one) {
  if (head.index >= outputs.size()) {
    return base::fail(base::Code::kInvalidArgument, "output '{}' is missing", head.spec.name);
  }
  const std::size_t elements = static_cast<std::size_t>(batch) * elements_of_one;
  const tensor::Tensor& tensor = outputs[head.index].tensor;
  if (tensor.dtype() != head.spec.dtype || tensor.size_bytes() != elements * tensor::dtype_size_bytes(tensor.dtype())) {
    return base::fail(base::Code::kInvalidArgument, "output '{}': expected {} elements of {}, found {}", head.spec.name,
                      elements, tensor::dtype_name(head.spec.dtype), tensor::to_string(tensor.dtype(), tensor.shape()));
  }
  return &tensor;
}

/// Reads the channels of a head, for one image.
class HeadReader {
 public:
  static base::Result<HeadReader> over(const tensor::NamedTensors& outputs, const Head& head, int batch,
                                       std::size_t entry, std::size_t anchors) {
    const std::size_t elements = static_cast<std::size_t>(head.tensor_channels) * anchors;
    SLIPWAY_ASSIGN(const tensor::Tensor* tensor, tensor_of(outputs, head, batch, elements));
    HeadReader reader;
    reader.first_ = entry * elements;
    SLIPWAY_ASSIGN(reader.values_, RealValues::over(*tensor, head.spec.quantization, head.spec.name));
    reader.head_ = &head;
    return reader;
  }

  [[nodiscard]] float at(std::size_t anchor, int channel) const {
    return values_[first_ + anchor * head_->anchor_step +
                   static_cast<std::size_t>(head_->first_channel + channel) * head_->channel_step];
  }
  [[nodiscard]] const RealValues& values() const { return values_; }
  [[nodiscard]] std::size_t first() const { return first_; }  ///< element of the image's

 private:
  RealValues values_;
  const Head* head_ = nullptr;
  std::size_t first_ = 0;
};

/// The least stored value whose real one reaches the threshold; nothing when none does.
template <typename T>
std::optional<T> lowest_stored(float score_min, const tensor::Quantization& quantization) {
  const auto all = std::views::iota(int{std::numeric_limits<T>::min()}, int{std::numeric_limits<T>::max()} + 1);
  const auto found = std::ranges::partition_point(all, [&](int stored) {
    return (static_cast<float>(stored) - static_cast<float>(quantization.zero_point)) * quantization.scale < score_min;
  });
  if (found == all.end()) return std::nullopt;
  return static_cast<T>(*found);
}

std::int64_t integer_at(const tensor::Tensor& tensor, std::size_t index) {
  switch (tensor.dtype()) {
    case tensor::Dtype::kUint8:
      return tensor.values<std::uint8_t>()[index];
    case tensor::Dtype::kInt8:
      return tensor.values<std::int8_t>()[index];
    case tensor::Dtype::kUint16:
      return tensor.values<std::uint16_t>()[index];
    case tensor::Dtype::kInt16:
      return tensor.values<std::int16_t>()[index];
    case tensor::Dtype::kInt32:
      return tensor.values<std::int32_t>()[index];
    default:
      return tensor.values<std::int64_t>()[index];
  }
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

Box decode_box(const HeadReader& reader, BoxForm form, std::size_t anchor) {
  const double a = reader.at(anchor, 0), b = reader.at(anchor, 1), c = reader.at(anchor, 2), d = reader.at(anchor, 3);
  if (form == BoxForm::kCorners) return {a, b, c, d};
  return {a - c / 2, b - d / 2, a + c / 2, b + d / 2};
}

Box to_image(const Box& box, const media::Placement& placement, int width, int height) {
  return {std::clamp(placement.to_image_x(box.x1), 0.0, static_cast<double>(width)),
          std::clamp(placement.to_image_y(box.y1), 0.0, static_cast<double>(height)),
          std::clamp(placement.to_image_x(box.x2), 0.0, static_cast<double>(width)),
          std::clamp(placement.to_image_y(box.y2), 0.0, static_cast<double>(height))};
}

/// Bilinear between cells, the border ones going on outside.
float interpolate(const std::vector<float>& cells, int columns, int rows, double x, double y) {
  x = std::clamp(x, 0.0, columns - 1.0);
  y = std::clamp(y, 0.0, rows - 1.0);
  const int left = static_cast<int>(x), top = static_cast<int>(y);
  const int right = std::min(left + 1, columns - 1), bottom = std::min(top + 1, rows - 1);
  const auto fx = static_cast<float>(x - left), fy = static_cast<float>(y - top);
  const auto cell = [&](int cx, int cy) { return cells[static_cast<std::size_t>(cy * columns + cx)]; };
  const float upper = cell(left, top) * (1 - fx) + cell(right, top) * fx;
  const float lower = cell(left, bottom) * (1 - fx) + cell(right, bottom) * fx;
  return upper * (1 - fy) + lower * fy;
}

}  // namespace

Postprocess::Postprocess(Signature signature, Config config)
    : signature_(std::move(signature)), config_(std::move(config)) {
  best_class_.resize(static_cast<std::size_t>(signature_.anchors));
  best_storage_.resize(best_class_.size());
}

void Postprocess::add_candidate(float score, std::int32_t anchor, std::int32_t class_id) {
  if (!config_.only_classes.empty() &&
      std::ranges::find(config_.only_classes, class_id) == config_.only_classes.end()) {
    return;
  }
  candidates_.push_back({score, anchor, class_id});
}

template <typename T>
void Postprocess::choose_by_class(const T* scores, std::size_t first, const RealValues& real) {
  const Head& head = signature_.score;
  T lowest{};
  if constexpr (std::is_floating_point_v<T>) {
    lowest = config_.score_min;
  } else {
    const auto stored = lowest_stored<T>(config_.score_min, head.spec.quantization.value_or(tensor::Quantization{}));
    if (!stored) return;
    lowest = *stored;
  }
  const std::span<T> best(reinterpret_cast<T*>(best_storage_.data()), best_class_.size());
  best_classes(scores + first, head, lowest, best_class_, best);
  for (std::size_t i = 0; i < best_class_.size(); ++i) {
    if (best_class_[i] < 0) continue;
    const std::size_t element = first + i * head.anchor_step +
                                static_cast<std::size_t>(head.first_channel + best_class_[i]) * head.channel_step;
    add_candidate(real[element], static_cast<std::int32_t>(i), best_class_[i]);
  }
}

base::Result<void> Postprocess::find_candidates(const tensor::NamedTensors& outputs, std::size_t entry) {
  candidates_.clear();
  const auto anchors = static_cast<std::size_t>(signature_.anchors);
  SLIPWAY_ASSIGN(const HeadReader scores,
                 HeadReader::over(outputs, signature_.score, signature_.batch, entry, anchors));
  const tensor::Tensor& tensor = outputs[signature_.score.index].tensor;
  if (signature_.class_index) {
    SLIPWAY_ASSIGN(const tensor::Tensor* classes,
                   tensor_of(outputs, *signature_.class_index, signature_.batch, anchors));
    for (std::size_t i = 0; i < anchors; ++i) {
      const float score = scores.at(i, 0);
      if (!(score >= config_.score_min)) continue;
      const std::int64_t class_id = integer_at(*classes, entry * anchors + i);
      if (class_id >= 0 && class_id < 1 << 16) {
        add_candidate(score, static_cast<std::int32_t>(i), static_cast<std::int32_t>(class_id));
      }
    }
  } else {
    switch (tensor.dtype()) {
      case tensor::Dtype::kUint8:
        choose_by_class(tensor.values<std::uint8_t>().data(), scores.first(), scores.values());
        break;
      case tensor::Dtype::kInt8:
        choose_by_class(tensor.values<std::int8_t>().data(), scores.first(), scores.values());
        break;
      case tensor::Dtype::kUint16:
        choose_by_class(tensor.values<std::uint16_t>().data(), scores.first(), scores.values());
        break;
      case tensor::Dtype::kInt16:
        choose_by_class(tensor.values<std::int16_t>().data(), scores.first(), scores.values());
        break;
      case tensor::Dtype::kFloat16:
        widened_.resize(tensor.size_bytes() / sizeof(std::uint16_t));
        for (std::size_t i = 0; i < widened_.size(); ++i) widened_[i] = scores.values()[i];
        choose_by_class(widened_.data(), scores.first(), scores.values());
        break;
      default:
        choose_by_class(tensor.values<float>().data(), scores.first(), scores.values());
        break;
    }
  }
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.anchor < b.anchor;
  });
  return {};
}

base::Result<void> Postprocess::check_scores(const tensor::NamedTensors& outputs, std::size_t entry) const {
  const auto anchors = static_cast<std::size_t>(signature_.anchors);
  SLIPWAY_ASSIGN(const HeadReader scores,
                 HeadReader::over(outputs, signature_.score, signature_.batch, entry, anchors));
  float lowest = 0, highest = 0;
  bool has_numbers = false;
  for (std::size_t i = 0; i < anchors; ++i) {
    for (int c = 0; c < signature_.score.channels; ++c) {
      const float score = scores.at(i, c);
      lowest = std::min(lowest, score);
      highest = std::max(highest, score);
      has_numbers = has_numbers || std::isfinite(score);
    }
  }
  SLIPWAY_TRY(plausibility_.check_score(lowest));
  SLIPWAY_TRY(plausibility_.check_score(highest));
  return plausibility_.check_has_numbers(has_numbers);
}

base::Result<void> Postprocess::run(const tensor::NamedTensors& outputs, std::size_t entry,
                                    const media::Placement& placement, int image_width, int image_height,
                                    std::vector<Object>& objects) {
  objects.clear();
  SLIPWAY_ASSIGN(const HeadReader box, HeadReader::over(outputs, signature_.box, signature_.batch, entry,
                                                        static_cast<std::size_t>(signature_.anchors)));
  const bool is_first = plausibility_.begin_image();
  if (is_first) SLIPWAY_TRY(check_scores(outputs, entry));
  SLIPWAY_TRY(find_candidates(outputs, entry));
  decoded_.clear();
  boxes_.clear();
  classes_.clear();
  for (const Candidate& candidate : candidates_) {
    const Box decoded = decode_box(box, signature_.box_form, static_cast<std::size_t>(candidate.anchor));
    if (!is_finite(decoded)) continue;
    if (is_first) SLIPWAY_TRY(plausibility_.check_box(decoded, signature_.width, signature_.height));
    decoded_.push_back({decoded, candidate.score, candidate.class_id, candidate.anchor});
    boxes_.push_back(decoded);
    classes_.push_back(candidate.class_id);
  }
  suppress(boxes_, classes_, config_.iou_max, kept_);
  for (const std::size_t index : kept_) {
    if (objects.size() == kMostObjects) break;
    Object object = decoded_[index];
    object.box = to_image(object.box, placement, image_width, image_height);
    objects.push_back(object);
  }
  return {};
}

base::Result<void> Postprocess::read_masks(const tensor::NamedTensors& outputs, std::size_t entry,
                                           const media::Placement& placement, int image_width, int image_height,
                                           const std::vector<Object>& objects, std::vector<Mask>& masks) {
  if (!signature_.prototypes) {
    masks.clear();
    return {};
  }
  const int columns = signature_.prototype_width, rows = signature_.prototype_height;
  const auto cells = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
  SLIPWAY_ASSIGN(const HeadReader coefficients, HeadReader::over(outputs, *signature_.coefficients, signature_.batch,
                                                                 entry, static_cast<std::size_t>(signature_.anchors)));
  SLIPWAY_ASSIGN(const HeadReader prototypes,
                 HeadReader::over(outputs, *signature_.prototypes, signature_.batch, entry, cells));
  masks.resize(objects.size());
  mask_logits_.resize(cells);
  const double cell_x = static_cast<double>(columns) / signature_.width;
  const double cell_y = static_cast<double>(rows) / signature_.height;
  for (std::size_t k = 0; k < objects.size(); ++k) {
    const Box& box = objects[k].box;
    Mask& mask = masks[k];
    // Pixels whose centre lies in the box.
    mask.x = static_cast<int>(std::ceil(box.x1 - 0.5));
    mask.y = static_cast<int>(std::ceil(box.y1 - 0.5));
    mask.width = std::max(0, std::min(static_cast<int>(std::ceil(box.x2 - 0.5)), image_width) - mask.x);
    mask.height = std::max(0, std::min(static_cast<int>(std::ceil(box.y2 - 0.5)), image_height) - mask.y);
    mask.inside.assign(static_cast<std::size_t>(mask.width) * static_cast<std::size_t>(mask.height), 0);
    if (mask.inside.empty()) continue;
    const auto cell_of_x = [&](int x) { return ((x + 0.5) * placement.scale_x + placement.pad_left) * cell_x - 0.5; };
    const auto cell_of_y = [&](int y) { return ((y + 0.5) * placement.scale_y + placement.pad_top) * cell_y - 0.5; };
    const int first_column = std::clamp(static_cast<int>(std::floor(cell_of_x(mask.x))), 0, columns - 1);
    const int last_column =
        std::clamp(static_cast<int>(std::floor(cell_of_x(mask.x + mask.width))) + 1, 0, columns - 1);
    const int first_row = std::clamp(static_cast<int>(std::floor(cell_of_y(mask.y))), 0, rows - 1);
    const int last_row = std::clamp(static_cast<int>(std::floor(cell_of_y(mask.y + mask.height))) + 1, 0, rows - 1);
    for (int cy = first_row; cy <= last_row; ++cy) {
      for (int cx = first_column; cx <= last_column; ++cx) {
        const auto cell = static_cast<std::size_t>(cy * columns + cx);
        float sum = 0;
        for (int c = 0; c < signature_.prototypes->channels; ++c) {
          sum += coefficients.at(static_cast<std::size_t>(objects[k].anchor), c) * prototypes.at(cell, c);
        }
        mask_logits_[cell] = sum;
      }
    }
    std::size_t pixel = 0;
    for (int y = mask.y; y < mask.y + mask.height; ++y) {
      for (int x = mask.x; x < mask.x + mask.width; ++x) {
        mask.inside[pixel++] = interpolate(mask_logits_, columns, rows, cell_of_x(x), cell_of_y(y)) > 0 ? 1 : 0;
      }
    }
  }
  return {};
}

}  // namespace slipway::pipelines::yolov8
