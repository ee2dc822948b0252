#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "compile/onnx_graph/rewriter.hpp"
#include "convert/aten/graph.hpp"

namespace slipway::convert::operators::internal {

using aten::ScalarType;
using tensor::Shape;

/// Elements that are known while converting: a stored tensor, or what was computed from such.
struct Constant {
  std::string name;  ///< under its module path, or ""
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// A tensor of the model under way: a value of the ONNX graph, or a constant that becomes one when a node reads it.
struct Tensor {
  ScalarType dtype = ScalarType::kFloat32;
  Shape shape;  ///< -1 where a size is known only when the model runs
  compile::onnx_graph::Value* value = nullptr;
  std::shared_ptr<const Constant> constant;
  bool is_number = false;  ///< stored as a tensor of rank 0, and promotes as a Python number does

  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
};

/// A number that the graph computes, as a tensor of rank 0: it takes part in type promotion as a Python number does.
struct Number {
  Tensor tensor;
};

/// What an argument of a call is, or what a call gives.
struct Operand;
using Operands = std::vector<Operand>;
struct Operand {
  using Held = std::variant<aten::None, bool, std::int64_t, double, std::string, ScalarType, aten::MemoryFormat,
                            aten::Layout, aten::Device, Tensor, Number, Operands>;
  Held held;

  Operand() = default;
  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Operand> && std::is_constructible_v<Held, T>)
  Operand(T&& value) : held(std::forward<T>(value)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_none() const { return std::holds_alternative<aten::None>(held); }
  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&held);
  }
};

/// "a tensor float32[1,3]", "the number 3", "a list": for messages.
[[nodiscard]] std::string describe(const Operand& operand);

}  // namespace slipway::convert::operators::internal
