#include "quantize/choice.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "compile/onnx_graph/element_type.hpp"

namespace slipway::quantize {

using base::Code;
using base::fail;
using base::Result;
using compile::onnx_graph::InferredTypes;
using compile::onnx_graph::Node;
using compile::onnx_graph::Rewriter;
using compile::onnx_graph::Value;

namespace {

bool is_float(const InferredTypes& types, const Value& value) {
  const auto type = types.type(value).element_type;
  return type == compile::onnx_graph::element_type_of_dtype(tensor::Dtype::kFloat32);
}

bool may_be_float(const InferredTypes& types, const Value& value) {
  return !types.type(value).element_type || is_float(types, value);
}

/// Numbers are moved, not made: what goes in decides whether it is quantised.
bool moves(const OperatorRule& rule) {
  return rule.handling == Handling::kMoves || rule.handling == Handling::kJoins;
}

class Chooser {
 public:
  Chooser(Rewriter& graph, const InferredTypes& types, const Options& options)
      : graph_(graph), types_(types), options_(options) {}

  Result<Choice> choose() {
    SLIPWAY_TRY(check_exclusions());
    for (Node* node : graph_.main().nodes()) consider(*node);
    // A mover is quantised from either side; each round reaches the next one of a chain.
    for (bool is_changed = true; is_changed;) {
      is_changed = false;
      for (auto& candidate : candidates_) {
        if (candidate.is_chosen || !touches_chosen(candidate)) continue;
        candidate.is_chosen = is_changed = true;
        chosen_.insert(candidate.chosen.node);
      }
    }
    for (const Candidate& candidate : candidates_) {
      if (candidate.is_chosen) {
        collect(candidate.chosen);
      } else {
        leave(*candidate.chosen.node, "no quantised node beside it");
      }
    }
    return std::move(choice_);
  }

 private:
  struct Candidate {
    Choice::ChosenNode chosen;
    bool is_chosen;
  };

  Result<void> check_exclusions() const {
    std::vector<std::string> names, operators;
    for (const Node* node : graph_.main().nodes()) {
      names.push_back(node->name());
      operators.push_back(node->op_type());
    }
    const auto check = [](const std::vector<std::string>& wanted, const std::vector<std::string>& there,
                          std::string_view what) -> Result<void> {
      for (const std::string& name : wanted) {
        if (std::ranges::find(there, name) != there.end()) continue;
        const auto meant = base::nearest(name, there);
        return fail(Code::kNotFound, "the graph has no {} '{}' to exclude{}", what, name,
                    meant ? fmt::format("; did you mean '{}'?", *meant) : "");
      }
      return {};
    };
    SLIPWAY_TRY(check(options_.excluded_nodes, names, "node"));
    return check(options_.excluded_operators, operators, "operator type");
  }

  void leave(const Node& node, std::string reason) {
    choice_.float_nodes.push_back({node.name(), node.op_type(), std::move(reason)});
  }

  /// Whether a node has anything to do with float numbers, so that a reader wants to know why it stays.
  bool concerns_floats(const Node& node) const {
    return std::ranges::any_of(node.outputs(),
                               [&](const Value* output) { return output != nullptr && is_float(types_, *output); });
  }

  void consider(Node& node) {
    const OperatorRule* const rule = find_rule(node);
    const bool is_named = std::ranges::find(options_.excluded_nodes, node.name()) != options_.excluded_nodes.end();
    const bool is_of_type =
        std::ranges::find(options_.excluded_operators, node.op_type()) != options_.excluded_operators.end();
    if (!concerns_floats(node) && !(rule != nullptr && computes_floats(*rule, node))) return;
    if (is_named || is_of_type) return leave(node, "excluded");
    if (rule == nullptr) return leave(node, "no rule for this operator");
    if (!computes_floats(*rule, node)) return leave(node, "not float32");
    const bool is_chosen = !moves(*rule);
    if (is_chosen) chosen_.insert(&node);
    candidates_.push_back({{&node, rule}, is_chosen});
  }

  bool computes_floats(const OperatorRule& rule, const Node& node) const {
    bool has_activation = false;
    for (const std::size_t input : data_inputs(rule, node)) {
      const Value& value = *node.input(input);
      if (!may_be_float(types_, value)) return false;
      has_activation |= !value.is_constant();
    }
    if (!has_activation) return false;
    const auto outputs = data_outputs(rule, node);
    return std::ranges::all_of(outputs, [&](const Value* output) { return may_be_float(types_, *output); });
  }

  bool touches_chosen(const Candidate& candidate) const {
    for (const std::size_t input : data_inputs(*candidate.chosen.rule, *candidate.chosen.node)) {
      const Node* const producer = candidate.chosen.node->input(input)->producer();
      if (producer != nullptr && chosen_.contains(producer)) return true;
    }
    for (const Value* output : data_outputs(*candidate.chosen.rule, *candidate.chosen.node)) {
      for (const auto& use : output->uses()) {
        if (chosen_.contains(use.node)) return true;
      }
    }
    return false;
  }

  void collect(const Choice::ChosenNode& chosen) {
    choice_.nodes.push_back(chosen);
    for (const std::size_t input : data_inputs(*chosen.rule, *chosen.node)) {
      Value& value = *chosen.node->input(input);
      if (&value == weight_of(chosen)) continue;
      add(value);
    }
    for (Value* output : data_outputs(*chosen.rule, *chosen.node)) add(*output);
  }

  void add(Value& value) {
    // What lies in a graph outside is that graph's; undefined values belong to nobody.
    const bool is_ours = value.producer() != nullptr || value.is_input() || value.is_constant();
    if (&value.scope() != &graph_.main() || !is_ours || !seen_.insert(&value).second) return;
    (value.is_constant() ? choice_.constants : choice_.activations).push_back(&value);
  }

  Rewriter& graph_;
  const InferredTypes& types_;
  const Options& options_;
  std::vector<Candidate> candidates_;
  std::set<const Node*> chosen_;
  std::set<const Value*> seen_;
  Choice choice_;
};

bool is_list(const Value& value) {
  return value.type().shape && value.type().shape->size() == 1;
}

}  // namespace

Result<Choice> choose(Rewriter& graph, const InferredTypes& types, const Options& options) {
  return Chooser(graph, types, options).choose();
}

Value* weight_of(const Choice::ChosenNode& chosen) {
  const auto handling = chosen.rule->handling;
  if (handling != Handling::kWeighted && handling != Handling::kNormalizes) return nullptr;
  Value* const weight = chosen.node->input(1);
  if (weight == nullptr || !weight->is_constant()) return nullptr;
  return handling == Handling::kWeighted || is_list(*weight) ? weight : nullptr;
}

Value* bias_of(const Choice::ChosenNode& chosen) {
  if (weight_of(chosen) == nullptr) return nullptr;
  Value* const bias = chosen.node->input(2);
  if (bias == nullptr || !bias->is_constant() || !is_list(*bias)) return nullptr;
  // Gemm may scale what it adds; then the bias is not in steps of input and weight.
  const bool is_scaled = chosen.node->real("alpha").value_or(1) != 1 || chosen.node->real("beta").value_or(1) != 1;
  return is_scaled && chosen.node->is("Gemm") ? nullptr : bias;
}

}  // namespace slipway::quantize
