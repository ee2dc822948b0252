#include "quantize/write_qdq.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "quantize/bias_correction.hpp"
#include "quantize/weights.hpp"

#include "compile/onnx_graph/element_type.hpp"

namespace slipway::quantize {

using compile::onnx_graph::element_type_of_dtype;
using compile::onnx_graph::Node;
using compile::onnx_graph::Rewriter;
using compile::onnx_graph::TensorBytes;
using compile::onnx_graph::Value;
using tensor::Dtype;

namespace {

constexpr std::int64_t kOpsetOfChannels = 13, kOpsetOf16Bits = 21;
constexpr std::string_view kRuntimeDomain = "com.microsoft";

/// A bias beyond this many steps would leave 32 bits, or leave no room for what is added to it.
constexpr double kMostBiasSteps = 1LL << 30;

class Writer {
 public:
  Writer(Rewriter& graph, const Choice& choice, const Encodings& encodings, const Calibration& calibration,
         const Options& options, std::int64_t opset)
      : graph_(graph),
        choice_(choice),
        encodings_(encodings),
        calibration_(calibration),
        options_(options),
        domain_(pair_domain(opset, options.activations)) {}

  std::vector<EncodedParameter> write() {
    if (!domain_.empty()) graph_.import_domain(domain_, 1);
    for (const auto& chosen : choice_.nodes) write_parameters(chosen);
    remove_clips();
    for (Value* value : choice_.activations) write_activation(*value);
    for (Value* value : choice_.constants) write_constant(*value);
    for (Value* value : replaced_) graph_.remove_if_unused(*value);
    return std::move(parameters_);
  }

 private:
  struct Grid {
    Value* scale;
    Value* zero_point;
  };

  const EncodedTensor* encoded(const Value* value) const {
    if (value == nullptr) return nullptr;
    const auto found = encodings_.tensors.find(value);
    return found == encodings_.tensors.end() ? nullptr : &found->second;
  }

  template <typename T>
  Value& add_constant(const std::string& name, Dtype dtype, const tensor::Shape& shape, std::span<const T> numbers) {
    return graph_.add_initializer(
        graph_.main(), name,
        TensorBytes{.element_type = element_type_of_dtype(dtype), .shape = shape, .bytes = std::as_bytes(numbers)});
  }

  Grid grid_of(const std::string& name, const Encoding& encoding) {
    Value& scale = add_constant<float>(name + "_scale", Dtype::kFloat32, {}, std::span(&encoding.scale, 1));
    // Little-endian, so the first bytes are the number in each of the four types.
    const std::int64_t zero_point = encoding.zero_point;
    const auto bytes =
        std::as_bytes(std::span(&zero_point, 1)).first(tensor::dtype_size_bytes(dtype_of(encoding.type)));
    Value& zero = graph_.add_initializer(
        graph_.main(), name + "_zero_point",
        TensorBytes{.element_type = element_type_of_dtype(dtype_of(encoding.type)), .shape = {}, .bytes = bytes});
    return {&scale, &zero};
  }

  Node& add_pair_node(const char* op_type, Value& input, const Grid& grid, const std::string& output,
                      std::optional<std::int64_t> axis = std::nullopt) {
    compile::onnx_graph::Attributes attributes;
    if (axis) attributes.emplace_back("axis", *axis);
    return graph_.add_node(graph_.main(), op_type, {&input, grid.scale, grid.zero_point}, {output}, attributes, {},
                           domain_);
  }

  // Weights and biases. --------------------------------------------------------------------------------------------
  void write_parameters(const Choice::ChosenNode& chosen) {
    Value* const weight = weight_of(chosen);
    if (weight == nullptr || !weight->floats()) return;
    Node& node = *chosen.node;
    const std::vector<float> numbers = weight->floats().value();
    if (numbers.empty()) return;
    Value* const bias = bias_of(chosen);
    const auto* const input = encoded(node.input(0));
    const auto axis = channel_axis(node, *weight->type().shape);
    std::vector<float> biases;
    if (bias != nullptr && input != nullptr) biases = bias->floats().value_or(std::vector<float>{});
    const double input_scale = input != nullptr ? static_cast<double>(input->encoding.scale) : 1;
    const auto smallest = biases.empty() ? std::vector<double>{} : smallest_scales(biases, *weight, axis, input_scale);
    const QuantizedWeights quantized = quantize_weights(numbers, *weight->type().shape, axis, smallest);
    write_weight(node, *weight, quantized);
    if (options_.corrects_biases && input != nullptr) correct(node, *weight, numbers, quantized, biases);
    if (biases.empty()) return;
    write_bias(node, bias != nullptr ? bias->name() : node.output(0)->name() + "_bias", biases, quantized, input_scale);
    if (bias != nullptr) replaced_.push_back(bias);
  }

