#include <array>
#include <cmath>

#include "convert/operators/internal/families.hpp"

/// Normalisations and softmax.
namespace slipway::convert::operators::internal {
namespace {

/// A parameter over the channels, or one constant for all of them.
Tensor channels_or(Call& call, std::string_view name, const Tensor& x, double otherwise) {
  if (call.has(name)) return call.tensor(name);
  const std::int64_t channels = x.shape.size() > 1 ? x.shape.at(1) : -1;
  if (channels < 0) refuse("the number of channels must be known; fix the sizes of the inputs (--input-spec)");
  return call.builder().full(x.dtype, {channels}, otherwise);
}

Tensor batch_normalized(Call& call, const std::string& input) {
  const Tensor x = call.tensor(input);
  if (!call.has("running_mean") || !call.has("running_var")) refuse("it has no running statistics");
  return call.add("BatchNormalization",
                  {x, channels_or(call, "weight", x, 1), channels_or(call, "bias", x, 0), call.tensor("running_mean"),
                   call.tensor("running_var")},
                  {{"epsilon", static_cast<float>(call.real("eps"))}});
}
/// By the batch's own mean and variance, as a standardisation of weights uses it.
Tensor standardized(Call& call) {
  const Tensor x = call.tensor("input");
  Integers axes = {0}, behind;
  for (std::int64_t axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  for (std::int64_t axis = 1; axis < x.rank() - 1; ++axis) behind.push_back(axis);
  const Tensor difference = call.add("Sub", {x, call.reduce("ReduceMean", x, axes, true)});
  const Tensor variance = call.reduce("ReduceMean", call.add("Mul", {difference, difference}), axes, true);
  const Tensor spread =
      call.add("Sqrt", {call.add("Add", {variance, call.builder().number(x.dtype, call.real("eps"))})});
  Tensor y = call.add("Div", {difference, spread});
  if (call.has("weight")) y = call.add("Mul", {y, call.unsqueeze(call.tensor("weight"), behind)});
  if (call.has("bias")) y = call.add("Add", {y, call.unsqueeze(call.tensor("bias"), behind)});
  return y;
}
Operand batch_norm(Call& call) {
  const bool has_statistics = call.has("running_mean") && call.has("running_var");
  if (has_statistics && call.has_parameter("training") && call.flag("training")) {
    refuse("the model was exported in training mode; call eval() before the export");
  }
  const Tensor y = has_statistics ? batch_normalized(call, "input") : standardized(call);
  return call.operator_name() == "aten.batch_norm.default" ? Operand(y) : Operands{y, aten::None{}, aten::None{}};
}

/// LayerNormalization from `axis` on; ONNX wants a scale.
Tensor layer_normalized(Call& call, const Tensor& x, std::int64_t axis, double epsilon) {
  const Shape normalized(x.shape.begin() + static_cast<std::ptrdiff_t>(axis), x.shape.end());
  std::vector<Tensor> inputs = {
      x, call.has("weight") ? call.tensor("weight") : call.builder().full(x.dtype, normalized, 1)};
  if (call.has("bias")) inputs.push_back(call.tensor("bias"));
  return call.add("LayerNormalization", inputs, {{"axis", axis - x.rank()}, {"epsilon", static_cast<float>(epsilon)}});
}
Operand layer_norm(Call& call) {
  const Tensor x = call.tensor("input");
  const auto axes = static_cast<std::int64_t>(call.integers("normalized_shape").size());
  if (axes < 1 || axes > x.rank()) refuse("'normalized_shape' holds {} sizes for a tensor of rank {}", axes, x.rank());
  const Tensor y = layer_normalized(call, x, x.rank() - axes, call.real("eps"));
  return call.operator_name() == "aten.layer_norm.default" ? Operand(y) : Operands{y, aten::None{}, aten::None{}};
}

Operand rms_norm(Call& call) {
  const Tensor x = call.tensor("input");
  const auto count = static_cast<std::int64_t>(call.integers("normalized_shape").size());
  Integers axes;
  for (std::int64_t axis = x.rank() - count; axis < x.rank(); ++axis) axes.push_back(axis);
  const double epsilon = call.has("eps") ? call.real("eps") : std::ldexp(1.0, -23);
  const Tensor mean = call.reduce("ReduceMean", call.add("Mul", {x, x}), axes, true);
  const Tensor root = call.add("Sqrt", {call.add("Add", {mean, call.builder().number(x.dtype, epsilon)})});
  const Tensor y = call.add("Div", {x, root});
  return call.has("weight") ? call.add("Mul", {y, call.tensor("weight")}) : y;
}

/// Groups of channels are normalised as instances of one, where ONNX's own operator does not reach.
Operand group_norm(Call& call) {
  const Tensor x = call.tensor("input");
  const std::int64_t groups = call.integer("num_groups");
  if (x.rank() < 2 || groups < 1) refuse("a tensor of rank 2 or more and at least 1 group are expected");
  const auto epsilon = static_cast<float>(call.real("eps"));
  const Tensor scale = channels_or(call, "weight", x, 1), shift = channels_or(call, "bias", x, 0);
  if (call.builder().opset() >= 21 && x.rank() > 2) {
    return call.add("GroupNormalization", {x, scale, shift}, {{"epsilon", epsilon}, {"num_groups", groups}});
  }
  const Tensor grouped = call.reshape(x, {x.shape.at(0), groups, -1});
  const Tensor y =
      call.add("InstanceNormalization",
               {grouped, call.builder().full(x.dtype, {groups}, 1), call.builder().full(x.dtype, {groups}, 0)},
               {{"epsilon", epsilon}});
  Integers axes = counted(x.rank() - 2);
  for (std::int64_t& axis : axes) ++axis;
  const Tensor back = call.reshape(y, x.shape);
  return call.add("Add", {call.add("Mul", {back, call.unsqueeze(scale, axes)}), call.unsqueeze(shift, axes)});
}

Operand instance_norm(Call& call) {
  const Tensor x = call.tensor("input");
  if (!call.flag("use_input_stats")) return batch_normalized(call, "input");
  return call.add("InstanceNormalization", {x, channels_or(call, "weight", x, 1), channels_or(call, "bias", x, 0)},
                  {{"epsilon", static_cast<float>(call.real("eps"))}});
}

Tensor typed(Call& call) {
  const Tensor x = call.tensor("self");
  const auto dtype = call.has_parameter("dtype") ? call.dtype("dtype") : std::nullopt;
  return call.cast(x, dtype.value_or(is_floating(x.dtype) ? x.dtype : ScalarType::kFloat32));
}
Operand softmax(Call& call) {
  const Tensor x = typed(call);
  if (x.shape.empty())
    return call.squeeze(call.add("Softmax", {call.unsqueeze(x, {0})}, {{"axis", std::int64_t{0}}}), {0});
  return call.add("Softmax", {x}, {{"axis", call.axis("dim", x.rank())}});
}
Operand log_softmax(Call& call) {
  const Tensor x = typed(call);
  if (x.shape.empty())
    return call.squeeze(call.add("LogSoftmax", {call.unsqueeze(x, {0})}, {{"axis", std::int64_t{0}}}), {0});
  return call.add("LogSoftmax", {x}, {{"axis", call.axis("dim", x.rank())}});
}

constexpr auto kNormalizationOperators = std::to_array<Operator>({
    {"aten.batch_norm.default(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, "
     "bool training, float momentum, float eps, bool cudnn_enabled)",
     batch_norm},
    {"aten._native_batch_norm_legit_no_training.default(Tensor input, Tensor? weight, Tensor? bias, Tensor "
     "running_mean, Tensor running_var, float momentum, float eps)",
     batch_norm},
    {"aten.native_batch_norm.default(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool training, float momentum, float eps)",
     batch_norm},
    {"aten.layer_norm.default(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float "
     "eps=1e-05, bool cudnn_enable=True)",
     layer_norm},
    {"aten.native_layer_norm.default(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps)",
     layer_norm},
    {"aten.rms_norm.default(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)", rms_norm},
    {"aten.group_norm.default(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
     "bool cudnn_enabled=True)",
     group_norm},
    {"aten.instance_norm.default(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled)",
     instance_norm},
    {"aten.softmax.int(Tensor self, int dim, ScalarType? dtype=None)", softmax},
    {"aten._softmax.default(Tensor self, int dim, bool half_to_float)", softmax},
    {"aten.special_softmax.default(Tensor self, int dim, ScalarType? dtype=None)", softmax},
    {"aten.log_softmax.int(Tensor self, int dim, ScalarType? dtype=None)", log_softmax},
    {"aten._log_softmax.default(Tensor self, int dim, bool half_to_float)", log_softmax},
});

}  // namespace

std::span<const Operator> normalization_operators() {
  return kNormalizationOperators;
}

}  // namespace slipway::convert::operators::internal
