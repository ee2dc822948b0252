#include <algorithm>
#include <limits>

#include "convert/torch_script/internal/constant_calls.hpp"
#include "convert/torch_script/internal/evaluator.hpp"

/// Calls in the code: of functions and methods that stand in it, of constants, of operators.
namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;
using Kind = Expression::Kind;

}  // namespace

base::Result<Object*> Evaluator::call(const Expression& expression, Frame& frame, Wanted wanted) {
  const Expression& callee = *expression.children[0];
  const std::string called = dotted(callee);
  // Types are no values: those of annotate() and its like are not evaluated.
  const bool has_type_first = called == "annotate" || called == "unchecked_cast" || called == "uninitialized";
  if (has_type_first && expression.children.size() < 3) return heap_.make(aten::None{});
  Call made;
  for (std::size_t i = has_type_first ? 2 : 1; i < expression.children.size(); ++i) {
    SLIPWAY_ASSIGN(Object* const argument, evaluate(*expression.children[i], frame));
    made.arguments.push_back(argument);
    made.keywords.push_back(expression.keywords[i - 1]);
  }
  if (has_type_first) {
    // A tensor of one element where a number is asked for, as torch.arange(x.shape[0]) is traced.
    const Expression& type = *expression.children[1];
    const bool is_number = type.kind == Kind::kName && (type.text == "number" || type.text == "Scalar");
    if (called != "annotate" || !is_number || made.arguments[0]->get<Computed>() == nullptr) return made.arguments[0];
    return emit("aten.item", Call{{made.arguments[0]}, {""}}, frame, expression.line, Wanted{});
  }
  const Expression& root = root_of(callee);
  const bool is_name = !called.empty() && !frame.variables.contains(root.text);
  if (is_name) return call_named(called, expression, std::move(made), frame, wanted);
  if (callee.kind == Kind::kName) {
    SLIPWAY_ASSIGN(const Object* const held, evaluate(callee, frame));
    if (const auto* const function = held->get<GlobalName>()) {
      return call_named(function->name, expression, std::move(made), frame, wanted);
    }
  }
  if (callee.kind != Kind::kAttribute) {
    return refuse(frame, expression.line, {ErrorCode::kUnimplemented, "something is called that has no name"});
  }
  SLIPWAY_ASSIGN(Object* const object, evaluate(*callee.children[0], frame));
  const auto* const instance = object->get<Instance>();
  if (instance == nullptr) {
    return refuse(frame, expression.line,
                  {ErrorCode::kUnimplemented, fmt::format("'{}' of {} is called", callee.text, kind_of(*object))});
  }
  const Code* code = nullptr;
  auto type = class_of(instance->class_name, &code);
  if (!type) return refuse(frame, expression.line, type.error());
  const auto found = (*type)->methods.find(callee.text);
  if (found == (*type)->methods.end()) {
    return refuse(
        frame, expression.line,
        {ErrorCode::kInvalidArgument, fmt::format("{} has no method '{}'", instance->class_name, callee.text)});
  }
  made.arguments.insert(made.arguments.begin(), object);
  made.keywords.insert(made.keywords.begin(), "");
  const auto path = paths_.find(object);
  return invoke(found->second, *code, path == paths_.end() ? frame.module_path : path->second, made);
}

