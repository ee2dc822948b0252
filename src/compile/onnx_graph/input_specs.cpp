#include "compile/onnx_graph/input_specs.hpp"

#include <map>
#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/element_type.hpp"
#include "compile/onnx_graph/graph_edit.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

std::string described(const onnx::ValueInfoProto& value) {
  const auto spec = spec_of(value);
  if (!spec) return "a value that is no tensor of numbers";
  if (!has_shape(value)) return fmt::format("{} of any rank", tensor::dtype_name(spec->dtype));
  return tensor::to_string(spec->dtype, spec->shape);
}

/// The model's input for each spec, in the order of the specs.
Result<std::vector<onnx::ValueInfoProto*>> match(const std::vector<onnx::ValueInfoProto*>& inputs,
                                                 const std::vector<tensor::TensorSpec>& specs) {
  std::map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < inputs.size(); ++i) position[inputs[i]->name()] = i;
  if (specs.size() != inputs.size()) {
    std::string names;
    for (const auto* input : inputs) names += fmt::format("{}{}", names.empty() ? "" : ", ", input->name());
    return fail(Code::kInvalidArgument, "input specs: expected {} (the model's inputs are {}), found {}", inputs.size(),
                names, specs.size());
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
  std::vector<onnx::ValueInfoProto*> matched;
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

Result<void> check_fits(const onnx::ValueInfoProto& input, const tensor::TensorSpec& spec) {
  for (const std::int64_t size : spec.shape) {
    if (size < 1) {
      return fail(Code::kInvalidArgument, "input \"{}\": a size of {} in the spec; sizes must be 1 or more", spec.name,
                  size);
    }
  }
  const auto own = spec_of(input);
  const bool fits =
      own && own->dtype == spec.dtype && (!has_shape(input) || tensor::shape_accepts(own->shape, spec.shape));
  if (fits) return {};
  const std::string alias = input.name() == spec.name ? "" : fmt::format(" (\"{}\" in the model)", input.name());
  return fail(Code::kInvalidArgument, "input \"{}\"{}: expected {}, found {} in the spec", spec.name, alias,
              described(input), tensor::to_string(spec.dtype, spec.shape));
}

/// Sizes that symbols such as "batch" got; symbols that got two different sizes are left open.
class SymbolSizes {
 public:
  void learn(const onnx::ValueInfoProto& input, const tensor::Shape& shape) {
    const auto& dimensions = input.type().tensor_type().shape().dim();
    for (int i = 0; i < dimensions.size(); ++i) {
      if (!dimensions.Get(i).has_dim_param()) continue;
      const std::int64_t size = shape[static_cast<std::size_t>(i)];
      const auto [known, is_new] = sizes_.emplace(dimensions.Get(i).dim_param(), size);
      if (!is_new && known->second != size) known->second = kAmbiguous;
    }
  }
  void apply_to(onnx::ValueInfoProto& output) const {
    if (!has_shape(output)) return;
    for (auto& dimension : *output.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
      const auto known = dimension.has_dim_param() ? sizes_.find(dimension.dim_param()) : sizes_.end();
      if (known == sizes_.end()) continue;
      dimension.clear_dim_param();
      if (known->second != kAmbiguous) dimension.set_dim_value(known->second);
    }
  }

 private:
  static constexpr std::int64_t kAmbiguous = -1;
  std::map<std::string, std::int64_t> sizes_;
};

Result<void> rename_input(onnx::GraphProto& graph, const std::string& from, const std::string& to, ValueNames& names) {
  if (from == to) return {};
  for (const auto& output : graph.output()) {
    if (output.name() == to) {
      return fail(Code::kInvalidArgument, "input \"{}\" cannot be renamed to \"{}\": that is an output's name", from,
                  to);
    }
  }
  if (names.contains(to)) rename_value(graph, to, names.fresh(to + "_inner"));
  rename_value(graph, from, to);
  return {};
}

}  // namespace

Result<void> apply_input_specs(Model& model, const std::vector<tensor::TensorSpec>& specs) {
  auto& graph = *model.proto().mutable_graph();
  SLIPWAY_ASSIGN(const auto inputs, match(inputs_without_initializers(graph), specs));
  for (std::size_t i = 0; i < specs.size(); ++i) SLIPWAY_TRY(check_fits(*inputs[i], specs[i]));

  SymbolSizes symbols;
  bool is_changed = false;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (has_shape(*inputs[i])) symbols.learn(*inputs[i], specs[i].shape);
    is_changed |= !has_shape(*inputs[i]) || spec_of(*inputs[i])->shape != specs[i].shape;
    set_type(*inputs[i], specs[i].dtype, specs[i].shape);
  }
  if (is_changed) {
    for (auto& output : *graph.mutable_output()) symbols.apply_to(output);
    clear_value_info(graph);
  }
  ValueNames names(graph);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    SLIPWAY_TRY(rename_input(graph, std::string(inputs[i]->name()), specs[i].name, names));
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
