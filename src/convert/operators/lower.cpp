#include "convert/operators/lower.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/ranges.h>

#include "convert/operators/internal/bind.hpp"
#include "convert/operators/internal/call.hpp"
#include "convert/operators/table.hpp"

namespace slipway::convert::operators {
namespace {

using aten::Argument;
using aten::Graph;
using aten::Node;
using aten::ValueId;
using base::Code;
using base::Result;
using internal::Builder;
using internal::Call;
using internal::Number;
using internal::Operand;
using internal::Operands;
using internal::Refusal;
using internal::Tensor;
using tensor::TensorSpec;

/// IR version of a file with operators of this set.
std::int64_t ir_version_of(std::int64_t opset) {
  return opset >= 21 ? 10 : opset >= 19 ? 9 : 8;
}

std::string place_of(const Node& node) {
  std::string place = node.operator_name;
  if (!node.source.module_path.empty()) place += " in " + node.source.module_path;
  if (!node.source.line.empty()) place += " (" + node.source.line + ")";
  return place;
}

/// "conv2d" of "aten.conv2d.default".
std::string_view short_name(std::string_view name) {
  if (const auto dot = name.find('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  return name.substr(0, name.find('.'));
}

class Lowering {
 public:
  Lowering(const Graph& graph, const LoweringOptions& options, compile::onnx_graph::Rewriter& rewriter)
      : graph_(graph), options_(options), builder_(rewriter, options.opset), operands_(graph.values.size()) {}

  Result<void> run() {
    find_live();
    SLIPWAY_TRY(refuse_unknown());
    SLIPWAY_TRY(add_inputs());
    for (const aten::StoredValue& stored : graph_.stored) {
      if (!is_live_[stored.value]) continue;
      SLIPWAY_TRY(add_stored(stored));
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!is_needed_[i]) continue;
      auto lowered = lower_node(graph_.nodes[i]);
      if (!lowered) return std::unexpected(lowered.error().with(place_of(graph_.nodes[i])));
    }
    return add_outputs();
  }

 private:
  void find_live() {
    is_live_.assign(graph_.values.size(), false);
    is_needed_.assign(graph_.nodes.size(), false);
    const auto mark = [&](ValueId value) { is_live_[value] = true; };
    for (const aten::GraphOutput& output : graph_.outputs) aten::for_each_reference(output.argument, mark);
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      for (const aten::Output& output : graph_.nodes[i].outputs) {
        for (const ValueId value : output.values) is_needed_[i] = is_needed_[i] || is_live_[value];
      }
      if (!is_needed_[i]) continue;
      for (const aten::NamedArgument& each : graph_.nodes[i].arguments) aten::for_each_reference(each.argument, mark);
    }
  }

  Result<void> refuse_unknown() const {
    std::map<std::string, int> missing;
    const Node* first = nullptr;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (!is_needed_[i] || !find_rows(node.operator_name).empty()) continue;
      if (first == nullptr) first = &node;
      ++missing[node.operator_name];
    }
    if (first == nullptr) return {};
    std::vector<std::string> names;
    for (const auto& [name, count] : missing) names.push_back(fmt::format("{} ({} times)", name, count));
    return base::fail(
        Code::kUnimplemented,
        "no operator of this table: {}; the first is {}. `slipway convert --operators` lists what there is",
        fmt::join(names, ", "), place_of(*first));
  }

