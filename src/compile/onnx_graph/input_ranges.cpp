#include "compile/onnx_graph/input_ranges.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>

#include <onnx.pb.h>

#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

/// What an operator takes at one of its inputs.
enum class Meaning {
  kSame,       ///< its first output holds the same values
  kIndex,      ///< rows of the table at another input, along the attribute "axis"
  kDepth,      ///< a class below the number at another input
  kTruth,      ///< 0 or 1
  kCount,      ///< sizes, repeats, a number of results
  kSubtrahend  ///< a mask when it is taken from the constant 1
};

struct Reader {
  std::string_view op_type;
  int input;
  Meaning meaning;
  int other = 0;  ///< the input that holds the table, the depth or the minuend
};

constexpr std::array kReaders = {
    Reader{"Identity", 0, Meaning::kSame},
    Reader{"Cast", 0, Meaning::kSame},
    Reader{"Reshape", 0, Meaning::kSame},
    Reader{"Flatten", 0, Meaning::kSame},
    Reader{"Squeeze", 0, Meaning::kSame},
    Reader{"Unsqueeze", 0, Meaning::kSame},
    Reader{"Transpose", 0, Meaning::kSame},
    Reader{"Expand", 0, Meaning::kSame},
    Reader{"Slice", 0, Meaning::kSame},
    Reader{"Tile", 0, Meaning::kSame},
    Reader{"Split", 0, Meaning::kSame},
    Reader{"Gather", 1, Meaning::kIndex, 0},
    Reader{"GatherElements", 1, Meaning::kIndex, 0},
    Reader{"GatherND", 1, Meaning::kIndex, 0},
    Reader{"ScatterElements", 1, Meaning::kIndex, 0},
    Reader{"ScatterND", 1, Meaning::kIndex, 0},
    Reader{"EmbedLayerNormalization", 0, Meaning::kIndex, 2},
    Reader{"EmbedLayerNormalization", 1, Meaning::kIndex, 4},
    Reader{"EmbedLayerNormalization", 7, Meaning::kTruth},
    Reader{"OneHot", 0, Meaning::kDepth, 1},
    Reader{"Where", 0, Meaning::kTruth},
    Reader{"If", 0, Meaning::kTruth},
    Reader{"Not", 0, Meaning::kTruth},
    Reader{"And", 0, Meaning::kTruth},
    Reader{"And", 1, Meaning::kTruth},
    Reader{"Or", 0, Meaning::kTruth},
    Reader{"Or", 1, Meaning::kTruth},
    Reader{"Sub", 1, Meaning::kSubtrahend, 0},
    Reader{"Reshape", 1, Meaning::kCount},
    Reader{"Expand", 1, Meaning::kCount},
    Reader{"Tile", 1, Meaning::kCount},
    Reader{"TopK", 1, Meaning::kCount},
    Reader{"ConstantOfShape", 0, Meaning::kCount},
    Reader{"Range", 1, Meaning::kCount},
    Reader{"Loop", 0, Meaning::kCount},
};

constexpr InputRange kTruths{.lowest = 0, .highest = 1};
constexpr InputRange kOne{.lowest = 1, .highest = 1};

std::int64_t attribute_or(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return otherwise;
}

/// The range of the integers that a quantised tensor of this element type holds.
std::optional<InputRange> integers_of(int element_type) {
  switch (element_type) {
    case onnx::TensorProto::UINT8:
      return InputRange{.lowest = 0, .highest = 255};
    case onnx::TensorProto::INT8:
      return InputRange{.lowest = -128, .highest = 127};
    case onnx::TensorProto::UINT16:
      return InputRange{.lowest = 0, .highest = 65535};
    case onnx::TensorProto::INT16:
      return InputRange{.lowest = -32768, .highest = 32767};
    default:
      return std::nullopt;
  }
}

