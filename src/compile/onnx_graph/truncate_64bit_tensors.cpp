#include "compile/onnx_graph/truncate_64bit_tensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/graph_edit.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Result;

/// Bits name inputs: bit 0 is input 0. Inputs from the eighth on share the last bit.
using Slots = unsigned;
constexpr Slots kAllSlots = ~0U;

/// What an operator does with integers. Outputs that follow have the type of the coupled inputs.
struct IntegerRule {
  std::string_view op_type;
  std::int64_t since_opset;  ///< first version whose 32-bit form ONNX Runtime has
  Slots coupled;             ///< inputs that must share one type
  Slots group;               ///< inputs that must share another type of their own, 32 or 64 bits
  bool outputs_follow;
};

constexpr std::array kRules = {
    IntegerRule{"Abs", 7, kAllSlots, 0, true},
    IntegerRule{"Add", 7, kAllSlots, 0, true},
    IntegerRule{"Clip", 12, kAllSlots, 0, true},
    IntegerRule{"Concat", 7, kAllSlots, 0, true},
    IntegerRule{"CumSum", 11, 1U << 0, 1U << 1, true},
    IntegerRule{"Div", 7, kAllSlots, 0, true},
    IntegerRule{"Equal", 7, kAllSlots, 0, false},
    IntegerRule{"Expand", 8, 1U << 0, 0, true},
    IntegerRule{"Flatten", 9, 1U << 0, 0, true},
    IntegerRule{"Gather", 7, 1U << 0, 1U << 1, true},
    IntegerRule{"GatherElements", 11, 1U << 0, 1U << 1, true},
    IntegerRule{"GatherND", 11, 1U << 0, 0, true},
    IntegerRule{"Greater", 9, kAllSlots, 0, false},
    IntegerRule{"GreaterOrEqual", 12, kAllSlots, 0, false},
    IntegerRule{"Identity", 7, kAllSlots, 0, true},
    IntegerRule{"Less", 9, kAllSlots, 0, false},
    IntegerRule{"LessOrEqual", 12, kAllSlots, 0, false},
    IntegerRule{"Max", 12, kAllSlots, 0, true},
    IntegerRule{"Min", 12, kAllSlots, 0, true},
    IntegerRule{"Mod", 10, kAllSlots, 0, true},
    IntegerRule{"Mul", 7, kAllSlots, 0, true},
    IntegerRule{"Neg", 7, kAllSlots, 0, true},
    IntegerRule{"Range", 11, kAllSlots, 0, true},
    IntegerRule{"ReduceMax", 12, 1U << 0, 0, true},
    IntegerRule{"ReduceMin", 12, 1U << 0, 0, true},
    IntegerRule{"ReduceProd", 7, 1U << 0, 0, true},
    IntegerRule{"ReduceSum", 7, 1U << 0, 0, true},
    IntegerRule{"Reshape", 7, 1U << 0, 0, true},
    IntegerRule{"ScatterElements", 11, 1U << 0 | 1U << 2, 1U << 1, true},
    IntegerRule{"ScatterND", 11, 1U << 0 | 1U << 2, 0, true},
    IntegerRule{"Slice", 10, 1U << 0, 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4, true},
    IntegerRule{"Split", 7, 1U << 0, 0, true},
    IntegerRule{"Squeeze", 7, 1U << 0, 0, true},
    IntegerRule{"Sub", 7, kAllSlots, 0, true},
    IntegerRule{"Tile", 7, 1U << 0, 0, true},
    IntegerRule{"Transpose", 7, 1U << 0, 0, true},
    IntegerRule{"Unsqueeze", 7, 1U << 0, 0, true},
    IntegerRule{"Where", 9, 1U << 1 | 1U << 2, 0, true},
};

bool is_standard(const onnx::NodeProto& node) {
  return node.domain().empty() || node.domain() == "ai.onnx";
}

const IntegerRule* rule_for(const onnx::NodeProto& node, std::int64_t opset) {
  if (!is_standard(node)) return nullptr;
  for (const auto& rule : kRules) {
    if (rule.op_type == node.op_type()) return opset >= rule.since_opset ? &rule : nullptr;
  }
  return nullptr;
}