base::Result<Object*> Evaluator::call_named(const std::string& called, const Expression& expression, Call made,
                                            Frame& frame, Wanted wanted) {
  constexpr std::string_view kTorch = "torch.", kPrimitive = "ops.prim.", kAten = "ops.aten.", kOps = "ops.",
                             kOwn = "__torch__.";
  const int line = expression.line;
  if (called.starts_with(kOwn)) {
    auto code = code_of(called);
    if (!code) return refuse(frame, line, code.error());
    const auto found = (*code)->unit.functions.find(called.substr(called.rfind('.') + 1));
    if (found == (*code)->unit.functions.end()) {
      return refuse(
          frame, line,
          {ErrorCode::kUnimplemented, fmt::format("'{}' makes an object of a class, which is not followed", called)});
    }
    return invoke(found->second, **code, frame.module_path, made);
  }
  if (called.starts_with(kPrimitive)) return call_primitive(called.substr(kPrimitive.size()), made, frame, line);
  if (called == "torch.device" && made.arguments.size() == 1) {
    if (const auto* const text = made.arguments[0]->get<std::string>()) return heap_.make(aten::Device{*text});
  }
  if (called.starts_with(kTorch)) return call_operator(called.substr(kTorch.size()), made, frame, line, wanted);
  if (called.starts_with(kAten)) return call_operator(called.substr(kAten.size()), made, frame, line, wanted);
  if (called.starts_with(kOps)) return emit(called.substr(kOps.size()), made, frame, line, wanted);
  if (called == "getattr" && made.arguments.size() == 2) {
    if (const auto* const text = made.arguments[1]->get<std::string>()) {
      auto found = attribute(made.arguments[0], *text);
      if (!found) return refuse(frame, line, found.error());
      return found;
    }
  }
  if (called == "float" && made.arguments.size() == 1) {
    if (const auto* const text = made.arguments[0]->get<std::string>()) {
      const double infinity = std::numeric_limits<double>::infinity();
      if (*text == "inf") return heap_.make(infinity);
      if (*text == "-inf") return heap_.make(-infinity);
      if (*text == "nan") return heap_.make(std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (const auto& [written, meant] : {std::pair{"int", "Int"}, {"float", "Float"}, {"bool", "Bool"}}) {
    if (called == written) return call_operator(meant, made, frame, line, wanted);
  }
  if (called == "str") return heap_.make(std::string("?"));  // messages of exceptions
  return refuse(
      frame, line,
      {ErrorCode::kUnimplemented, fmt::format("'{}' is not among what PyTorch writes into TorchScript", called)});
}

base::Result<Object*> Evaluator::call_primitive(const std::string& called, Call& made, const Frame& frame, int line) {
  const auto is_of = [&](std::size_t count) { return made.arguments.size() == count; };
  if (called == "RaiseException") {
    const auto* const text = made.arguments.empty() ? nullptr : made.arguments[0]->get<std::string>();
    return refuse(
        frame, line,
        {ErrorCode::kInvalidArgument, fmt::format("the model refuses this input: {}", text == nullptr ? "" : *text)});
  }
  if ((called == "data" || called == "unchecked_unwrap_optional" || called == "unchecked_cast") && is_of(1)) {
    return made.arguments[0];
  }
  if (called == "device") return heap_.make(aten::Device{"cpu"});
  if (called == "is_cuda" || called == "is_quantized" || called == "is_sparse" || called == "is_mkldnn" ||
      called == "requires_grad") {
    return heap_.make(false);
  }
  if (called == "layout") return heap_.make(aten::None{});
  if (called == "min" || called == "max") return call_operator(called, made, frame, line, {});
  if (called == "NumToTensor" || called == "ImplicitTensorToNum" || called == "dtype") {
    return emit(
        (called == "ImplicitTensorToNum" ? "aten." : "prim.") + (called == "ImplicitTensorToNum" ? "Int" : called),
        made, frame, line, {});
  }
  return refuse(
      frame, line,
      {ErrorCode::kUnimplemented, fmt::format("'prim.{}' is not followed: export the model by torch.export", called)});
}

base::Result<Object*> Evaluator::call_operator(const std::string& called, Call& made, const Frame& frame, int line,
                                               Wanted wanted) {
  if (called == "format" || called == "warn") return heap_.make(std::string("a message of the model"));
  if (std::ranges::all_of(made.keywords, &std::string::empty)) {
    auto known = call_of_constants(called, made.arguments, heap_);
    if (!known) return refuse(frame, line, known.error());
    if (*known) return **known;
  }
  // What the inputs are is known before the model runs.
  const auto* const computed = made.arguments.empty() ? nullptr : made.arguments[0]->get<Computed>();
  if (computed != nullptr && (called == "size" || called == "dim")) {
    const auto& meta = graph_.values[computed->value].meta;
    if (called == "dim" && meta) return heap_.make(static_cast<std::int64_t>(meta->sizes.size()));
    const auto axis = made.arguments.size() == 2 ? integer_of(*made.arguments[1]) : std::nullopt;
    if (meta && axis) {
      const auto place = place_of(*axis, meta->sizes.size());
      if (place && meta->sizes[*place].size) return heap_.make(*meta->sizes[*place].size);
    }
  }
  if (called == "size" && made.arguments.size() == 1) return heap_.make(Sizes{made.arguments[0]});
  if (called == "len" && made.arguments.size() == 1 && made.arguments[0]->get<Sizes>() != nullptr) {
    made.arguments[0] = made.arguments[0]->get<Sizes>()->tensor;
    return call_operator("dim", made, frame, line, {});
  }
  if (called == "__getitem__" && made.arguments.size() == 2) {
    auto found = subscript(made.arguments[0], made.arguments[1]);
    if (!found) return refuse(frame, line, found.error());
    return found;
  }
  return emit("aten." + called, made, frame, line, wanted);
}

}  // namespace slipway::convert::torch_script::internal