class Readers {
 public:
  explicit Readers(const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) {
      constants_[tensor.name()] = &tensor;
      shapes_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
    }
    const auto add_shape = [&](const onnx::ValueInfoProto& value) {
      if (const auto spec = spec_of(value); spec && spec->has_rank) shapes_.emplace(value.name(), spec->shape);
    };
    for (const auto& value : graph.value_info()) add_shape(value);
    for (const auto& value : graph.input()) add_shape(value);
    for (const auto& node : graph.node()) {
      for (int i = 0; i < node.input_size(); ++i) readers_[node.input(i)].emplace_back(&node, i);
    }
  }

  [[nodiscard]] std::optional<InputRange> of(const std::string& input) const {
    std::optional<InputRange> narrowest;
    std::set<std::string> visited{input};
    std::vector<std::string> same{input};  // values that hold what the input holds
    while (!same.empty()) {
      const std::string value = std::move(same.back());
      same.pop_back();
      const auto readers = readers_.find(value);
      if (readers == readers_.end()) continue;
      for (const auto& [node, at] : readers->second) {
        const auto row = std::ranges::find_if(kReaders, [&, node = node, at = at](const Reader& candidate) {
          return candidate.op_type == node->op_type() && candidate.input == at;
        });
        if (row != kReaders.end() && row->meaning == Meaning::kSame) {
          for (const auto& output : node->output()) {
            if (visited.insert(output).second) same.push_back(output);
          }
          if (node->op_type() != "Cast" || attribute_or(*node, "to", 0) != onnx::TensorProto::BOOL) continue;
        }
        const auto allowed = allowed_by(*node, at, row == kReaders.end() ? nullptr : &*row);
        if (!allowed) continue;
        if (!narrowest) narrowest = allowed;
        narrowest->lowest = std::max(narrowest->lowest, allowed->lowest);
        narrowest->highest = std::min(narrowest->highest, allowed->highest);
      }
    }
    if (narrowest && narrowest->lowest > narrowest->highest) return std::nullopt;
    return narrowest;
  }

 private:
  [[nodiscard]] std::optional<InputRange> allowed_by(const onnx::NodeProto& node, int at, const Reader* row) const {
    if (node.op_type() == "QuantizeLinear" && at == 0) return range_of_quantization(node);
    if (row == nullptr) return std::nullopt;
    switch (row->meaning) {
      case Meaning::kSame:  // a Cast to bool
      case Meaning::kTruth:
        return kTruths;
      case Meaning::kCount:
        return kOne;
      case Meaning::kIndex:
        return rows_of(node, *row);
      case Meaning::kDepth:
        return below(number_at(node, row->other));
      case Meaning::kSubtrahend:
        return number_at(node, row->other) == 1.0 ? std::optional(kTruths) : std::nullopt;
    }
    return std::nullopt;
  }

  [[nodiscard]] static std::optional<InputRange> below(std::optional<double> count) {
    if (!count || *count < 1) return std::nullopt;
    return InputRange{.lowest = 0, .highest = *count - 1};
  }

  [[nodiscard]] std::optional<double> number_at(const onnx::NodeProto& node, int input) const {
    if (input >= node.input_size()) return std::nullopt;
    const auto found = constants_.find(node.input(input));
    return found == constants_.end() ? std::nullopt : scalar_value(*found->second);
  }

  [[nodiscard]] std::optional<InputRange> rows_of(const onnx::NodeProto& node, const Reader& row) const {
    if (row.other >= node.input_size()) return std::nullopt;
    const auto found = shapes_.find(node.input(row.other));
    if (found == shapes_.end() || found->second.empty()) return std::nullopt;
    const tensor::Shape& shape = found->second;
    // An index of several numbers goes along several axes; the shortest of them allows what all allow.
    if (row.op_type.ends_with("ND")) return below(static_cast<double>(*std::ranges::min_element(shape)));
    const std::int64_t axis = attribute_or(node, "axis", 0);
    const std::int64_t place = axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis;
    if (place < 0 || place >= static_cast<std::int64_t>(shape.size())) return std::nullopt;
    return below(static_cast<double>(shape[static_cast<std::size_t>(place)]));
  }

  [[nodiscard]] std::optional<InputRange> range_of_quantization(const onnx::NodeProto& node) const {
    const auto scale = number_at(node, 1);
    if (!scale) return std::nullopt;
    int element_type = static_cast<int>(attribute_or(node, "output_dtype", onnx::TensorProto::UINT8));
    double zero_point = 0;
    if (node.input_size() > 2 && !node.input(2).empty()) {
      const auto found = constants_.find(node.input(2));
      const auto number = number_at(node, 2);
      if (found == constants_.end() || !number) return std::nullopt;
      element_type = found->second->data_type();
      zero_point = *number;
    }
    const auto integers = integers_of(element_type);
    if (!integers) return std::nullopt;
    return InputRange{.lowest = (integers->lowest - zero_point) * *scale,
                      .highest = (integers->highest - zero_point) * *scale};
  }

  std::map<std::string, const onnx::TensorProto*> constants_;
  std::map<std::string, tensor::Shape> shapes_;
  std::map<std::string, std::vector<std::pair<const onnx::NodeProto*, int>>> readers_;
};

}  // namespace

std::vector<std::optional<InputRange>> input_ranges(const Model& model) {
  const Readers readers(model.proto().graph());
  std::vector<std::optional<InputRange>> ranges;
  for (const auto* input : inputs_without_initializers(model.proto().graph())) {
    // The same inputs, in the same order, as ModelSummary lists.
    if (spec_of(*input)) ranges.push_back(readers.of(input->name()));
  }
  return ranges;
}

}  // namespace slipway::compile::onnx_graph
