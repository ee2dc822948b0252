#include "compile/onnx_graph/rename_outputs.hpp"

#include <set>

#include "compile/onnx_graph/rewriter.hpp"

namespace slipway::compile::onnx_graph {
namespace {

using base::Code;
using base::fail;
using base::Result;

Result<void> check_names(Rewriter& rewriter, const std::vector<std::string>& names) {
  const auto& outputs = rewriter.main().outputs();
  if (outputs.size() != names.size()) {
    std::vector<std::string> own;
    for (const Value* output : outputs) own.push_back(output->name());
    return fail(Code::kInvalidArgument, "output names: expected {} (the model's outputs are {}), found {}",
                outputs.size(), fmt::join(own, ", "), names.size());
  }
  std::set<std::string> given;
  for (const auto& name : names) {
    if (name.empty()) return fail(Code::kInvalidArgument, "output names: a name is empty");
    if (!given.insert(name).second) {
      return fail(Code::kInvalidArgument, "output names: \"{}\" is given twice", name);
    }
    for (const Value* input : rewriter.fed_inputs()) {
      if (input->name() == name) {
        return fail(Code::kInvalidArgument, "output names: \"{}\" is the name of an input", name);
      }
    }
  }
  return {};
}

}  // namespace

Result<void> rename_outputs(Model& model, const std::vector<std::string>& output_names) {
  Rewriter rewriter(model);
  SLIPWAY_TRY(check_names(rewriter, output_names));
  std::set<const Value*> named;
  for (std::size_t i = 0; i < output_names.size(); ++i) {
    Value& output = *rewriter.main().outputs()[i];
    // An input that is handed through keeps its name, and a value that stands in the list again the one it just got.
    if (!output.is_input() && named.insert(&output).second) {
      rewriter.rename(output, output_names[i]);
      continue;
    }
    rewriter.release_name(output_names[i], rewriter.main());
    Node& copy = rewriter.add_node(rewriter.main(), "Identity", {&output}, {output_names[i]});
    rewriter.set_type(*copy.output(0), output.type());
    rewriter.set_output(rewriter.main(), i, *copy.output(0));
    named.insert(copy.output(0));
  }
  return {};
}

}  // namespace slipway::compile::onnx_graph
