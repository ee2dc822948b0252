#include <algorithm>

#include "convert/torch_script/internal/constant_calls.hpp"
#include "convert/torch_script/internal/evaluator.hpp"
#include "convert/torch_script/internal/limits.hpp"

/// Statements of the code: what is assigned, which way is taken, how often.
namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;
using Kind = Expression::Kind;

/// Whether statements end in an exception of the model.
bool raises(const std::vector<Statement>& statements) {
  return std::ranges::any_of(statements, [](const Statement& statement) {
    return statement.kind == Statement::Kind::kExpression && statement.value->kind == Kind::kCall &&
           dotted(*statement.value->children[0]) == "ops.prim.RaiseException";
  });
}

}  // namespace

base::Result<void> Evaluator::execute(const std::vector<Statement>& statements, Frame& frame) {
  const Deeper deeper(depth_);
  for (const Statement& statement : statements) {
    if (++steps_ > kMostSteps || heap_.size() > 2 * kMostObjects) {
      return refuse(frame, statement.line,
                    {ErrorCode::kResourceExhausted, fmt::format("the code does not end within {} steps", kMostSteps)});
    }
    switch (statement.kind) {
      case Statement::Kind::kPass:
        break;
      case Statement::Kind::kAssign:
        SLIPWAY_TRY(assign(statement, frame));
        break;
      case Statement::Kind::kExpression:
        SLIPWAY_TRY(evaluate(*statement.value, frame));
        break;
      case Statement::Kind::kReturn: {
        SLIPWAY_ASSIGN(frame.result, evaluate(*statement.value, frame));
        return {};
      }
      case Statement::Kind::kIf: {
        SLIPWAY_ASSIGN(const bool holds, branch(statement, frame));
        SLIPWAY_TRY(execute(holds ? statement.body : statement.otherwise, frame));
        if (frame.result != nullptr) return {};
        break;
      }
      case Statement::Kind::kWhile:
      case Statement::Kind::kFor: {
        SLIPWAY_TRY(loop(statement, frame));
        if (frame.result != nullptr) return {};
        break;
      }
    }
  }
  return {};
}

base::Result<bool> Evaluator::branch(const Statement& statement, Frame& frame) {
  // A check of the model's own, which raises unless it holds, is left out as torch.export's assertions are.
  const bool refuses_then = raises(statement.body), refuses_otherwise = raises(statement.otherwise);
  if (refuses_then != refuses_otherwise) {
    SLIPWAY_ASSIGN(const Object* const value, evaluate(*statement.value, frame));
    return truth_of(*value).value_or(refuses_otherwise);
  }
  return condition(*statement.value, frame);
}

base::Result<bool> Evaluator::condition(const Expression& expression, Frame& frame) {
  SLIPWAY_ASSIGN(const Object* const value, evaluate(expression, frame));
  const auto truth = truth_of(*value);
  if (!truth) {
    return refuse(frame, expression.line,
                  {ErrorCode::kUnimplemented,
                   "the way taken depends on data that are known only when the model runs; torch.jit.trace records the "
                   "way that an example takes, and torch.export says what it cannot follow: export the model by "
                   "torch.export (a .pt2 file)"});
  }
  return *truth;
}

base::Result<void> Evaluator::loop(const Statement& statement, Frame& frame) {
  if (statement.kind == Statement::Kind::kWhile) {
    while (true) {
      SLIPWAY_ASSIGN(const bool holds, condition(*statement.value, frame));
      if (!holds) return {};
      if (++steps_ > kMostSteps) break;
      SLIPWAY_TRY(execute(statement.body, frame));
      if (frame.result != nullptr) return {};
    }
    return refuse(frame, statement.line, {ErrorCode::kResourceExhausted, "the loop does not end"});
  }
  const Expression& range = *statement.value;
  std::vector<std::int64_t> bounds;
  if (range.kind == Kind::kCall && range.children[0]->kind == Kind::kName && range.children[0]->text == "range") {
    for (std::size_t i = 1; i < range.children.size(); ++i) {
      SLIPWAY_ASSIGN(const Object* const bound, evaluate(*range.children[i], frame));
      const auto number = integer_of(*bound);
      if (!number) {
        return refuse(frame, statement.line,
                      {ErrorCode::kUnimplemented,
                       "how often the loop runs is known only when the model runs: export the model by torch.export"});
      }
      bounds.push_back(*number);
    }
  }
  if (bounds.size() != 1) {
    return refuse(frame, statement.line, {ErrorCode::kUnimplemented, "a loop over something else than range(n)"});
  }
  for (std::int64_t i = 0; i < bounds[0]; ++i) {
    if (++steps_ > kMostSteps) {
      return refuse(frame, statement.line, {ErrorCode::kResourceExhausted, "the loop does not end"});
    }
    SLIPWAY_TRY(bind(*statement.targets[0], heap_.make(i), frame));
    SLIPWAY_TRY(execute(statement.body, frame));
    if (frame.result != nullptr) return {};
  }
  return {};
}

