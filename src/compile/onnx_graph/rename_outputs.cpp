#include "compile/onnx_graph/rename_outputs.hpp"

#include <set>

#include <onnx.pb.h>

#include "compile/onnx_graph/graph_edit.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

Result<void> check_names(const onnx::GraphProto& graph, const std::vector<std::string>& names) {
  if (static_cast<std::size_t>(graph.output_size()) != names.size()) {
    std::string own;
    for (const auto& output : graph.output()) own += fmt::format("{}{}", own.empty() ? "" : ", ", output.name());
    return fail(Code::kInvalidArgument, "output names: expected {} (the model's outputs are {}), found {}",
                graph.output_size(), own, names.size());
  }
  std::set<std::string> given;
  for (const auto& name : names) {
    if (name.empty()) return fail(Code::kInvalidArgument, "output names: a name is empty");
    if (!given.insert(name).second) {
      return fail(Code::kInvalidArgument, "output names: \"{}\" is given twice", name);
    }
    for (const auto* input : inputs_without_initializers(graph)) {
      if (input->name() == name) {
        return fail(Code::kInvalidArgument, "output names: \"{}\" is the name of an input", name);
      }
    }
  }
  return {};
}

bool is_product(const onnx::GraphProto& graph, const std::string& name) {
  for (const auto& node : graph.node()) {
    for (const auto& output : node.output()) {
      if (output == name) return true;
    }
  }
  return false;
}

}  // namespace

Result<void> rename_outputs(Model& model, const std::vector<std::string>& output_names) {
  auto& graph = *model.proto().mutable_graph();
  SLIPWAY_TRY(check_names(graph, output_names));
  ValueNames names(graph);
  // First every output steps to a name that nobody has, so that outputs may swap their names.
  std::vector<std::string> passing;
  for (auto& output : *graph.mutable_output()) {
    const std::string own = output.name();
    passing.push_back(names.fresh(own + "_renamed"));
    if (is_product(graph, own)) {
      rename_value(graph, own, passing.back());
    } else {
      // An input or an initialiser handed through: it keeps its name and a copy gets the new one.
      *graph.add_node() = make_identity(own, passing.back());
      output.set_name(passing.back());
    }
  }
  const ValueNames taken(graph);
  for (std::size_t i = 0; i < output_names.size(); ++i) {
    if (taken.contains(output_names[i])) rename_value(graph, output_names[i], names.fresh(output_names[i] + "_inner"));
    rename_value(graph, passing[i], output_names[i]);
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
