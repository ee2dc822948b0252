#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compile/onnx_graph/attribute.hpp"
#include "compile/onnx_graph/value_type.hpp"

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
  void name_output(std::size_t position, const std::string& name);
  onnx::GraphProto* graph_ = nullptr;
  onnx::FunctionProto* function_ = nullptr;
  Scope* outer_ = nullptr;
  Node* owner_ = nullptr;
  std::unordered_map<std::string, Value*> values_;
  std::vector<Node*> nodes_;
  std::vector<Value*> inputs_, outputs_, initializers_;
  bool is_unsorted_ = false, is_removed_ = false;
};

}  // namespace slipway::compile::onnx_graph
