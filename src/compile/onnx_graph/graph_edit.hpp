#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace onnx {
class GraphProto;
class NodeProto;
}  // namespace onnx

/// The few edits that every rewrite is made of. All keep nodes in an order where each comes after its producers.
namespace slipway::compile::onnx_graph {

/// The names of all values in a graph and its subgraphs: inputs, initialisers, node inputs and outputs.
class ValueNames {
 public:
  explicit ValueNames(const onnx::GraphProto& graph);
  [[nodiscard]] bool contains(const std::string& name) const { return names_.contains(name); }
  /// A name that no value has yet, made from `wanted`; it counts as taken from now on.
  [[nodiscard]] std::string fresh(std::string_view wanted);

 private:
  void add(const onnx::GraphProto& graph);
  std::set<std::string> names_;
};

/// Renames a value of the main graph wherever it stands: producer, consumers (also inside subgraphs), graph inputs and
/// outputs, initialisers, value_info, annotations.
void rename_value(onnx::GraphProto& graph, const std::string& from, const std::string& to);

/// Makes consumers of `from` (also inside subgraphs) read `to`. Producer, inputs and outputs keep their names.
void redirect_uses(onnx::GraphProto& graph, const std::string& from, const std::string& to);

/// Renames what a node of the main graph produces, not its consumers. @return whether a node produces it
bool rename_product(onnx::GraphProto& graph, const std::string& from, const std::string& to);

/// Puts a node before all others.
void put_first(onnx::GraphProto& graph, onnx::NodeProto node);

/// Removes what value_info says of values whose shape or type may no longer hold, in the graph and its subgraphs.
void clear_value_info(onnx::GraphProto& graph);
void drop_value_info(onnx::GraphProto& graph, const std::string& name);

[[nodiscard]] onnx::NodeProto make_cast(const std::string& input, const std::string& output, int element_type);
[[nodiscard]] onnx::NodeProto make_transpose(const std::string& input, const std::string& output,
                                             const std::vector<std::int64_t>& permutation);
[[nodiscard]] onnx::NodeProto make_identity(const std::string& input, const std::string& output);

}  // namespace slipway::compile::onnx_graph