  Result<void> add_inputs() {
    const auto& specs = options_.input_specs;
    if (!specs.empty() && specs.size() != graph_.inputs.size()) {
      return base::fail(Code::kInvalidArgument, "the model has {} inputs, found {} input specs", graph_.inputs.size(),
                        specs.size());
    }
    const bool by_name = std::ranges::all_of(specs, [&](const TensorSpec& spec) {
      return std::ranges::find(graph_.inputs, spec.name, &aten::GraphInput::name) != graph_.inputs.end();
    });
    std::vector<const TensorSpec*> chosen(graph_.inputs.size(), nullptr);
    std::set<std::string> names;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (!names.insert(specs[i].name).second) {
        return base::fail(Code::kInvalidArgument, "two input specs are named '{}'", specs[i].name);
      }
      const auto place =
          by_name ? std::ranges::find(graph_.inputs, specs[i].name, &aten::GraphInput::name) - graph_.inputs.begin()
                  : static_cast<std::ptrdiff_t>(i);
      chosen[static_cast<std::size_t>(place)] = &specs[i];
    }
    // All sizes first: an input may fix the symbol of another.
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      if (chosen[i] != nullptr) SLIPWAY_TRY(fix_symbols(graph_.inputs[i], *chosen[i]));
    }
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) SLIPWAY_TRY(add_input(graph_.inputs[i], chosen[i]));
    return {};
  }

  Result<void> fix_symbols(const aten::GraphInput& input, const TensorSpec& spec) {
    const auto& meta = graph_.values[input.value].meta;
    if (!meta) return {};
    const auto dtype = aten::dtype_of(meta->dtype);
    bool fits = dtype == spec.dtype && meta->sizes.size() == spec.shape.size();
    for (std::size_t i = 0; fits && i < spec.shape.size(); ++i) {
      const aten::Dimension& dimension = meta->sizes[i];
      fits = spec.shape[i] >= 0 && (!dimension.size || *dimension.size == spec.shape[i]);
    }
    if (!fits) {
      return base::fail(Code::kInvalidArgument, "input '{}': expected {}, found the spec {}", input.name,
                        aten::to_string(*meta), tensor::to_string(spec));
    }
    for (std::size_t i = 0; i < spec.shape.size(); ++i) {
      const aten::Dimension& dimension = meta->sizes[i];
      if (dimension.size) continue;
      const std::int64_t size = spec.shape[i];
      const auto [held, is_new] = symbols_.emplace(dimension.expression, size);
      if (!is_new && held->second != size) {
        return base::fail(Code::kInvalidArgument, "input '{}': dimension {} is {} as elsewhere, which is {}, found {}",
                          input.name, i, dimension.expression, held->second, size);
      }
      const auto range = graph_.symbols.find(dimension.expression);
      if (range == graph_.symbols.end()) continue;
      if (size < range->second.smallest.value_or(size) || size > range->second.largest.value_or(size)) {
        return base::fail(Code::kInvalidArgument, "input '{}': dimension {} ({}) must be from {} to {}, found {}",
                          input.name, i, dimension.expression, range->second.smallest.value_or(0),
                          range->second.largest ? std::to_string(*range->second.largest) : "any size", size);
      }
    }
    return {};
  }

  /// The size of a dimension, -1 when it stays open.
  std::int64_t size_of(const aten::Dimension& dimension) const {
    if (dimension.size) return *dimension.size;
    const auto fixed = symbols_.find(dimension.expression);
    return fixed == symbols_.end() ? -1 : fixed->second;
  }

  /// Names of the sizes that stay open; nothing when none does.
  std::vector<std::string> names_of(const std::vector<aten::Dimension>& sizes) const {
    std::vector<std::string> names;
    for (const aten::Dimension& each : sizes) names.push_back(size_of(each) < 0 ? each.expression : "");
    const bool has_any = std::ranges::any_of(names, [](const std::string& name) { return !name.empty(); });
    return has_any ? names : std::vector<std::string>{};
  }

  Result<void> add_input(const aten::GraphInput& input, const TensorSpec* spec) {
    const auto& meta = graph_.values[input.value].meta;
    if (!meta && spec == nullptr) {
      return base::fail(
          Code::kInvalidArgument,
          "the archive does not say shape and type of input '{}': give --input-spec {}=1x3x224x224:float32", input.name,
          input.name);
    }
    tensor::Shape shape;
    if (meta) {
      for (const aten::Dimension& each : meta->sizes) shape.push_back(size_of(each));
    } else {
      shape = spec->shape;
    }
    const bool is_open = std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; });
    const bool is_negative =
        meta && std::ranges::any_of(meta->sizes, [](const aten::Dimension& each) { return each.size.value_or(0) < 0; });
    if (is_negative || (!is_open && !tensor::element_count(shape))) {
      return base::fail(Code::kInvalidArgument,
                        "input '{}': expected sizes from 0 whose product can be counted in 63 bits, found [{}]",
                        input.name, fmt::join(shape, ","));
    }
    const aten::ScalarType dtype = meta ? meta->dtype : aten::scalar_type_of(spec->dtype);
    const std::string& name = spec != nullptr ? spec->name : input.name;
    input_names_.insert(name);
    operands_[input.value] =
        builder_.input(name, dtype, shape, meta ? names_of(meta->sizes) : std::vector<std::string>{});
    return {};
  }

  Result<void> add_stored(const aten::StoredValue& stored) {
    const aten::StoredTensor& held = stored.tensor;
    const auto count = tensor::element_count(held.shape);
    const std::size_t size = aten::scalar_type_size_bytes(held.dtype);
    if (!aten::dtype_of(held.dtype)) {
      return base::fail(Code::kUnimplemented, "'{}' holds {}, which ONNX has no tensors of", stored.name,
                        aten::scalar_type_name(held.dtype));
    }
    if (aten::is_contiguous(held)) {
      const auto bytes = held.bytes.first(static_cast<std::size_t>(*count) * size);
      Tensor tensor = builder_.stored(stored.name, held.dtype, held.shape, bytes, held.owner);
      tensor.is_number = stored.is_number;
      operands_[stored.value] = std::move(tensor);
      return {};
    }
    auto packed = std::make_shared<std::vector<std::byte>>(aten::packed(held));
    operands_[stored.value] = builder_.stored(stored.name, held.dtype, held.shape, *packed, packed);
    return {};
  }

  Result<Operand> operand_of(const Argument& argument) const {
    if (const auto* const reference = argument.get<aten::Reference>()) {
      const auto& operand = operands_[reference->value];
      if (!operand) {
        return base::fail(Code::kInvalidArgument, "it reads '{}', which nothing before it gives",
                          graph_.values[reference->value].name);
      }
      return *operand;
    }
    if (const auto* const list = argument.get<aten::List>()) {
      Operands operands;
      for (const Argument& each : *list) {
        SLIPWAY_ASSIGN(Operand operand, operand_of(each));
        operands.push_back(std::move(operand));
      }
      return Operand(std::move(operands));
    }
    return internal::operand_of_constant(argument);
  }

  Result<void> lower_node(const Node& node) {
    std::vector<internal::NamedOperand> given_arguments;
    for (const aten::NamedArgument& each : node.arguments) {
      SLIPWAY_ASSIGN(Operand operand, operand_of(each.argument));
      given_arguments.push_back({each.name, std::move(operand)});
    }
    // The first overload that fits; a number stands for a tensor only where none fits otherwise.
    const auto rows = find_rows(node.operator_name);
    const TableRow* row = nullptr;
    Result<Operands> operands = Operands{};
    for (const bool is_strict : {true, false}) {
      for (const TableRow* const each : rows) {
        if (row != nullptr) break;
        operands = internal::bind(each->schema, given_arguments, is_strict);
        if (operands) row = each;
      }
    }
    if (row == nullptr) return std::unexpected(operands.error());
    builder_.set_name(node.source.module_path.empty()
                          ? std::string(short_name(node.operator_name))
                          : fmt::format("{}/{}", node.source.module_path, short_name(node.operator_name)));
    Operand given;
    try {
      Call call(builder_, row->schema, *operands);
      given = row->lowering->lower(call);
    } catch (const Refusal& refusal) {
      return std::unexpected(base::Error{refusal.code, refusal.message});
    } catch (const std::bad_alloc&) {
      return base::fail(base::Reason::kOutOfMemory, "no memory for what it computes");
    } catch (const std::exception& error) {
      // A rank that the operator does not take: sizes are read with a check.
      return base::fail(Code::kInvalidArgument, "its arguments do not fit each other ({})", error.what());
    }
    return bind(node, std::move(given));
  }

  Result<void> bind(const Node& node, Operand given) {
    if (node.outputs.size() == 1) return bind(node.outputs.front(), std::move(given));
    const auto* const list = given.get<Operands>();
    if (list == nullptr || list->size() < node.outputs.size()) {
      return base::fail(Code::kInvalidArgument, "the archive takes {} values from it, it gives {}", node.outputs.size(),
                        list == nullptr ? 1 : list->size());
    }
    // PyTorch 2.11 declares the last states of an LSTM with an axis too many.
    const bool is_misdeclared = node.operator_name.starts_with("aten.lstm.");
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (is_misdeclared && i > 0 && node.outputs[i].values.size() == 1) {
        operands_[node.outputs[i].values.front()] = (*list)[i];
      } else {
        SLIPWAY_TRY(bind(node.outputs[i], (*list)[i]));
      }
    }
    return {};
  }

  Result<void> bind(const aten::Output& output, Operand given) {
    if (!output.is_list) return output.values.empty() ? Result<void>{} : bind(output.values.front(), std::move(given));
    const auto* const list = given.get<Operands>();
    if (list == nullptr || list->size() != output.values.size()) {
      return base::fail(Code::kInvalidArgument, "the archive takes a list of {} from it, it gives {}",
                        output.values.size(), list == nullptr ? "none" : std::to_string(list->size()));
    }
    for (std::size_t i = 0; i < list->size(); ++i) SLIPWAY_TRY(bind(output.values[i], (*list)[i]));
    return {};
  }

  Result<void> bind(ValueId value, Operand given) {
    // A number that turned out to be known is followed as such.
    if (const auto* const number = given.get<Number>()) {
      if (const auto known = internal::scalar_of(number->tensor)) {
        if (number->tensor.dtype == aten::ScalarType::kBool) {
          given = *known != 0;
        } else if (internal::is_floating(number->tensor.dtype)) {
          given = *known;
        } else {
          given = static_cast<std::int64_t>(*known);
        }
      }
    }
    if (auto* const tensor = std::get_if<Tensor>(&given.held)) {
      tensor->is_number = false;  // whatever an operator gives is a tensor, though it may be the one that it got
      if (const auto& meta = graph_.values[value].meta) SLIPWAY_TRY(check(*tensor, *meta, graph_.values[value].name));
    }
    operands_[value] = std::move(given);
    return {};
  }

  Result<void> check(const Tensor& tensor, const aten::TensorMeta& meta, const std::string& name) const {
    bool fits = tensor.dtype == meta.dtype && tensor.shape.size() == meta.sizes.size();
    for (std::size_t i = 0; fits && i < meta.sizes.size(); ++i) {
      const std::int64_t declared = size_of(meta.sizes[i]);
      fits = declared < 0 || tensor.shape[i] < 0 || declared == tensor.shape[i];
    }
    if (fits) return {};
    return base::fail(Code::kInvalidArgument, "the archive declares '{}' as {}, it is {}", name, aten::to_string(meta),
                      describe(tensor));
  }

  static std::string describe(const Tensor& tensor) {
    aten::TensorMeta meta{tensor.dtype, {}};
    for (const std::int64_t size : tensor.shape) {
      meta.sizes.push_back(size < 0 ? aten::Dimension{std::nullopt, "?"} : aten::Dimension{size, ""});
    }
    return aten::to_string(meta);
  }

  Result<void> add_outputs() {
    const auto& names = options_.output_names;
    std::size_t count = 0;
    for (const aten::GraphOutput& output : graph_.outputs) count += output.argument.is_none() ? 0U : 1U;
    if (!names.empty() && names.size() != count) {
      return base::fail(Code::kInvalidArgument, "the model has {} outputs, found {} output names", count, names.size());
    }
    std::set<std::string> used = input_names_;
    std::size_t place = 0;
    for (const aten::GraphOutput& output : graph_.outputs) {
      if (output.argument.is_none()) continue;
      std::string name = names.empty() ? output.name : names[place];
      ++place;
      if (!names.empty() && (name.empty() || used.contains(name))) {
        return base::fail(Code::kInvalidArgument, "output name '{}' is {}", name,
                          name.empty() ? "empty" : "taken by an input or another output");
      }
      // The archive's own names may meet: an output that is an input, one given twice.
      for (int i = 2; used.contains(name); ++i) name = fmt::format("{}_{}", output.name, i);
      used.insert(name);
      SLIPWAY_ASSIGN(Operand operand, operand_of(output.argument));
      SLIPWAY_TRY(add_output(operand, output, name));
    }
    return {};
  }

  Result<void> add_output(const Operand& operand, const aten::GraphOutput& output, const std::string& name) {
    std::vector<std::string> dimension_names;
    if (const auto* const reference = output.argument.get<aten::Reference>()) {
      if (const auto& meta = graph_.values[reference->value].meta) dimension_names = names_of(meta->sizes);
    }
    try {
      Tensor tensor;
      if (const auto* const held = operand.get<Tensor>()) {
        tensor = *held;
      } else if (const auto* const number = operand.get<Number>()) {
        tensor = number->tensor;
      } else if (const auto* const integer = operand.get<std::int64_t>()) {
        tensor = builder_.integer(*integer);
      } else if (const auto* const real = operand.get<double>()) {
        tensor = builder_.number(aten::ScalarType::kFloat32, *real);
      } else if (const auto* const flag = operand.get<bool>()) {
        tensor = builder_.number(aten::ScalarType::kBool, std::int64_t{*flag});
      } else {
        return base::fail(Code::kUnimplemented, "output '{}' is {}, which no ONNX model gives", name,
                          internal::describe(operand));
      }
      builder_.add_output(tensor, name, dimension_names);
    } catch (const Refusal& refusal) {
      return base::fail(refusal.code, "output '{}': {}", name, refusal.message);
    }
    return {};
  }

  const Graph& graph_;
  const LoweringOptions& options_;
  Builder builder_;
  std::vector<std::optional<Operand>> operands_;
  std::vector<bool> is_live_, is_needed_;
  std::map<std::string, std::int64_t> symbols_;
  std::set<std::string> input_names_;
};

