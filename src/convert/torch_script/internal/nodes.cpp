#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "convert/torch_script/internal/evaluator.hpp"
#include "convert/torch_script/internal/limits.hpp"

/// What becomes part of the graph: calls of operators, and the stored tensors that they read.
namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;

/// Operators that give a list: where their result is not taken apart at once, who reads it tells how long it is.
constexpr auto kGivesList = std::to_array<std::string_view>(
    {"split", "split_with_sizes", "chunk", "unbind", "tensor_split", "meshgrid", "broadcast_tensors", "unsafe_split",
     "unsafe_chunk", "hsplit", "vsplit", "dsplit"});

}  // namespace

base::Result<Object*> Evaluator::emit(std::string operator_name, const Call& made, const Frame& frame, int line,
                                      Wanted wanted) {
  aten::Node node;
  node.operator_name = std::move(operator_name);
  node.source.module_path = frame.module_path;
  if (frame.unit != nullptr && line > 0 && static_cast<std::size_t>(line) <= frame.unit->lines.size()) {
    node.source.line = shown_line(*frame.unit, *frame.file, line);
  }
  for (std::size_t i = 0; i < made.arguments.size(); ++i) {
    auto argument = argument_of(made.arguments[i]);
    if (!argument) {
      base::Error error = argument.error().with(fmt::format("argument {} of {}", i + 1, node.operator_name));
      return frame.unit == nullptr ? std::unexpected(std::move(error)) : refuse(frame, line, std::move(error));
    }
    node.arguments.push_back({made.keywords[i], std::move(*argument)});
  }
  const std::string_view bare = std::string_view(node.operator_name).substr(node.operator_name.rfind('.') + 1);
  const bool gives_list =
      wanted.as_list || (wanted.count == 1 && std::ranges::find(kGivesList, bare) != kGivesList.end());
  const std::size_t place = graph_.nodes.size();
  if (gives_list) {
    node.outputs.push_back({{}, true});
    graph_.nodes.push_back(std::move(node));
    return heap_.make(ComputedList{place});
  }
  Sequence results{true, {}};
  for (std::size_t i = 0; i < wanted.count; ++i) {
    const aten::ValueId value = graph_.add_value("");
    node.outputs.push_back({{value}, false});
    results.elements.push_back(heap_.make(Computed{value}));
  }
  graph_.nodes.push_back(std::move(node));
  return wanted.count == 1 ? results.elements[0] : heap_.make(std::move(results));
}

base::Result<aten::Argument> Evaluator::argument_of(Object* object, int depth) {
  if (depth > aten::kDeepestList) return fail(ErrorCode::kInvalidArgument, "lists are nested too deeply");
  if (const auto* const truth = object->get<bool>()) return aten::Argument(*truth);
  if (const auto* const integer = object->get<std::int64_t>()) return aten::Argument(*integer);
  if (const auto* const real = object->get<double>()) return aten::Argument(*real);
  if (const auto* const text = object->get<std::string>()) return aten::Argument(*text);
  if (const auto* const device = object->get<aten::Device>()) return aten::Argument(*device);
  if (const auto* const computed = object->get<Computed>()) return aten::Argument(aten::Reference{computed->value});
  if (object->get<aten::StoredTensor>() != nullptr) return aten::Argument(aten::Reference{stored_value(object)});
  if (object->is_none()) return aten::Argument();
  if (const auto* const sequence = object->get<Sequence>()) {
    aten::List list;
    for (Object* element : sequence->elements) {
      if (++steps_ > kMostSteps) return fail(ErrorCode::kResourceExhausted, "its lists are too long");
      SLIPWAY_ASSIGN(aten::Argument argument, argument_of(element, depth + 1));
      list.push_back(std::move(argument));
    }
    return aten::Argument(std::move(list));
  }
  if (const auto* const computed = object->get<ComputedList>()) {
    const auto& values = graph_.nodes[computed->node].outputs[0].values;
    if (values.empty()) {
      return fail(ErrorCode::kUnimplemented, "a list of {} whose length the code does not tell",
                  graph_.nodes[computed->node].operator_name);
    }
    aten::List list;
    for (const aten::ValueId value : values) list.emplace_back(aten::Reference{value});
    return aten::Argument(std::move(list));
  }
  if (const auto* const sizes = object->get<Sizes>()) {
    Frame nowhere{.unit = nullptr, .file = nullptr, .module_path = {}, .variables = {}};
    SLIPWAY_ASSIGN(Object* const all, emit("aten.size", Call{{sizes->tensor}, {""}}, nowhere, 0, {}));
    return argument_of(all, depth);
  }
  return fail(ErrorCode::kUnimplemented, "{} cannot be given to an operator", kind_of(*object));
}

aten::ValueId Evaluator::stored_value(Object* object) {
  const auto known = stored_.find(object);
  if (known != stored_.end()) return known->second;
  const auto& tensor = *object->get<aten::StoredTensor>();
  aten::TensorMeta meta{tensor.dtype, {}};
  for (const std::int64_t size : tensor.shape) meta.sizes.push_back({size, ""});
  const auto path = paths_.find(object);
  std::string name = path == paths_.end() ? fmt::format("tensor_{}", stored_.size()) : path->second;
  const aten::ValueId value = graph_.add_value(name, std::move(meta));
  const auto kind = kinds_.find(object);
  // PyTorch stores the numbers of a trace among its constants, as tensors of the widest types, and knows them again.
  const bool is_wide = tensor.dtype == aten::ScalarType::kFloat64 || tensor.dtype == aten::ScalarType::kInt64;
  const bool is_number = is_wide && tensor.shape.empty() && name.starts_with("CONSTANTS.c");
  graph_.stored.push_back(
      {value, kind == kinds_.end() ? aten::StoredKind::kConstant : kind->second, std::move(name), tensor, is_number});
  stored_.emplace(object, value);
  return value;
}

}  // namespace slipway::convert::torch_script::internal