bool in(Slots slots, int input) {
  return ((slots >> std::min(input, 7)) & 1U) != 0;
}

onnx::AttributeProto* cast_target(onnx::NodeProto& node) {
  if (!is_standard(node) || node.op_type() != "Cast") return nullptr;
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.name() == "to") return &attribute;
  }
  return nullptr;
}

/// Which output of an operator is int64 whatever it is given; nothing for all others.
std::optional<int> index_output(const onnx::NodeProto& node) {
  if (!is_standard(node)) return std::nullopt;
  static const std::map<std::string_view, int> kOutputs = {{"ArgMax", 0}, {"ArgMin", 0}, {"NonZero", 0}, {"Shape", 0},
                                                           {"Size", 0},   {"TopK", 1},   {"MaxPool", 1}};
  const auto found = kOutputs.find(node.op_type());
  if (found == kOutputs.end() || found->second >= node.output_size()) return std::nullopt;
  return found->second;
}

class Narrowing {
 public:
  Narrowing(onnx::GraphProto& graph, std::int64_t opset) : graph_(graph), opset_(opset), names_(graph) {
    for (const auto& input : graph.input()) note_type(input);
    for (const auto& value : graph.value_info()) note_type(value);
    for (const auto& tensor : graph.initializer()) {
      if (tensor.data_type() != onnx::TensorProto::INT64) continue;
      wide_.insert(tensor.name());
      if (is_input(tensor.name())) continue;  // a default that the caller may override
      constants_[tensor.name()] = int64_values(tensor);
      dims_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
    }
  }

  int run() {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Swap(graph_.mutable_node());
    for (auto& node : nodes) rewrite(std::move(node));
    remove_unused();
    return narrowed_nodes_;
  }

 private:
  void note_type(const onnx::ValueInfoProto& value) {
    if (value.type().tensor_type().elem_type() == onnx::TensorProto::INT64) wide_.insert(value.name());
  }

  void rewrite(onnx::NodeProto node) {
    if (const auto output = index_output(node)) wide_.insert(node.output(*output));
    auto* const target = cast_target(node);
    const IntegerRule* const rule = rule_for(node, opset_);
    bool outputs_are_narrow = false;
    if (target != nullptr) {
      const bool stays_wide = reads_wide(node, kAllSlots) && !narrow_inputs(node, kAllSlots);
      outputs_are_narrow = target->i() == onnx::TensorProto::INT64 && !stays_wide;
      if (outputs_are_narrow) target->set_i(onnx::TensorProto::INT32);
    } else if (rule != nullptr) {
      narrow_inputs(node, rule->group);
      const bool is_wide = reads_wide(node, rule->coupled);
      const bool is_narrow = narrow_inputs(node, rule->coupled);
      outputs_are_narrow = is_narrow && rule->outputs_follow;
      narrowed_nodes_ += is_narrow ? 1 : 0;
      if (is_wide && rule->outputs_follow) wide_.insert(node.output().begin(), node.output().end());
    }
    std::vector<onnx::NodeProto> back;
    if (outputs_are_narrow) {
      for (auto& output : *node.mutable_output()) {
        if (output.empty()) continue;
        const std::string narrow = names_.fresh(output + "_32bit");
        back.push_back(make_cast(narrow, output, onnx::TensorProto::INT64));
        own_casts_.insert(output);
        wide_.insert(output);
        narrow_[output] = narrow;
        output = narrow;
      }
    }
    *graph_.add_node() = std::move(node);
    for (auto& cast : back) *graph_.add_node() = std::move(cast);
  }

  [[nodiscard]] bool reads_wide(const onnx::NodeProto& node, Slots slots) const {
    for (int i = 0; i < node.input_size(); ++i) {
      if (in(slots, i) && wide_.contains(node.input(i))) return true;
    }
    return false;
  }