  /// Takes from the biases what rounding the weights added to the mean; a node without a bias gets one.
  void correct(const Node& node, const Value& weight, std::span<const float> numbers, const QuantizedWeights& quantized,
               std::vector<float>& biases) const {
    if (node.input(2) != nullptr && biases.empty()) return;  // it is not constant
    const auto means = calibration_.channels.find(node.input(0)->name());
    if (means == calibration_.channels.end() || !input_channel_axis(node)) return;
    const auto shift = mean_shift(node, numbers, *weight.type().shape, quantized, means->second.means());
    if (biases.empty()) biases.assign(shift.size(), 0);
    if (biases.size() != shift.size()) return;
    for (std::size_t i = 0; i < shift.size(); ++i) biases[i] -= static_cast<float>(shift[i]);
  }

  /// So that each channel's bias is a number of steps that has room in 32 bits.
  static std::vector<double> smallest_scales(std::span<const float> numbers, const Value& weight,
                                             std::optional<std::int64_t> axis, double input_scale) {
    const ChannelOrder order(*weight.type().shape, axis);
    std::vector<double> smallest(order.channels, 0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      double& scale = smallest[i % smallest.size()];
      scale = std::max(scale, std::abs(static_cast<double>(numbers[i])) / (input_scale * kMostBiasSteps));
    }
    return smallest;
  }

  void write_weight(Node& node, Value& weight, const QuantizedWeights& quantized) {
    const std::string name = weight.name();
    Value& numbers =
        add_constant<std::int8_t>(name + "_quantized", Dtype::kInt8, *weight.type().shape, quantized.numbers);
    const auto channels = static_cast<std::int64_t>(quantized.scales.size());
    const tensor::Shape shape = quantized.axis ? tensor::Shape{channels} : tensor::Shape{};
    const std::vector<std::int8_t> zeros(quantized.scales.size(), 0);
    const Grid grid{&add_constant<float>(name + "_scale", Dtype::kFloat32, shape, quantized.scales),
                    &add_constant<std::int8_t>(name + "_zero_point", Dtype::kInt8, shape, zeros)};
    Value* const real =
        add_pair_node("DequantizeLinear", numbers, grid, name + "_dequantized", quantized.axis).output(0);
    graph_.set_input(node, 1, real);
    replaced_.push_back(&weight);
    parameters_.push_back({.name = name,
                           .type = "int8",
                           .channels = quantized.scales.size(),
                           .bytes_before = quantized.numbers.size() * sizeof(float),
                           .bytes_after = quantized.numbers.size()});
  }

  void write_bias(Node& node, const std::string& name, std::span<const float> numbers,
                  const QuantizedWeights& quantized, double input_scale) {
    std::vector<float> scales(quantized.scales.size());
    std::vector<std::int32_t> steps(numbers.size());
    for (std::size_t i = 0; i < scales.size(); ++i) {
      scales[i] = static_cast<float>(input_scale * static_cast<double>(quantized.scales[i]));
    }
    // A grouped ConvTranspose has the channels of each group one after the other.
    if (scales.size() > 1) {
      const std::size_t own = scales.size();
      scales.resize(numbers.size());
      for (std::size_t i = own; i < scales.size(); ++i) scales[i] = scales[i % own];
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double exact =
          std::nearbyint(static_cast<double>(numbers[i]) / static_cast<double>(scales[i % scales.size()]));
      constexpr double kLargestInt32 = std::numeric_limits<std::int32_t>::max();
      steps[i] = static_cast<std::int32_t>(std::clamp(exact, -kLargestInt32, kLargestInt32));
    }
    const bool has_channels = scales.size() > 1;
    const tensor::Shape shape =
        has_channels ? tensor::Shape{static_cast<std::int64_t>(scales.size())} : tensor::Shape{};
    Value& stored = add_constant<std::int32_t>(name + "_quantized", Dtype::kInt32,
                                               {static_cast<std::int64_t>(numbers.size())}, steps);
    const std::vector<std::int32_t> zeros(scales.size(), 0);
    const Grid grid{&add_constant<float>(name + "_scale", Dtype::kFloat32, shape, scales),
                    &add_constant<std::int32_t>(name + "_zero_point", Dtype::kInt32, shape, zeros)};
    const auto axis = has_channels ? std::optional<std::int64_t>(0) : std::nullopt;
    graph_.set_input(node, 2, add_pair_node("DequantizeLinear", stored, grid, name + "_dequantized", axis).output(0));
    parameters_.push_back({.name = name,
                           .type = "int32",
                           .channels = scales.size(),
                           .bytes_before = numbers.size() * sizeof(float),
                           .bytes_after = numbers.size() * sizeof(std::int32_t)});
  }

  // Activations. ---------------------------------------------------------------------------------------------------
  void remove_clips() {
    for (Node* node : encodings_.needless_clips) {
      Value& before = *node->input(0);
      Value& after = *node->output(0);
      if (after.is_output()) continue;  // a pair follows it anyway, and its name is the caller's
      const std::string name = after.name();
      const auto limits = std::vector<Value*>(node->inputs().begin() + 1, node->inputs().end());
      graph_.redirect_uses(after, before);
      graph_.remove(*node);
      graph_.rename(before, name);
      moved_.emplace(&after, &before);
      for (Value* limit : limits) {
        if (limit != nullptr) replaced_.push_back(limit);
      }
    }
  }

