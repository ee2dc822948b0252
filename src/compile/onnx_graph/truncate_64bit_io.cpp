#include "compile/onnx_graph/truncate_64bit_io.hpp"

#include <onnx.pb.h>

#include "compile/onnx_graph/graph_edit.hpp"
#include "compile/onnx_graph/values.hpp"

namespace slipway::compile::onnx_graph {
namespace {

bool is_64bit_integer(int element_type) {
  return element_type == onnx::TensorProto::INT64 || element_type == onnx::TensorProto::UINT64;
}

int half_of(int element_type) {
  return element_type == onnx::TensorProto::INT64 ? onnx::TensorProto::INT32 : onnx::TensorProto::UINT32;
}

}  // namespace

base::Result<std::vector<std::string>> truncate_64bit_io(Model& model) {
  SLIPWAY_TRY(default_opset(model.proto()));
  auto& graph = *model.proto().mutable_graph();
  ValueNames names(graph);
  std::vector<std::string> changed;
  for (auto* input : inputs_without_initializers(graph)) {
    auto& type = *input->mutable_type()->mutable_tensor_type();
    if (!input->type().has_tensor_type() || !is_64bit_integer(type.elem_type())) continue;
    const std::string name = input->name();
    const std::string wide = names.fresh(name + "_64bit");
    redirect_uses(graph, name, wide);
    for (auto& output : *graph.mutable_output()) {
      if (output.name() != name) continue;  // handed through: it is the narrow input itself
      output.mutable_type()->mutable_tensor_type()->set_elem_type(half_of(type.elem_type()));
    }
    put_first(graph, make_cast(name, wide, type.elem_type()));
    type.set_elem_type(half_of(type.elem_type()));
    changed.push_back(name);
  }
  for (auto& output : *graph.mutable_output()) {
    if (!output.type().has_tensor_type() || !is_64bit_integer(output.type().tensor_type().elem_type())) continue;
    auto& type = *output.mutable_type()->mutable_tensor_type();
    const std::string name = output.name();
    const std::string wide = names.fresh(name + "_64bit");
    if (rename_product(graph, name, wide)) {
      redirect_uses(graph, name, wide);
    } else {
      // An initialiser handed out: it gets the new name, the Cast's result the old one.
      for (auto& tensor : *graph.mutable_initializer()) {
        if (tensor.name() == name) tensor.set_name(wide);
      }
      redirect_uses(graph, name, wide);
    }
    drop_value_info(graph, name);
    type.set_elem_type(half_of(type.elem_type()));
    *graph.add_node() = make_cast(wide, name, type.elem_type());
    changed.push_back(name);
  }
  return changed;
}

}  // namespace slipway::compile::onnx_graph