  /// Turns the int64 inputs in these slots to int32, all or none. @return whether it did
  bool narrow_inputs(onnx::NodeProto& node, Slots slots) {
    if (!reads_wide(node, slots)) return false;
    for (int i = 0; i < node.input_size(); ++i) {
      if (!in(slots, i) || node.input(i).empty()) continue;
      if (!wide_.contains(node.input(i)) || !can_be_narrow(node.input(i))) return false;
    }
    for (int i = 0; i < node.input_size(); ++i) {
      if (in(slots, i) && !node.input(i).empty()) *node.mutable_input(i) = narrow(node.input(i));
    }
    return true;
  }

  [[nodiscard]] bool can_be_narrow(const std::string& name) const {
    const auto constant = constants_.find(name);
    if (constant == constants_.end()) return true;
    return constant->second && std::ranges::all_of(*constant->second, [](std::int64_t value) {
             return value >= std::numeric_limits<std::int32_t>::min() &&
                    value <= std::numeric_limits<std::int32_t>::max();
           });
  }

  std::string narrow(const std::string& name) {
    auto& known = narrow_[name];
    if (!known.empty()) return known;
    known = names_.fresh(name + "_32bit");
    const auto constant = constants_.find(name);
    if (constant == constants_.end()) {
      *graph_.add_node() = make_cast(name, known, onnx::TensorProto::INT32);
      return known;
    }
    auto& tensor = *graph_.add_initializer();
    tensor.set_name(known);
    tensor.set_data_type(onnx::TensorProto::INT32);
    for (const std::int64_t size : dims_[name]) tensor.add_dims(size);
    for (const std::int64_t value : *constant->second) tensor.add_int32_data(static_cast<std::int32_t>(value));
    return known;
  }

  /// Removes our Casts back to int64 that nobody reads, and constants that only had 64-bit readers.
  void remove_unused() {
    std::set<std::string> read;
    for (const auto& output : graph_.output()) read.insert(output.name());
    note_reads(graph_, read);
    auto& nodes = *graph_.mutable_node();
    nodes.erase(std::remove_if(nodes.begin(), nodes.end(),
                               [&](const onnx::NodeProto& node) {
                                 return node.op_type() == "Cast" && own_casts_.contains(node.output(0)) &&
                                        !read.contains(node.output(0));
                               }),
                nodes.end());
    auto& tensors = *graph_.mutable_initializer();
    tensors.erase(std::remove_if(tensors.begin(), tensors.end(),
                                 [&](const onnx::TensorProto& tensor) {
                                   return narrow_.contains(tensor.name()) && !read.contains(tensor.name()) &&
                                          !is_input(tensor.name());
                                 }),
                  tensors.end());
  }

  static void note_reads(const onnx::GraphProto& graph, std::set<std::string>& read) {
    for (const auto& node : graph.node()) {
      read.insert(node.input().begin(), node.input().end());
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) note_subgraph_reads(attribute.g(), read);
        for (const auto& subgraph : attribute.graphs()) note_subgraph_reads(subgraph, read);
      }
    }
  }
  static void note_subgraph_reads(const onnx::GraphProto& graph, std::set<std::string>& read) {
    for (const auto& output : graph.output()) read.insert(output.name());
    note_reads(graph, read);
  }

  [[nodiscard]] bool is_input(const std::string& name) const {
    return std::ranges::any_of(graph_.input(), [&](const auto& input) { return input.name() == name; });
  }

  onnx::GraphProto& graph_;
  const std::int64_t opset_;
  ValueNames names_;
  std::set<std::string> wide_;                 ///< values known to be int64
  std::map<std::string, std::string> narrow_;  ///< int64 value -> its int32 twin
  std::map<std::string, std::optional<std::vector<std::int64_t>>> constants_;
  std::map<std::string, std::vector<std::int64_t>> dims_;
  std::set<std::string> own_casts_;  ///< values made by Casts back to int64 that were added here
  int narrowed_nodes_ = 0;
};

}  // namespace

Result<int> truncate_64bit_tensors(Model& model) {
  SLIPWAY_ASSIGN(const std::int64_t opset, default_opset(model.proto()));
  return Narrowing(*model.proto().mutable_graph(), opset).run();
}

}  // namespace slipway::compile::onnx_graph
