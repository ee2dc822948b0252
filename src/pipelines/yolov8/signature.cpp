#include "pipelines/yolov8/signature.hpp"

#include <algorithm>

#include "pipelines/common/image_signature.hpp"
#include "pipelines/yolov8/config.hpp"

namespace slipway::pipelines::yolov8 {
namespace {

using base::Code;
using tensor::TensorSpec;

constexpr const char* kForms =
    "expected [1, 4 + classes, N]; or [1, 4, N] and [1, classes, N]; or [1, N, 4], [1, N] and integers [1, N]";

bool is_integer_class(const TensorSpec& spec) {
  if (spec.dtype == tensor::Dtype::kInt64 || spec.dtype == tensor::Dtype::kInt32) return true;
  return is_quantized_dtype(spec.dtype) && !spec.quantization &&
         (spec.name.find("class") != std::string::npos || spec.name.find("idx") != std::string::npos);
}

/// The outputs of one network, sorted by what their shapes say.
struct Outputs {
  std::optional<Head> class_index, flat_scores, prototypes;
  std::vector<Head> by_anchor;  ///< rank 3
  int prototype_width = 0, prototype_height = 0;
};

/// A rank-3 head over N anchors, channels first when both readings are possible.
std::optional<Head> head_over(std::size_t index, const TensorSpec& spec, int anchors) {
  const auto count = static_cast<std::size_t>(anchors);
  if (spec.shape.size() != 3 || (spec.shape[0] != 1 && spec.shape[0] != -1)) return std::nullopt;
  const std::int64_t a = spec.shape[1], b = spec.shape[2];
  // Corners are stored [1, N, 4] even where N would do as a number of channels.
  if ((b == anchors || b == -1) && a > 0 && !(a == anchors && b == 4)) {
    return Head{index, spec, 0, static_cast<int>(a), static_cast<int>(a), count, 1};
  }
  if ((a == anchors || a == -1) && b > 0)
    return Head{index, spec, 0, static_cast<int>(b), static_cast<int>(b), 1, static_cast<std::size_t>(b)};
  return std::nullopt;
}

base::Result<Outputs> sort_outputs(const std::vector<TensorSpec>& outputs, const Signature& signature,
                                   const std::map<std::string, tensor::Quantization>& quantization) {
  Outputs sorted;
  const int anchors = signature.anchors;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TensorSpec spec = outputs[i];
    if (const auto found = quantization.find(spec.name); found != quantization.end()) spec.quantization = found->second;
    if (is_integer_class(spec)) {
      sorted.class_index = Head{i, spec, 0, 1, 1, static_cast<std::size_t>(anchors), 1};
      continue;
    }
    SLIPWAY_TRY(complete_quantization(spec, "output", quantization));
    if (spec.shape.size() == 4) {
      const std::int64_t rows = signature.height / 4, columns = signature.width / 4;
      const bool is_first = tensor::shape_accepts(spec.shape, {1, spec.shape[1], rows, columns});
      const bool is_last = tensor::shape_accepts(spec.shape, {1, rows, columns, spec.shape[3]});
      const int channels = static_cast<int>(is_first ? spec.shape[1] : spec.shape[3]);
      if ((!is_first && !is_last) || channels < 1) {
        return base::fail(Code::kInvalidArgument, "output '{}': expected mask prototypes [1, K, {}, {}], found {}",
                          spec.name, rows, columns, tensor::to_string(spec.dtype, spec.shape));
      }
      const auto cells = static_cast<std::size_t>(rows * columns);
      sorted.prototypes =
          Head{i, spec, 0, channels, channels, is_first ? cells : 1, is_first ? 1 : static_cast<std::size_t>(channels)};
      sorted.prototype_width = static_cast<int>(columns);
      sorted.prototype_height = static_cast<int>(rows);
    } else if (tensor::shape_accepts(spec.shape, {1, anchors})) {
      sorted.flat_scores = Head{i, spec, 0, 1, 1, static_cast<std::size_t>(anchors), 1};
    } else if (const auto head = head_over(i, spec, anchors)) {
      sorted.by_anchor.push_back(*head);
    } else {
      return base::fail(Code::kInvalidArgument, "output '{}' is {}: not a YOLOv8 output for a {}x{} input (N = {}); {}",
                        spec.name, tensor::to_string(spec.dtype, spec.shape), signature.width, signature.height,
                        anchors, kForms);
    }
  }
  return sorted;
}

/// Takes the head with so many channels out of the list.
std::optional<Head> extract(std::vector<Head>& heads, int channels) {
  const auto found = std::ranges::find(heads, channels, &Head::channels);
  if (found == heads.end()) return std::nullopt;
  Head head = *found;
  heads.erase(found);
  return head;
}

/// Channels [first, first + count) of a joined head.
Head part_of(const Head& joined, int first, int count) {
  Head part = joined;
  part.first_channel = first;
  part.channels = count;
  return part;
}

}  // namespace

