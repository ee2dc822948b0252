#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/attribute.hpp"
#include "compile/onnx_graph/fresh_names.hpp"
#include "compile/onnx_graph/graph.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/value_type.hpp"
#include "tensor/shape.hpp"

namespace slipway::compile::onnx_graph {

/// Writes and rewrites the graphs of a model: the one way to do so. It knows every value and node of every scope, so
/// that names stay unique, uses follow their value into inner graphs, and types of the past are not left behind.
/// Nodes may be added in any order: when the rewriter ends, those of each scope are brought in one in which each comes
/// after its producers; an order that was right is not touched.
/// @pre     nothing else changes the model while it lives
/// @cost    reads the model once; each operation touches what it changes
/// @thread  belongs to one
class Rewriter {
 public:
  explicit Rewriter(Model& model);
  ~Rewriter();
  Rewriter(const Rewriter&) = delete;
  Rewriter& operator=(const Rewriter&) = delete;

  [[nodiscard]] Scope& main() { return *main_; }
  /// Every scope: the main graph first, each inner graph after the one around it, the functions' bodies last.
  [[nodiscard]] const std::vector<Scope*>& scopes() const { return all_scopes_; }
  /// The inputs a caller must feed: those without an initialiser.
  [[nodiscard]] std::vector<Value*> fed_inputs() const;
  /// Version of the standard operators.
  /// @error kInvalidArgument: the model imports none, or one older than 7, whose operators read their settings
  /// otherwise
  [[nodiscard]] base::Result<std::int64_t> opset() const;
  /// Imports a further operator domain; the standard one is set by Model::create().
  void import_domain(const std::string& domain, std::int64_t version);

  // Names. ---------------------------------------------------------------------------------------------------------
  /// A name that no value (no node) of any scope has, made from `wanted`; it counts as used from now on.
  [[nodiscard]] std::string fresh_value_name(std::string_view wanted);
  [[nodiscard]] std::string fresh_node_name(std::string_view wanted);
  /// Gives a value another name. Whatever else has that name where it could be confused steps aside to "NAME_inner".
  void rename(Value& value, const std::string& name);

  /// Gives a node another name. @pre  no node has it, as fresh_node_name() sees to
  void rename(Node& node, const std::string& name);

  /// Makes what has this name where `scope` could see it step aside, so that a node may give a value of just that name.
  void release_name(const std::string& name, const Scope& scope);

  // Building. ------------------------------------------------------------------------------------------------------
  Value& add_input(Scope& scope, const std::string& name, const ValueType& type);
  /// Makes a value an output of a graph or function, at the end of the list.
  void add_output(Value& value, Scope& scope);
  void add_output(Value& value) { add_output(value, value.scope()); }
  /// Copies the elements into the model.
  Value& add_initializer(Scope& scope, std::string_view name, const TensorBytes& tensor);
  /// Keeps a view: the bytes are read when the model is written and must live as long as `owner` does. In the main
  /// graph only.
  Value& add_initializer_view(std::string_view name, const TensorBytes& tensor, std::shared_ptr<const void> owner);
  /// Names bytes of a file in the model's folder.
  Value& add_external_initializer(std::string_view name, int element_type, const tensor::Shape& shape,
                                  const std::string& file, std::uint64_t offset);
  /// A node of its own name, made from `name` or else from its first output's. Outputs get names made from `outputs`;
  /// "" leaves an optional output out, and so does nullptr an input.
  Node& add_node(Scope& scope, const std::string& op_type, const std::vector<Value*>& inputs,
                 const std::vector<std::string>& outputs, const Attributes& attributes = {}, std::string_view name = {},
                 const std::string& domain = {});
  /// An empty inner graph of a node, as its attribute ("then_branch", "body").
  Scope& add_inner_graph(Node& node, const std::string& attribute, const std::string& name);
  /// An empty function body that nodes of this domain and type call. Its outputs are added by add_output().
  Scope& add_function(const std::string& domain, const std::string& name, const std::vector<std::string>& inputs);
  /// Sets what is known of a value, at its declaration, at the outputs where it stands, or in the graph's list of inner
  /// types; what that list said is forgotten when the element type is not known.
  void set_type(Value& value, const ValueType& type);
  /// Names the open dimensions of an input or output, one name for each dimension; "" leaves one without.
  void set_dimension_names(Value& value, const std::vector<std::string>& names);

