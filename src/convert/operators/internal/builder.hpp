#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/rewriter.hpp"
#include "convert/operators/internal/operand.hpp"

namespace slipway::convert::operators::internal {

/// Thrown by the function of an operator for what it does not take, and caught where the graph is lowered, the one
/// place that knows the call: operators stay a few lines. It never leaves this module.
struct Refusal {
  base::Code code;
  std::string message;
};

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal{base::Code::kUnimplemented, fmt::format(format, std::forward<Args>(args)...)};
}

/// Writes nodes into the model. What is computed from constants alone is computed at once and leaves no node.
class Builder {
 public:
  Builder(compile::onnx_graph::Rewriter& rewriter, std::int64_t opset) : rewriter_(rewriter), opset_(opset) {}

  [[nodiscard]] std::int64_t opset() const { return opset_; }
  /// The name of the nodes that follow: "layer1.0.conv1/conv2d".
  void set_name(std::string name) { name_ = std::move(name); }

  /// A node of one output.
  Tensor add(const std::string& op_type, const std::vector<Tensor>& inputs,
             const compile::onnx_graph::Attributes& attributes = {});
  /// One of several. Inputs without a value stand for optional ones that are left out.
  std::vector<Tensor> add_several(const std::string& op_type, const std::vector<Tensor>& inputs, std::size_t outputs,
                                  const compile::onnx_graph::Attributes& attributes = {});

  Tensor input(const std::string& name, ScalarType dtype, const Shape& shape,
               const std::vector<std::string>& dimension_names);
  /// A constant over bytes that `owner` keeps alive.
  Tensor stored(std::string name, ScalarType dtype, Shape shape, std::span<const std::byte> bytes,
                std::shared_ptr<const void> owner);
  Tensor constant(ScalarType dtype, Shape shape, std::vector<std::byte> bytes);
  Tensor integers(const std::vector<std::int64_t>& values);  ///< int64, rank 1
  Tensor integer(std::int64_t value);                        ///< int64, rank 0
  Tensor number(ScalarType dtype, double value);             ///< of rank 0
  Tensor number(ScalarType dtype, std::int64_t value);
  Tensor full(ScalarType dtype, Shape shape, double value);

  /// The ONNX value of a tensor; a constant becomes an initialiser when it is first asked for.
  compile::onnx_graph::Value* value_of(const Tensor& tensor);
  void add_output(const Tensor& tensor, const std::string& name, const std::vector<std::string>& dimension_names);

 private:
  compile::onnx_graph::Rewriter& rewriter_;
  compile::onnx_graph::InferredTypes types_;
  std::int64_t opset_;
  std::string name_;
  std::unordered_map<const Constant*, compile::onnx_graph::Value*> initializers_;
  std::vector<std::shared_ptr<const Constant>> retained_;
};

/// The elements of a constant of integers or booleans; nothing for other tensors.
[[nodiscard]] std::optional<std::vector<std::int64_t>> integers_of(const Tensor& tensor);
/// The one element of a constant.
[[nodiscard]] std::optional<double> scalar_of(const Tensor& tensor);

}  // namespace slipway::convert::operators::internal