base::Result<Signature> read_signature(const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& given,
                                       const std::map<std::string, tensor::Quantization>& quantization, int batch) {
  Signature signature;
  SLIPWAY_ASSIGN(ImageTensor image, read_image_input(inputs, 3, kSidesDivideBy, 640, 640, quantization, batch));
  SLIPWAY_ASSIGN(const std::vector<TensorSpec> outputs, outputs_of_one(given, batch));
  signature.batch = batch;
  signature.input = std::move(image.spec);
  signature.layout = image.layout;
  signature.width = image.width;
  signature.height = image.height;
  for (const int stride : {8, 16, 32}) signature.anchors += (signature.height / stride) * (signature.width / stride);

  SLIPWAY_ASSIGN(Outputs sorted, sort_outputs(outputs, signature, quantization));
  const auto refuse = [&] {
    return base::fail(Code::kInvalidArgument,
                      "the outputs are {}: {} with N = {} for a {}x{} input: not a YOLOv8 network", list_of(outputs),
                      kForms, signature.anchors, signature.width, signature.height);
  };
  const int mask_channels = sorted.prototypes ? sorted.prototypes->channels : 0;
  signature.prototypes = sorted.prototypes;
  signature.prototype_width = sorted.prototype_width;
  signature.prototype_height = sorted.prototype_height;

  if (sorted.by_anchor.size() == 1 && !sorted.flat_scores) {
    const Head& joined = sorted.by_anchor.front();
    signature.class_count = joined.channels - 4 - mask_channels;
    if (signature.class_count < 1 || sorted.class_index) return refuse();
    signature.box = part_of(joined, 0, 4);
    signature.score = part_of(joined, 4, signature.class_count);
    if (mask_channels > 0) signature.coefficients = part_of(joined, 4 + signature.class_count, mask_channels);
    return signature;
  }
  const auto box = extract(sorted.by_anchor, 4);
  if (!box) return refuse();
  signature.box = *box;
  if (sorted.flat_scores) {
    if (!sorted.class_index) return refuse();
    signature.box_form = BoxForm::kCorners;
    signature.score = *sorted.flat_scores;
    signature.class_index = sorted.class_index;
    if (mask_channels > 0) signature.coefficients = extract(sorted.by_anchor, mask_channels);
  } else {
    // The coefficients come after the scores where both have as many channels.
    if (mask_channels > 0 && sorted.by_anchor.size() == 2) {
      std::ranges::reverse(sorted.by_anchor);
      signature.coefficients = extract(sorted.by_anchor, mask_channels);
    }
    if (sorted.by_anchor.empty()) return refuse();
    signature.score = sorted.by_anchor.front();
    signature.class_count = signature.score.channels;
    sorted.by_anchor.erase(sorted.by_anchor.begin());
  }
  if (!sorted.by_anchor.empty() || (mask_channels > 0) != signature.coefficients.has_value()) return refuse();
  return signature;
}

}  // namespace slipway::pipelines::yolov8
