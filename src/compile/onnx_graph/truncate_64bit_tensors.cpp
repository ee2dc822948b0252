#include "compile/onnx_graph/truncate_64bit_tensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/rewriter.hpp"

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
    // Range is not here: its 32-bit form is refused when a bound comes from a Shape, since what ONNX's own inference
    // follows of sizes has 64 bits.
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

const IntegerRule* rule_for(const Node& node, std::int64_t opset) {
  if (!node.is_standard()) return nullptr;
  const auto* const rule = std::ranges::find(kRules, node.op_type(), &IntegerRule::op_type);
  return rule == kRules.end() || opset < rule->since_opset ? nullptr : rule;
}

bool in(Slots slots, std::size_t input) {
  return ((slots >> std::min<std::size_t>(input, 7)) & 1U) != 0;
}

const int kWide = element_type_of_dtype(tensor::Dtype::kInt64);
const int kNarrow = element_type_of_dtype(tensor::Dtype::kInt32);

class Narrowing {
 public:
  Narrowing(Rewriter& rewriter, std::int64_t opset) : rewriter_(rewriter), opset_(opset), inferred_(rewriter) {}

  int run() {
    const std::vector<Node*> nodes = rewriter_.main().nodes();
    for (Node* node : nodes) narrow(*node);
    for (Value* value : replaced_) rewriter_.remove_if_unused(*value);
    return narrowed_nodes_;
  }

 private:
  void narrow(Node& node) {
    if (node.is("Cast")) {
      if (is_widening(node)) {  // its input is the 32-bit twin already
        narrow_[node.output(0)] = node.input(0);
        replaced_.push_back(node.output(0));
        return;
      }
      const bool stays_wide = reads_wide(node, kAllSlots) && !narrow_inputs(node, kAllSlots);
      if (node.integer("to") != kWide || stays_wide) return;
      node.set_attribute("to", std::int64_t{kNarrow});
      return widen_outputs(node);
    }
    const IntegerRule* const rule = rule_for(node, opset_);
    if (rule == nullptr) return;
    narrow_inputs(node, rule->group);
    if (!narrow_inputs(node, rule->coupled)) return;
    ++narrowed_nodes_;
    if (rule->outputs_follow) widen_outputs(node);
  }

  [[nodiscard]] bool is_widening(const Node& node) const {
    return node.integer("to") == kWide && node.input(0) != nullptr && node.output(0) != nullptr &&
           inferred_.type(*node.input(0)).element_type == kNarrow;
  }

  /// The node gives 32 bits now: a Cast back stands before whoever wants 64.
  void widen_outputs(Node& node) {
    const std::vector<Value*> outputs = node.outputs();
    for (Value* output : outputs) {
      if (output == nullptr) continue;
      const ValueType wide = {kWide, inferred_.type(*output).shape};
      Node& cast =
          rewriter_.insert_under_name(*output, "Cast", output->name() + "_32bit", {{"to", std::int64_t{kWide}}});
      Value& widened = *cast.output(0);
      rewriter_.redirect_uses(*output, widened, &cast);
      rewriter_.set_type(*output, {kNarrow, wide.shape});
      rewriter_.set_type(widened, wide);
      narrow_[&widened] = output;
      replaced_.push_back(&widened);
    }
  }

  [[nodiscard]] bool is_wide(const Value& value) const { return inferred_.type(value).element_type == kWide; }

  [[nodiscard]] bool reads_wide(const Node& node, Slots slots) const {
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      if (in(slots, i) && node.inputs()[i] != nullptr && is_wide(*node.inputs()[i])) return true;
    }
    return false;
  }

  /// Turns the int64 inputs in these slots to int32, all or none. @return whether it did
  bool narrow_inputs(Node& node, Slots slots) {
    if (!reads_wide(node, slots)) return false;
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      if (!in(slots, i) || node.inputs()[i] == nullptr) continue;
      if (!is_wide(*node.inputs()[i]) || !can_be_narrow(*node.inputs()[i])) return false;
    }
    for (std::size_t i = 0; i < node.inputs().size(); ++i) {
      if (in(slots, i) && node.inputs()[i] != nullptr) rewriter_.set_input(node, i, &narrow_twin(*node.inputs()[i]));
    }
    return true;
  }

  static bool can_be_narrow(const Value& value) {
    if (!value.is_constant()) return true;  // also a default that the caller may override
    const auto elements = value.integers();
    return elements && std::ranges::all_of(*elements, [](std::int64_t element) {
             return element >= std::numeric_limits<std::int32_t>::min() &&
                    element <= std::numeric_limits<std::int32_t>::max();
           });
  }

  Value& narrow_twin(Value& value) {
    Value*& twin = narrow_[&value];
    if (twin != nullptr) return *twin;
    const std::string name = value.name() + "_32bit";
    if (value.is_constant()) {
      const std::vector<std::int64_t> wide = *value.integers();
      const std::vector<std::int32_t> elements(wide.begin(), wide.end());
      twin = &rewriter_.add_initializer(rewriter_.main(), name,
                                        {kNarrow, *value.type().shape, std::as_bytes(std::span(elements))});
      replaced_.push_back(&value);
    } else {
      twin = rewriter_.add_node(rewriter_.main(), "Cast", {&value}, {name}, {{"to", std::int64_t{kNarrow}}}).output(0);
      rewriter_.set_type(*twin, {kNarrow, inferred_.type(value).shape});
    }
    return *twin;
  }

  Rewriter& rewriter_;
  const std::int64_t opset_;
  const InferredTypes inferred_;
  std::map<const Value*, Value*> narrow_;  ///< int64 value -> its int32 twin
  std::vector<Value*> replaced_;           ///< values that nobody may read any more
  int narrowed_nodes_ = 0;
};

}  // namespace

Result<int> truncate_64bit_tensors(Model& model) {
  Rewriter rewriter(model);
  SLIPWAY_ASSIGN(const std::int64_t opset, rewriter.opset());
  return Narrowing(rewriter, opset).run();
}

}  // namespace slipway::compile::onnx_graph
