#include "pipelines/common/image_signature.hpp"

namespace slipway::pipelines {

using base::Code;
using tensor::TensorSpec;

base::Result<void> complete_quantization(TensorSpec& spec, std::string_view role,
                                         const std::map<std::string, tensor::Quantization>& quantization) {
  if (spec.dtype == tensor::Dtype::kFloat32 || spec.dtype == tensor::Dtype::kFloat16) return {};
  if (!is_quantized_dtype(spec.dtype)) {
    return base::fail(Code::kInvalidArgument,
                      "{} '{}': expected float32, float16, uint8, int8, uint16 or int16, found {}", role, spec.name,
                      tensor::to_string(spec.dtype, spec.shape));
  }
  if (const auto found = quantization.find(spec.name); found != quantization.end()) spec.quantization = found->second;
  if (spec.quantization) return {};
  return base::fail(Code::kInvalidArgument,
                    "{} '{}' is {}: its scale and zero point are needed; neither the model nor a model.yaml says them",
                    role, spec.name, tensor::dtype_name(spec.dtype));
}

base::Result<std::vector<TensorSpec>> outputs_of_one(std::vector<TensorSpec> outputs, int batch) {
  for (TensorSpec& output : outputs) {
    if (output.shape.empty()) continue;
    if (output.shape[0] != batch && output.shape[0] != -1) {
      return base::fail(Code::kInvalidArgument, "output '{}': expected a batch of {} or a dynamic one, found {}",
                        output.name, batch, tensor::to_string(output.dtype, output.shape));
    }
    output.shape[0] = 1;
  }
  return outputs;
}

std::string list_of(const std::vector<TensorSpec>& specs) {
  std::string text;
  for (const TensorSpec& spec : specs) {
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", spec.name, tensor::to_string(spec.dtype, spec.shape));
  }
  return text.empty() ? "none" : text;
}

base::Result<ImageTensor> read_image_input(const std::vector<TensorSpec>& inputs, int channels, int sides_divide_by,
                                           int default_width, int default_height,
                                           const std::map<std::string, tensor::Quantization>& quantization, int batch) {
  constexpr std::int64_t kLongestSide = 8192;
  const std::string_view kind = channels == 1 ? "a grey picture" : "a picture";
  if (inputs.size() != 1) {
    return base::fail(Code::kInvalidArgument, "expected one input, {} [1, {}, {}, {}]; found {}", kind, channels,
                      default_height, default_width, list_of(inputs));
  }
  ImageTensor image{.spec = inputs[0], .layout = media::Layout::kNchw, .width = 0, .height = 0};
  tensor::Shape& shape = image.spec.shape;
  const auto refuse = [&] {
    return base::fail(Code::kInvalidArgument, "input '{}': expected {} [1, {}, H, W] or [1, H, W, {}]{}, found {}",
                      inputs[0].name, kind, channels, channels,
                      sides_divide_by > 1 ? fmt::format(" with sides that are multiples of {}", sides_divide_by) : "",
                      tensor::to_string(inputs[0].dtype, inputs[0].shape));
  };
  if (shape.size() != 4) return refuse();
  const bool is_channel_last = shape[1] != channels && shape[3] == channels;
  if (!is_channel_last && shape[1] != channels) return refuse();
  if (is_channel_last) image.layout = media::Layout::kNhwc;
  if (shape[0] != batch && shape[0] != -1) {
    return base::fail(
        Code::kInvalidArgument,
        "input '{}': expected a batch of {} or a dynamic one, found {}: give that many, or export with a dynamic batch",
        inputs[0].name, batch, tensor::to_string(inputs[0].dtype, inputs[0].shape));
  }
  image.is_batch_free = shape[0] == -1;
  shape[0] = batch;
  std::int64_t& height = shape[is_channel_last ? 1 : 2];
  std::int64_t& width = shape[is_channel_last ? 2 : 3];
  if (height == -1) height = default_height;
  if (width == -1) width = default_width;
  for (const std::int64_t side : {height, width}) {
    if (side < sides_divide_by || side > kLongestSide || side % sides_divide_by != 0) return refuse();
  }
  SLIPWAY_TRY(complete_quantization(image.spec, "input", quantization));
  image.width = static_cast<int>(width);
  image.height = static_cast<int>(height);
  return image;
}

}  // namespace slipway::pipelines