  void write_activation(Value& value) {
    const auto* const tensor = encoded(&value);
    if (tensor == nullptr) return;
    // What a clip gave, the node before it gives now.
    const auto moved = moved_.find(&value);
    Value& real = moved == moved_.end() ? value : *moved->second;
    const Grid grid = grid_of(tensor->name, tensor->encoding);
    if (real.is_input()) return write_input(real, tensor->encoding, grid);
    real.is_output() ? write_output(real, tensor->encoding, grid) : write_pair(real, grid);
  }

  void write_pair(Value& real, const Grid& grid) {
    Node& quantize = add_pair_node("QuantizeLinear", real, grid, real.name() + "_quantized");
    Node& dequantize = add_pair_node("DequantizeLinear", *quantize.output(0), grid, real.name() + "_dequantized");
    graph_.redirect_uses(real, *dequantize.output(0), &quantize);
  }

  void write_input(Value& real, const Encoding& encoding, const Grid& grid) {
    if (!options_.quantizes_io || real.is_output()) return write_pair(real, grid);
    Node& dequantize = add_pair_node("DequantizeLinear", real, grid, real.name() + "_dequantized");
    graph_.redirect_uses(real, *dequantize.output(0), &dequantize);
    graph_.set_type(real, {element_type_of_dtype(dtype_of(encoding.type)), real.type().shape});
  }

  void write_output(Value& real, const Encoding& encoding, const Grid& grid) {
    const std::string name = real.name();
    auto type = real.type();
    std::vector<std::size_t> places;
    const auto& outputs = graph_.main().outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] == &real) places.push_back(i);
    }
    graph_.release_name(name, graph_.main());
    const bool ends_quantized = options_.quantizes_io;
    Node& quantize = add_pair_node("QuantizeLinear", real, grid, ends_quantized ? name : name + "_quantized");
    Node& dequantize =
        add_pair_node("DequantizeLinear", *quantize.output(0), grid, ends_quantized ? name + "_dequantized" : name);
    graph_.redirect_uses(real, *dequantize.output(0), &quantize);
    Value& made = *(ends_quantized ? quantize : dequantize).output(0);
    if (ends_quantized) type.element_type = element_type_of_dtype(dtype_of(encoding.type));
    for (const std::size_t place : places) graph_.set_output(graph_.main(), place, made);
    graph_.set_type(made, type);
  }

  void write_constant(Value& value) {
    const auto* const tensor = encoded(&value);
    if (tensor == nullptr) return;
    const auto numbers = value.floats().value();
    const Encoding& encoding = tensor->encoding;
    const Range held = encoding.range();
    const std::size_t size = tensor::dtype_size_bytes(dtype_of(encoding.type));
    std::vector<std::byte> bytes(numbers.size() * size);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double real = std::clamp(static_cast<double>(numbers[i]), held.lowest, held.highest);
      const auto stored =
          static_cast<std::int64_t>(std::nearbyint(real / static_cast<double>(encoding.scale))) + encoding.zero_point;
      std::memcpy(bytes.data() + i * size, &stored, size);
    }
    const std::string name = value.name();
    Value& stored = graph_.add_initializer(graph_.main(), name + "_quantized",
                                           TensorBytes{.element_type = element_type_of_dtype(dtype_of(encoding.type)),
                                                       .shape = *value.type().shape,
                                                       .bytes = bytes});
    Value* const real =
        add_pair_node("DequantizeLinear", stored, grid_of(name, encoding), name + "_dequantized").output(0);
    // Where it is data; another node may read the same constant as a shape or a limit.
    for (const auto& [node, rule] : choice_.nodes) {
      for (const std::size_t input : data_inputs(*rule, *node)) {
        if (node->input(input) == &value) graph_.set_input(*node, input, real);
      }
    }
    replaced_.push_back(&value);
    parameters_.push_back({.name = name,
                           .type = std::string(type_name(encoding.type)),
                           .channels = 1,
                           .bytes_before = numbers.size() * sizeof(float),
                           .bytes_after = bytes.size()});
  }

  Rewriter& graph_;
  const Choice& choice_;
  const Encodings& encodings_;
  const Calibration& calibration_;
  const Options& options_;
  const std::string domain_;
  std::map<const Value*, Value*> moved_;
  std::vector<Value*> replaced_;
  std::vector<EncodedParameter> parameters_;
};

}  // namespace

std::string pair_domain(std::int64_t opset, ActivationType type) {
  const std::int64_t needed = bits_of(type) > 8 ? kOpsetOf16Bits : kOpsetOfChannels;
  return opset < needed ? std::string(kRuntimeDomain) : "";
}

std::vector<EncodedParameter> write_qdq(Rewriter& graph, const Choice& choice, const Encodings& encodings,
                                        const Calibration& calibration, const Options& options, std::int64_t opset) {
  return Writer(graph, choice, encodings, calibration, options, opset).write();
}

}  // namespace slipway::quantize
