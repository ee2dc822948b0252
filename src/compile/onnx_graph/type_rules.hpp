#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

/// What the operators make of the types of their inputs.
namespace slipway::compile::onnx_graph::type_rules {

using tensor::Shape;
using Integers = std::vector<std::int64_t>;
using KnownShape = std::optional<Shape>;
/// Of all outputs, as far as they are known.
using Types = std::vector<ValueType>;

constexpr std::int64_t kOpen = -1;

/// A node with what is known of its inputs.
struct Facts {
  const InferredTypes& inferred;
  const Node& node;

  [[nodiscard]] ValueType type(std::size_t i) const;
  [[nodiscard]] KnownShape shape(std::size_t i) const { return type(i).shape; }
  [[nodiscard]] std::optional<Integers> integers(std::size_t i) const;
  /// An axis list, which is an attribute in older operator sets and an input in newer ones.
  [[nodiscard]] std::optional<Integers> axes(std::size_t i) const;
};

[[nodiscard]] std::optional<int> number(tensor::Dtype dtype);
/// A place in a shape for an axis that may count from the end; nothing when it lies outside.
[[nodiscard]] std::optional<std::size_t> place(std::int64_t axis, std::size_t rank);
/// Sets the entries that the axes name; false when one lies outside.
[[nodiscard]] bool mark(const Integers& axes, std::vector<bool>& marked);
/// What a list of sizes that are not known makes, from the list's own shape.
[[nodiscard]] KnownShape open_of_rank(const KnownShape& list);
[[nodiscard]] KnownShape broadcast(const KnownShape& a, const KnownShape& b);
[[nodiscard]] std::optional<std::int64_t> product(std::span<const std::int64_t> sizes);

using Rule = Types (*)(const Facts&);
/// The rule of a standard operator; nullptr for those that have none.
[[nodiscard]] Rule find(std::string_view op_type);
[[nodiscard]] std::vector<std::string_view> operators();  ///< that have a rule

/// The elements of the node's output where they are the same in every run.
[[nodiscard]] std::optional<Integers> known_integers(const Facts& facts);

// Element by element: the shape of the data, or what broadcasting makes of several.
Types same(const Facts& facts);
Types same_for_first(const Facts& facts);
Types elementwise(const Facts& facts);
Types comparison(const Facts& facts);
Types test(const Facts& facts);
Types where(const Facts& facts);
Types cast(const Facts& facts);
Types quantize(const Facts& facts);
Types dequantize(const Facts& facts);

// Elements that move, the same in another place.
Types transpose(const Facts& facts);
Types concat(const Facts& facts);
Types reshape(const Facts& facts);
Types flatten(const Facts& facts);
Types unsqueeze(const Facts& facts);
Types squeeze(const Facts& facts);
Types gather(const Facts& facts);
Types gather_elements(const Facts& facts);
Types gather_nd(const Facts& facts);
Types slice(const Facts& facts);
Types expand(const Facts& facts);
Types pad(const Facts& facts);
Types split(const Facts& facts);
Types tile(const Facts& facts);
Types depth_to_space(const Facts& facts);
/// For operators that move elements to sizes that nobody here needs.
Types moved(const Facts& facts);

// Sizes, and what is filled to a size.
Types shape_of(const Facts& facts);
Types size_of(const Facts& facts);
Types range(const Facts& facts);
Types constant_of_shape(const Facts& facts);
Types non_zero(const Facts& facts);

// Axes that become one number, or a few.
Types reduce(const Facts& facts);
Types arg_extreme(const Facts& facts);
Types top_k(const Facts& facts);

// Layers.
Types mat_mul(const Facts& facts);
Types gemm(const Facts& facts);
Types conv(const Facts& facts);
Types pool(const Facts& facts);
Types global_pool(const Facts& facts);
Types conv_transpose(const Facts& facts);
Types resize(const Facts& facts);
Types grid_sample(const Facts& facts);
/// LSTM, GRU and RNN: all steps, then the last state (twice for LSTM).
Types recurrent(const Facts& facts);

// What branches give.
Types given_by_branches(const Facts& facts);

}  // namespace slipway::compile::onnx_graph::type_rules