  // Rewriting. -----------------------------------------------------------------------------------------------------
  /// Makes every reader of `from` read `to`, but for the node `except`. Outputs of graphs keep their value.
  void redirect_uses(Value& from, Value& to, const Node* except = nullptr);
  /// Makes a node read a value; an input beyond its last is added, those between are left out.
  void set_input(Node& node, std::size_t input, Value* value);
  /// Makes the `position`-th output of a graph or function another value, with its name and, where known, its type.
  void set_output(Scope& scope, std::size_t position, Value& value);
  /// Puts a node behind a value: what read `value` reads what the node gives. Outputs of graphs keep `value`.
  /// @param further  inputs of the node after `value`: a scale, a zero point
  Node& insert_after(Value& value, const std::string& op_type, std::string_view new_name,
                     const Attributes& attributes = {}, const std::vector<Value*>& further = {});
  /// Puts a node behind a value that takes its name, and its places among the outputs of graphs; the value becomes
  /// `inner_name`, and who read it inside still does.
  /// @pre  `value` is no input
  Node& insert_under_name(Value& value, const std::string& op_type, std::string_view inner_name,
                          const Attributes& attributes = {}, const std::vector<Value*>& further = {});
  /// Takes a node out, with its inner graphs. @pre  nothing reads what it gives
  void remove(Node& node);
  /// Takes out the node or the initialiser that makes a value, and then whatever nothing reads any more because of it.
  /// @return  whether it was: values that are read, or are inputs, stay
  bool remove_if_unused(Value& value);
  /// Makes the one output of a node an initialiser; the node is taken out. Not for outputs that callers read by name:
  /// those stay as they are. @return  whether it was done
  bool replace_by_initializer(Node& node, const TensorBytes& tensor);
  /// The same for a Constant node in one of its dense forms, without copying its elements.
  bool replace_constant(Node& node);
  /// Takes an initialiser out of the inputs of its graph, where it would be a default that a caller may override.
  void make_constant(Value& initializer);
  /// Gives dimensions of these names their size in the outputs of the main graph; -1 leaves them open without a name.
  void set_dimension_sizes(const std::map<std::string, std::int64_t>& sizes);
  /// Forgets the types of inner values, in all scopes: after sizes at the boundary have changed.
  void forget_inner_types();

 private:
  void index(Scope& scope, onnx::GraphProto& graph);
  void index(Scope& scope, onnx::FunctionProto& function);
  void index_node(Scope& scope, onnx::NodeProto& proto);
  void connect(Scope& scope);
  Scope& new_scope(Scope* outer, Node* owner);
  Value& new_value(Scope& scope, const std::string& name);
  Value& defined(Scope& scope, const std::string& name);
  Value& resolved(Scope& scope, const std::string& name);
  void declare(Value& value, onnx::ValueInfoProto& info);
  void relabel(Value& value, const std::string& name);
  void drop_use(Value* value, const Node& node, std::size_t input);
  void forget_declaration(Value& value);
  void disconnect(Scope& scope);
  void drop_removed(Scope& scope);
  void drop_forgotten(Scope& scope);
  void sort(Scope& scope);

  Model& model_;
  std::deque<Value> values_;
  std::deque<Node> nodes_;
  std::deque<Scope> scopes_;
  std::vector<Scope*> all_scopes_;
  Scope* main_ = nullptr;
  FreshNames value_names_, node_names_;
  std::set<const onnx::ValueInfoProto*> forgotten_;
  bool has_removed_ = false;
};

}  // namespace slipway::compile::onnx_graph
