#include "compile/onnx_graph/input_specs.hpp"

#include <map>
#include <set>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

/// The model's input for each spec, in the order of the specs.
Result<std::vector<Value*>> match(const std::vector<Value*>& inputs, const std::vector<tensor::TensorSpec>& specs) {
  std::map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < inputs.size(); ++i) position[inputs[i]->name()] = i;
  if (specs.size() != inputs.size()) {
    std::vector<std::string> names;
    for (const Value* input : inputs) names.push_back(input->name());
    return fail(Code::kInvalidArgument, "input specs: expected {} (the model's inputs are {}), found {}", inputs.size(),
                fmt::join(names, ", "), specs.size());
  }
  std::set<std::string> given;
  bool all_known = true;
  for (const auto& spec : specs) {
    if (spec.name.empty()) return fail(Code::kInvalidArgument, "input specs: a name is empty");
    if (!given.insert(spec.name).second) {
      return fail(Code::kInvalidArgument, "input specs: the name \"{}\" is given twice", spec.name);
    }
    all_known &= position.contains(spec.name);
  }
  std::vector<Value*> matched;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto own = position.find(specs[i].name);
    if (!all_known && own != position.end() && own->second != i) {
      return fail(
          Code::kInvalidArgument,
          "input specs: \"{}\" stands at position {} but is the model's input {}; use the model's own names for "
          "all inputs, or new names in the model's order",
          specs[i].name, i + 1, own->second + 1);
    }
    matched.push_back(all_known ? inputs[own->second] : inputs[i]);
  }
  return matched;
}

Result<void> check_fits(const Value& input, const tensor::TensorSpec& spec) {
  for (const std::int64_t size : spec.shape) {
    if (size < 1) {
      return fail(Code::kInvalidArgument, "input \"{}\": a size of {} in the spec; sizes must be 1 or more", spec.name,
                  size);
    }
  }
  const ValueType& own = input.type();
  const bool fits = own.element_type == element_type_of_dtype(spec.dtype) &&
                    (!own.shape || tensor::shape_accepts(*own.shape, spec.shape));
  if (fits) return {};
  const std::string alias = input.name() == spec.name ? "" : fmt::format(" (\"{}\" in the model)", input.name());
  return fail(Code::kInvalidArgument, "input \"{}\"{}: expected {}, found {} in the spec", spec.name, alias,
              to_string(own), tensor::to_string(spec.dtype, spec.shape));
}

/// Sizes that symbols such as "batch" got; symbols that got two different sizes are left open.
class SymbolSizes {
 public:
  void learn(const std::vector<std::string>& names, const tensor::Shape& shape) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      const auto [known, is_new] = sizes_.emplace(names[i], shape[i]);
      if (!is_new && known->second != shape[i]) known->second = -1;
    }
  }
  [[nodiscard]] const std::map<std::string, std::int64_t>& sizes() const { return sizes_; }

 private:
  std::map<std::string, std::int64_t> sizes_;
};

Result<void> rename_input(Rewriter& rewriter, Value& input, const std::string& to) {
  if (input.name() == to) return {};
  Scope& graph = rewriter.main();
  for (const Value* output : graph.outputs()) {
    if (output != &input && output->name() == to) {
      return fail(Code::kInvalidArgument, "input \"{}\" cannot be renamed to \"{}\": that is an output's name",
                  input.name(), to);
    }
  }
  const std::string from = input.name();
  rewriter.rename(input, to);
  if (!input.is_output()) return {};
  // Handed through: outputs keep their names.
  rewriter.release_name(from, graph);
  Value& copy = *rewriter.add_node(graph, "Identity", {&input}, {from}).output(0);
  rewriter.set_type(copy, input.type());
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    if (graph.outputs()[i] == &input) rewriter.set_output(graph, i, copy);
  }
  return {};
}

/// A Scan refuses a body with an output of unknown rank, and the rank may be said by inner types alone.
void declare_ranks_of_inner_outputs(Rewriter& rewriter) {
  if (!rewriter.opset()) return;
  const InferredTypes types(rewriter);
  for (Scope* scope : rewriter.scopes()) {
    if (scope->outer() == nullptr) continue;
    for (Value* output : scope->outputs()) {
      auto [element_type, shape] = types.type(*output);
      if (output->type().shape || !shape || !element_type) continue;
      rewriter.set_type(*output, {element_type, tensor::Shape(shape->size(), -1)});
    }
  }
}

}  // namespace

Result<void> apply_input_specs(Model& model, const std::vector<tensor::TensorSpec>& specs) {
  Rewriter rewriter(model);
  SLIPWAY_ASSIGN(const auto inputs, match(rewriter.fed_inputs(), specs));
  for (std::size_t i = 0; i < specs.size(); ++i) SLIPWAY_TRY(check_fits(*inputs[i], specs[i]));

  SymbolSizes symbols;
  bool is_changed = false;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    symbols.learn(inputs[i]->dimension_names(), specs[i].shape);
    is_changed |= inputs[i]->type().shape != specs[i].shape;
    rewriter.set_type(*inputs[i], {element_type_of_dtype(specs[i].dtype), specs[i].shape});
  }
  if (is_changed) {
    rewriter.set_dimension_sizes(symbols.sizes());
    declare_ranks_of_inner_outputs(rewriter);
    rewriter.forget_inner_types();
  }
  for (std::size_t i = 0; i < specs.size(); ++i) SLIPWAY_TRY(rename_input(rewriter, *inputs[i], specs[i].name));
  return {};
}

}  // namespace slipway::compile::onnx_graph
