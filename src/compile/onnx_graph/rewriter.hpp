#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/attribute.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/onnx_graph/value_type.hpp"
#include "tensor/shape.hpp"

namespace onnx {
class FunctionProto;
class GraphProto;
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace slipway::compile::onnx_graph {

class Node;
class Scope;

/// The place in a node where a value is read.
struct Use {
  Node* node;
  std::size_t input;
};

/// A value: an input of its graph, an initialiser, or what a node gives. Names are labels of it: a use belongs to the
/// value that the scopes say, whatever else has the same name.
class Value {
 public:
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Scope& scope() const { return *scope_; }
  [[nodiscard]] Node* producer() const { return producer_; }  ///< nullptr: an input, an initialiser, or undefined
  [[nodiscard]] std::size_t output_index() const { return output_index_; }  ///< which output of its producer
  [[nodiscard]] bool is_input() const { return is_input_; }                 ///< of its graph or function
  [[nodiscard]] bool is_output() const {
    return !output_places_.empty();
  }  ///< of its graph or function, perhaps several times
  [[nodiscard]] bool is_initializer() const { return tensor_ != nullptr || sparse_values_ != nullptr; }
  /// An initialiser that no caller can override.
  [[nodiscard]] bool is_constant() const { return is_initializer() && !is_input_; }
  [[nodiscard]] const std::vector<Use>& uses() const { return uses_; }  ///< in all scopes that see it
  [[nodiscard]] bool is_unused() const { return uses_.empty() && output_places_.empty(); }

  /// As the file declares it.
  [[nodiscard]] const ValueType& type() const { return type_; }
  /// Names of open dimensions, one for each ("batch"; "" without a name), as its declaration gives them.
  [[nodiscard]] std::vector<std::string> dimension_names() const;
  /// The elements of an int64 initialiser that is stored inline.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers() const;
  /// The elements of a float32 initialiser that is stored inline.
  [[nodiscard]] std::optional<std::vector<float>> floats() const;
  /// The number in an initialiser of one element that is stored inline.
  [[nodiscard]] std::optional<double> scalar() const;
  [[nodiscard]] std::uint64_t size_bytes() const;  ///< of an initialiser; 0 for others

 private:
  friend class Rewriter;
  std::string name_;
  Scope* scope_ = nullptr;
  Node* producer_ = nullptr;
  std::size_t output_index_ = 0;
  bool is_input_ = false;
  onnx::TensorProto* tensor_ = nullptr;
  onnx::TensorProto* sparse_values_ = nullptr;
  std::vector<onnx::ValueInfoProto*> declarations_;  // as input, and in the list of inner types
  std::vector<std::pair<Scope*, std::size_t>> output_places_;
  std::vector<Use> uses_;
  ValueType type_;
};

/// A node of a graph or a function.
class Node {
 public:
  [[nodiscard]] const std::string& op_type() const;
  [[nodiscard]] const std::string& domain() const;
  [[nodiscard]] const std::string& name() const;
  /// Whether it is this operator of the standard set.
  [[nodiscard]] bool is(std::string_view op_type) const;
  [[nodiscard]] bool is_standard() const;
  [[nodiscard]] Scope& scope() const { return *scope_; }
  /// nullptr stands for an optional input (output) that is left out.
  [[nodiscard]] const std::vector<Value*>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<Value*>& outputs() const { return outputs_; }
  [[nodiscard]] Value* input(std::size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  [[nodiscard]] Value* output(std::size_t i) const { return i < outputs_.size() ? outputs_[i] : nullptr; }
  [[nodiscard]] const std::vector<Scope*>& inner_graphs() const { return inner_graphs_; }

  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view attribute) const;
  [[nodiscard]] std::optional<float> real(std::string_view attribute) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view attribute) const;
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view attribute) const;
  [[nodiscard]] bool has_attribute(std::string_view attribute) const;
  void set_attribute(const std::string& name, const AttributeValue& value);
  [[nodiscard]] const onnx::NodeProto& proto() const { return *proto_; }

 private:
  friend class Rewriter;
  onnx::NodeProto* proto_ = nullptr;
  Scope* scope_ = nullptr;
  std::vector<Value*> inputs_, outputs_;
  std::vector<Scope*> inner_graphs_;
  bool is_removed_ = false;
};

/// The main graph, an inner graph of a node (a branch, a loop's body), or the body of a local function.
class Scope {
 public:
  /// nullptr for the main graph and for functions.
  [[nodiscard]] Scope* outer() const { return outer_; }
  [[nodiscard]] Node* owner() const { return owner_; }  ///< the node whose inner graph it is
  [[nodiscard]] bool is_function() const { return function_ != nullptr; }
  [[nodiscard]] const std::vector<Node*>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<Value*>& inputs() const { return inputs_; }    ///< with initialisers that are inputs
  [[nodiscard]] const std::vector<Value*>& outputs() const { return outputs_; }  ///< a value may stand there twice
  [[nodiscard]] const std::vector<Value*>& initializers() const { return initializers_; }
  /// The value of this name that is seen from here; nullptr when none is.
  [[nodiscard]] Value* find(const std::string& name) const;
  [[nodiscard]] bool is_inside(const Scope& other) const;  ///< it is `other` or lies in it

 private:
  friend class Rewriter;
  onnx::GraphProto* graph_ = nullptr;
  onnx::FunctionProto* function_ = nullptr;
  Scope* outer_ = nullptr;
  Node* owner_ = nullptr;
  std::unordered_map<std::string, Value*> values_;
  std::vector<Node*> nodes_;
  std::vector<Value*> inputs_, outputs_, initializers_;
  bool is_unsorted_ = false, is_removed_ = false;
};

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
  /// A name that no value (no node) of any scope has, made from `wanted`; it counts as taken from now on.
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
  Node& insert_taking_name(Value& value, const std::string& op_type, std::string_view inner_name,
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
  std::unordered_map<std::string, std::int64_t> value_names_, node_names_;  // and the number of the next namesake
  std::set<const onnx::ValueInfoProto*> forgotten_;
  bool has_removed_ = false;
};

}  // namespace slipway::compile::onnx_graph
