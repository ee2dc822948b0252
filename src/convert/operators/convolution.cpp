#include <algorithm>
#include <array>

#include "convert/operators/internal/families.hpp"

/// Convolutions of one, two and three axes, plain and transposed.
namespace slipway::convert::operators::internal {
namespace {

struct Window {
  Integers strides, dilations, pads;  ///< pads: begins, then ends
};

/// One convolution. The input may come without a batch; it gets one and loses it again.
Tensor convolved(Call& call, Tensor x, const Tensor& weight, const Window& window, std::int64_t groups) {
  const bool has_batch = x.rank() == weight.rank();
  if (!has_batch) x = call.unsqueeze(x, {0});
  std::vector<Tensor> inputs = {x, weight};
  if (call.has("bias")) inputs.push_back(call.tensor("bias"));
  const Integers kernel(weight.shape.begin() + 2, weight.shape.end());
  const Tensor y = call.add("Conv", inputs,
                            {{"dilations", window.dilations},
                             {"group", groups},
                             {"kernel_shape", kernel},
                             {"pads", window.pads},
                             {"strides", window.strides}});
  return has_batch ? y : call.squeeze(y, {0});
}

Integers both_ends(const Integers& pads) {
  Integers both = pads;
  both.insert(both.end(), pads.begin(), pads.end());
  return both;
}

std::size_t spatial_axes(const Tensor& weight) {
  if (weight.rank() < 3) refuse("the weight must have a rank of 3 or more, found {}", weight.rank());
  return weight.shape.size() - 2;
}

Operand conv(Call& call) {
  const Tensor x = call.tensor("input"), weight = call.tensor("weight");
  const std::size_t axes = spatial_axes(weight);
  const Integers pads = call.integers("padding", axes);
  return convolved(call, x, weight, {call.integers("stride", axes), call.integers("dilation", axes), both_ends(pads)},
                   call.integer("groups"));
}

/// "same" puts the odd element at the end.
Operand conv_padded(Call& call) {
  const Tensor x = call.tensor("input"), weight = call.tensor("weight");
  const std::size_t axes = spatial_axes(weight);
  const std::string mode = call.text("padding");
  Window window{call.integers("stride", axes), call.integers("dilation", axes), Integers(2 * axes, 0)};
  if (mode == "same") {
    for (std::size_t i = 0; i < axes; ++i) {
      const std::int64_t all = window.dilations[i] * (weight.shape.at(i + 2) - 1);
      window.pads[i] = all / 2;
      window.pads[i + axes] = all - all / 2;
    }
  } else if (mode != "valid") {
    refuse("padding must be 'same' or 'valid', found '{}'", mode);
  }
  return convolved(call, x, weight, window, call.integer("groups"));
}

Tensor transposed(Call& call, Tensor x, const Tensor& weight, const Integers& padding, const Integers& further) {
  const std::size_t axes = spatial_axes(weight);
  const bool has_batch = x.rank() == weight.rank();
  if (!has_batch) x = call.unsqueeze(x, {0});
  std::vector<Tensor> inputs = {x, weight};
  if (call.has("bias")) inputs.push_back(call.tensor("bias"));
  const Integers kernel(weight.shape.begin() + 2, weight.shape.end());
  const Tensor y = call.add("ConvTranspose", inputs,
                            {{"dilations", call.integers("dilation", axes)},
                             {"group", call.integer("groups")},
                             {"kernel_shape", kernel},
                             {"output_padding", further},
                             {"pads", both_ends(padding)},
                             {"strides", call.integers("stride", axes)}});
  return has_batch ? y : call.squeeze(y, {0});
}

Operand conv_transpose(Call& call) {
  const Tensor weight = call.tensor("weight");
  const std::size_t axes = spatial_axes(weight);
  return transposed(call, call.tensor("input"), weight, call.integers("padding", axes),
                    call.integers("output_padding", axes));
}

Operand convolution(Call& call) {
  const Tensor weight = call.tensor("weight");
  const std::size_t axes = spatial_axes(weight);
  const Integers padding = call.integers("padding", axes);
  if (call.flag("transposed")) {
    return transposed(call, call.tensor("input"), weight, padding, call.integers("output_padding", axes));
  }
  return convolved(call, call.tensor("input"), weight,
                   {call.integers("stride", axes), call.integers("dilation", axes), both_ends(padding)},
                   call.integer("groups"));
}

#define SLIPWAY_CONVOLUTIONS(n)                                                                          \
  {"aten.conv" #n                                                                                        \
   "d.default(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "         \
   "int[] dilation=1, int groups=1)",                                                                    \
   conv},                                                                                                \
      {"aten.conv" #n                                                                                    \
       "d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, str padding='valid', " \
       "int[] dilation=1, int groups=1)",                                                                \
       conv_padded},

constexpr auto kConvolutionOperators = std::to_array<Operator>({
    SLIPWAY_CONVOLUTIONS(1) SLIPWAY_CONVOLUTIONS(2)
        SLIPWAY_CONVOLUTIONS(3){"aten.conv_transpose1d.default(Tensor input, Tensor weight, Tensor? bias=None, int[] "
                                "stride=1, int[] padding=0, int[] output_padding=0, int groups=1, int[] dilation=1)",
                                conv_transpose},
    {"aten.conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "
     "int[] output_padding=0, int groups=1, int[] dilation=1)",
     conv_transpose},
    {"aten.conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "
     "int[] output_padding=0, int groups=1, int[] dilation=1)",
     conv_transpose},
    {"aten.convolution.default(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, "
     "bool transposed, int[] output_padding, int groups)",
     convolution},
    {"aten._convolution.default(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] "
     "dilation, bool transposed, int[] output_padding, int groups, bool benchmark, bool deterministic, bool "
     "cudnn_enabled, bool allow_tf32)",
     convolution},
    {"aten._convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] "
     "dilation, bool transposed, int[] output_padding, int groups, bool benchmark, bool deterministic, bool "
     "cudnn_enabled)",
     convolution},
});

}  // namespace

std::span<const Operator> convolution_operators() {
  return kConvolutionOperators;
}

}  // namespace slipway::convert::operators::internal
