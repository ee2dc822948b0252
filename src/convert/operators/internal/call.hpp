#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convert/operators/internal/builder.hpp"
#include "convert/operators/schema.hpp"

namespace slipway::convert::operators::internal {

using compile::onnx_graph::Attributes;
using Integers = std::vector<std::int64_t>;

/// A call of an operator under way: its arguments by the names of the schema, and the nodes it becomes. Whoever asks
/// for an argument in a form that it does not have ends the call with a Refusal.
class Call {
 public:
  Call(Builder& builder, const Schema& schema, const Operands& arguments)
      : builder_(builder), schema_(schema), arguments_(arguments) {}

  // Arguments. -----------------------------------------------------------------------------------------------------
  [[nodiscard]] const Operand& operand(std::string_view name) const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;  ///< it is not None
  /// A number becomes a tensor of rank 0 of its default type.
  [[nodiscard]] Tensor tensor(std::string_view name) const;
  [[nodiscard]] std::vector<Tensor> tensors(std::string_view name) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double real(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::optional<ScalarType> dtype(std::string_view name) const;
  /// @param count  how many are asked for; one given stands for all. 0 takes what is there
  [[nodiscard]] Integers integers(std::string_view name, std::size_t count = 0) const;
  [[nodiscard]] std::vector<double> reals(std::string_view name) const;
  /// Sizes of which some may be computed by the graph: constants where they can be.
  [[nodiscard]] std::vector<Operand> sizes(std::string_view name) const;
  /// An axis counted from the front. @param rank  of the tensor it is of
  [[nodiscard]] std::int64_t axis(std::string_view name, std::int64_t rank) const;
  [[nodiscard]] const std::string& operator_name() const { return schema_.name; }

  // Nodes. ---------------------------------------------------------------------------------------------------------
  [[nodiscard]] Builder& builder() const { return builder_; }
  Tensor add(const std::string& op_type, const std::vector<Tensor>& inputs, const Attributes& attributes = {}) const {
    return builder_.add(op_type, inputs, attributes);
  }

  // What many operators need. --------------------------------------------------------------------------------------
  [[nodiscard]] Tensor cast(const Tensor& tensor, ScalarType to) const;
  /// @param shape  static but for one size, which may be -1
  [[nodiscard]] Tensor reshape(const Tensor& tensor, const Integers& shape) const;
  [[nodiscard]] Tensor transpose(const Tensor& tensor, const Integers& permutation) const;
  [[nodiscard]] Tensor unsqueeze(const Tensor& tensor, const Integers& axes) const;
  [[nodiscard]] Tensor squeeze(const Tensor& tensor, const Integers& axes) const;
  [[nodiscard]] Tensor slice(const Tensor& tensor, std::int64_t axis, std::int64_t begin, std::int64_t end,
                             std::int64_t step = 1) const;
  [[nodiscard]] Tensor concat(const std::vector<Tensor>& tensors, std::int64_t axis) const;
  [[nodiscard]] Tensor reduce(const std::string& op_type, const Tensor& tensor, const Integers& axes,
                              bool keepdim) const;
  /// A size of a tensor: a number, or the Number that the graph computes.
  [[nodiscard]] Operand size_of(const Tensor& tensor, std::int64_t axis) const;
  /// Sizes as an int64 tensor of rank 1.
  [[nodiscard]] Tensor tensor_of_sizes(const std::vector<Operand>& sizes) const;
  /// Sizes that are all known; nothing when one is not.
  [[nodiscard]] static std::optional<Integers> known(const std::vector<Operand>& sizes);
  [[nodiscard]] Tensor expand(const Tensor& tensor, const std::vector<Operand>& sizes) const;
  /// A number as a tensor of rank 0 of this type.
  [[nodiscard]] Tensor number(const Operand& operand, ScalarType type) const;
  [[nodiscard]] std::vector<Operand> sizes_of(const Tensor& tensor) const;

 private:
  Builder& builder_;
  const Schema& schema_;
  const Operands& arguments_;
};

/// The type that ATen computes in, for tensors, tensors of rank 0 and numbers together.
[[nodiscard]] ScalarType promoted(const std::vector<const Operand*>& operands);

[[nodiscard]] bool is_floating(ScalarType type);
[[nodiscard]] inline bool is_integral(ScalarType type) {
  return !is_floating(type) && type != ScalarType::kBool;
}

/// An axis counted from the front, for a tensor of this rank; scalars have one as ATen has it.
[[nodiscard]] std::int64_t from_front(std::int64_t axis, std::int64_t rank);
/// The numbers from 0 on.
[[nodiscard]] Integers counted(std::int64_t count);

/// A row of the table: a schema, and the function that writes its nodes.
struct Operator {
  std::string_view schema;
  Operand (*lower)(Call&);
};

}  // namespace slipway::convert::operators::internal