base::Result<void> Evaluator::assign(const Statement& statement, Frame& frame) {
  const std::size_t count = statement.targets.size();
  const bool is_several = count > 1 || statement.unpacks_list;
  SLIPWAY_ASSIGN(Object* const value,
                 evaluate(*statement.value, frame, is_several ? Wanted{count, statement.unpacks_list} : Wanted{}));
  if (!is_several) return bind(*statement.targets[0], value, frame);
  auto elements = unpack(value, count);
  if (!elements) return refuse(frame, statement.line, elements.error());
  for (std::size_t i = 0; i < count; ++i) SLIPWAY_TRY(bind(*statement.targets[i], (*elements)[i], frame));
  return {};
}

base::Result<void> Evaluator::bind(const Expression& target, Object* value, Frame& frame) {
  if (target.kind == Kind::kName) {
    frame.variables[target.text] = value;
    if (const auto* const computed = value->get<Computed>()) {
      std::string& name = graph_.values[computed->value].name;
      if (name.empty()) name = frame.module_path.empty() ? target.text : frame.module_path + "." + target.text;
    }
    return {};
  }
  if (target.kind == Kind::kAttribute) {
    SLIPWAY_ASSIGN(Object* const owner, evaluate(*target.children[0], frame));
    if (auto* const instance = owner->get<Instance>()) {
      const auto found =
          std::ranges::find(instance->attributes, target.text, [](const auto& one) { return one.first; });
      const bool was_tensor =
          found != instance->attributes.end() && found->second->get<aten::StoredTensor>() != nullptr;
      if (was_tensor && found->second != value) {
        return refuse(frame, target.line,
                      {ErrorCode::kUnimplemented,
                       fmt::format("the model changes its tensor '{}' while it runs, and an ONNX model keeps nothing "
                                   "between two runs: take it as an input and return it as an output",
                                   paths_[found->second])});
      }
      if (found == instance->attributes.end()) {
        instance->attributes.emplace_back(target.text, value);
      } else {
        found->second = value;
      }
      return {};
    }
  }
  return refuse(frame, target.line, {ErrorCode::kUnimplemented, "something else than a name is assigned to"});
}

base::Result<std::vector<Object*>> Evaluator::unpack(Object* value, std::size_t count) {
  if (const auto* const sequence = value->get<Sequence>()) {
    if (sequence->elements.size() != count) {
      return fail(ErrorCode::kInvalidArgument, "{} of {} elements is taken apart into {}", kind_of(*value),
                  sequence->elements.size(), count);
    }
    return sequence->elements;
  }
  std::vector<Object*> elements;
  if (const auto* const list = value->get<ComputedList>()) {
    std::vector<aten::ValueId>& values = graph_.nodes[list->node].outputs[0].values;
    while (values.size() < count) values.push_back(graph_.add_value(""));
    for (std::size_t i = 0; i < count; ++i) elements.push_back(heap_.make(Computed{values[i]}));
    return elements;
  }
  if (const auto* const sizes = value->get<Sizes>()) {
    for (std::size_t i = 0; i < count; ++i) {
      SLIPWAY_ASSIGN(Object* const size, subscript(value, heap_.make(static_cast<std::int64_t>(i))));
      elements.push_back(size);
    }
    return elements;
  }
  return fail(ErrorCode::kUnimplemented, "{} is taken apart into {}", kind_of(*value), count);
}

}  // namespace slipway::convert::torch_script::internal
