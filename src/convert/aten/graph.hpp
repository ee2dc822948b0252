#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "convert/aten/scalar_type.hpp"
#include "tensor/shape.hpp"

/// A PyTorch model as its archive tells it: a straight line of ATen calls over values, and the tensors that it stores.
/// Readers of archives make it, the functionalisation rewrites it, the table of operators lowers it to ONNX.
namespace slipway::convert::aten {

/// A value of the graph: its place in Graph::values.
using ValueId = std::uint32_t;

/// Numbers as ATen gives them.
enum class MemoryFormat : std::uint8_t { kContiguous = 0, kPreserve = 1, kChannelsLast = 2, kChannelsLast3d = 3 };

struct None {
  friend bool operator==(const None&, const None&) = default;
};

/// The value that a node, an input or a stored tensor gives: a tensor, or a number (or list) that the graph computes.
struct Reference {
  ValueId value = 0;
  friend bool operator==(const Reference&, const Reference&) = default;
};

struct Device {
  std::string name;  ///< "cpu", "cuda:0"
  friend bool operator==(const Device&, const Device&) = default;
};

struct Layout {
  std::int64_t number = 0;  ///< ATen's: 0 is strided
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// What an archive says at a place of a call. A list holds arguments of any kind: sizes of which some are computed,
/// tensors of which some are missing, lists of lists. Dtypes and memory formats may come as their ATen numbers, as
/// TorchScript writes them; who reads an argument takes both.
struct Argument;
using List = std::vector<Argument>;
struct Argument {
  using Held = std::variant<None, bool, std::int64_t, double, std::string, ScalarType, MemoryFormat, Layout, Device,
                            Reference, List>;
  Held held;

  Argument() = default;
  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Argument> && std::is_constructible_v<Held, T>)
  Argument(T&& value) : held(std::forward<T>(value)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_none() const { return std::holds_alternative<None>(held); }
  template <typename T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&held);
  }
  friend bool operator==(const Argument&, const Argument&) = default;
};

/// Calls `visit(ValueId&)` for every value an argument names, lists included. @pre  lists are at most kDeepestList deep
inline constexpr int kDeepestList = 8;
template <typename Visit>
void for_each_reference(Argument& argument, Visit&& visit) {
  if (auto* const reference = std::get_if<Reference>(&argument.held)) visit(reference->value);
  if (auto* const list = std::get_if<List>(&argument.held)) {
    for (Argument& element : *list) for_each_reference(element, visit);
  }
}
template <typename Visit>
void for_each_reference(const Argument& argument, Visit&& visit) {
  if (const auto* const reference = argument.get<Reference>()) visit(reference->value);
  if (const auto* const list = argument.get<List>()) {
    for (const Argument& element : *list) for_each_reference(element, visit);
  }
}

/// A size in a tensor's declaration: a number, or an expression over symbols ("s77", "2*s77") that is known when the
/// model runs.
struct Dimension {
  std::optional<std::int64_t> size;
  std::string expression;  ///< "" where `size` is known
  friend bool operator==(const Dimension&, const Dimension&) = default;
};

/// What an archive declares of a tensor. TorchScript declares nothing.
struct TensorMeta {
  ScalarType dtype = ScalarType::kFloat32;
  std::vector<Dimension> sizes;
  std::optional<std::vector<std::int64_t>> strides = std::nullopt;  ///< in elements; where all of them are numbers
  friend bool operator==(const TensorMeta&, const TensorMeta&) = default;
};

struct Value {
  std::string name;  ///< as in the archive
  std::optional<TensorMeta> meta;
};

/// Where in the model's source a call stands, as far as the archive says.
struct Source {
  std::string module_path;  ///< "backbone.layer3.0.conv2"; "" is the model itself
  std::string line;         ///< "net.py:10: x = self.conv(x)"
};

struct NamedArgument {
  std::string name;  ///< of ATen's schema; "" for a positional one. Positional ones come first
  Argument argument;
};

/// What a call gives at one place: one value, or a list whose length is known ("as_tensors": split, unbind).
struct Output {
  std::vector<ValueId> values;
  bool is_list = false;
};

struct Node {
  /// "aten.conv2d.default", "_operator.mul", "torchvision.nms". Where the archive leaves the overload out, as
  /// TorchScript does, so does the name ("aten.conv2d"), and the table of operators finds it by the arguments.
  std::string operator_name;
  std::vector<NamedArgument> arguments;
  std::vector<Output> outputs;
  Source source;
};

/// A tensor as an archive stores it: a view of memory, mapped and never copied.
/// @pre  checked by whoever reads the archive: no size or stride is negative, and every element lies in `bytes`
struct StoredTensor {
  ScalarType dtype = ScalarType::kFloat32;
  tensor::Shape shape;
  std::vector<std::int64_t> strides;  ///< in elements, one for each dimension
  std::span<const std::byte> bytes;   ///< from the first element on; little-endian
  std::shared_ptr<const void> owner;  ///< keeps `bytes` alive
};

/// Whether the elements lie packed in row-major order, so that `bytes` begins with just what a tensor file holds.
[[nodiscard]] bool is_contiguous(const StoredTensor& stored);

/// The elements packed in row-major order: a copy.
[[nodiscard]] std::vector<std::byte> packed(const StoredTensor& stored);

/// How many elements are not a number (NaN); 0 for integers. @cost a pass over the elements
[[nodiscard]] std::uint64_t count_not_numbers(const StoredTensor& stored);

enum class StoredKind : std::uint8_t { kParameter, kBuffer, kConstant };

struct StoredValue {
  ValueId value = 0;
  StoredKind kind = StoredKind::kParameter;
  std::string name;  ///< under its module path: "layer1.0.conv1.weight"
  StoredTensor tensor;
  bool is_number = false;  ///< of rank 0, and takes part in type promotion as a Python number does
};

struct GraphInput {
  ValueId value = 0;
  std::string name;
};

struct GraphOutput {
  Argument argument;  ///< a Reference, or a constant that the model returns
  std::string name;
};

/// Limits that an archive states for a symbol of its sizes.
struct SymbolRange {
  std::optional<std::int64_t> smallest, largest;
};

struct Graph {
  std::string producer;  ///< "PyTorch 2.11.0+cu130"
  std::vector<Value> values;
  std::vector<GraphInput> inputs;
  std::vector<StoredValue> stored;
  std::vector<Node> nodes;  ///< each after the nodes whose values it reads
  std::vector<GraphOutput> outputs;
  std::map<std::string, SymbolRange> symbols;

  ValueId add_value(std::string name, std::optional<TensorMeta> meta = std::nullopt);
};

/// "float32[s77,3,8,8]".
[[nodiscard]] std::string to_string(const TensorMeta& meta);

}  // namespace slipway::convert::aten