/// Takes out nodes of which nothing is read, such as the places beside greatest values.
void remove_unread(compile::onnx_graph::Rewriter& rewriter) {
  std::vector<compile::onnx_graph::Node*> nodes = rewriter.main().nodes();
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const auto& outputs = (*node)->outputs();
    if (std::ranges::all_of(outputs, [](const auto* output) { return output == nullptr || output->is_unused(); })) {
      rewriter.remove(**node);
    }
  }
  const std::vector<compile::onnx_graph::Value*> constants = rewriter.main().initializers();
  for (compile::onnx_graph::Value* const constant : constants) rewriter.remove_if_unused(*constant);
}

}  // namespace

Result<compile::onnx_graph::Model> lower(const Graph& graph, const LoweringOptions& options) {
  if (options.opset < kOldestOpset || options.opset > kNewestOpset) {
    return base::fail(Code::kInvalidArgument, "opset must be from {} to {}, found {}", kOldestOpset, kNewestOpset,
                      options.opset);
  }
  auto model = compile::onnx_graph::Model::create(options.opset, ir_version_of(options.opset), "main", "slipway");
  {
    compile::onnx_graph::Rewriter rewriter(model);
    SLIPWAY_TRY(Lowering(graph, options, rewriter).run());
    remove_unread(rewriter);
  }
  return model;
}

}  // namespace slipway::convert::operators
