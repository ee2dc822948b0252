#include <algorithm>
#include <array>
#include <limits>

#include "base/text.hpp"
#include "convert/torch_script/internal/evaluator.hpp"
#include "convert/torch_script/internal/limits.hpp"

/// Expressions of the code: constants, names, attributes, elements.
namespace slipway::convert::torch_script::internal {
namespace {

using base::fail;
using ErrorCode = base::Code;
using Kind = Expression::Kind;

constexpr std::int64_t kMostListElements = 4096;  // of a list whose length only its readers tell

}  // namespace

base::Result<Object*> Evaluator::evaluate(const Expression& expression, Frame& frame, Wanted wanted) {
  const Deeper deeper(depth_);
  if (depth_ > kDeepest) {
    return refuse(
        frame, expression.line,
        {ErrorCode::kResourceExhausted, fmt::format("the code is nested more than {} levels deep", kDeepest)});
  }
  return evaluate_inner(expression, frame, wanted);
}

base::Result<Object*> Evaluator::evaluate_inner(const Expression& expression, Frame& frame, Wanted wanted) {
  const auto refused = [&](ErrorCode code, std::string message) {
    return refuse(frame, expression.line, {code, std::move(message)});
  };
  switch (expression.kind) {
    case Kind::kName:
      return name(expression, frame);
    case Kind::kInteger: {
      const auto value = base::parse_number<std::int64_t>(expression.text);
      if (!value) return refused(ErrorCode::kInvalidArgument, "an integer has more than 64 bits");
      return heap_.make(*value);
    }
    case Kind::kReal: {
      const std::string text = expression.text + (expression.text.ends_with('.') ? "0" : "");
      const auto value = base::parse_number<double>(text);
      if (!value) return refused(ErrorCode::kInvalidArgument, fmt::format("'{}' is no number", text));
      return heap_.make(*value);
    }
    case Kind::kText:
      return heap_.make(expression.text);
    case Kind::kConstant:
      if (expression.text == "None") return heap_.make(aten::None{});
      return heap_.make(expression.text == "True");
    case Kind::kAttribute: {
      const Expression& root = root_of(expression);
      if (root.kind == Kind::kName && root.text == "CONSTANTS" && !frame.variables.contains("CONSTANTS")) {
        const auto* const tuple = constants_ == nullptr ? nullptr : constants_->get<Sequence>();
        const auto place = expression.text.starts_with('c')
                               ? base::parse_number<std::size_t>(std::string_view(expression.text).substr(1))
                               : std::nullopt;
        if (tuple == nullptr || !place || *place >= tuple->elements.size()) {
          return refused(ErrorCode::kInvalidArgument, fmt::format("constants.pkl has no '{}'", expression.text));
        }
        return tuple->elements[*place];
      }
      // A function by its name, to be called from a variable.
      if (root.kind == Kind::kName && root.text == "__torch__") return heap_.make(GlobalName{dotted(expression)});
      SLIPWAY_ASSIGN(Object* const object, evaluate(*expression.children[0], frame));
      auto found = attribute(object, expression.text);
      if (!found) return refuse(frame, expression.line, found.error());
      return found;
    }
    case Kind::kCall:
      return call(expression, frame, wanted);
    case Kind::kSubscript: {
      SLIPWAY_ASSIGN(Object* const object, evaluate(*expression.children[0], frame));
      SLIPWAY_ASSIGN(Object* const index, evaluate(*expression.children[1], frame));
      auto found = subscript(object, index);
      if (!found) return refuse(frame, expression.line, found.error());
      return found;
    }
    case Kind::kTuple:
    case Kind::kList: {
      Sequence made{expression.kind == Kind::kTuple, {}};
      for (const Expression* child : expression.children) {
        SLIPWAY_ASSIGN(Object* const element, evaluate(*child, frame));
        made.elements.push_back(element);
      }
      return heap_.make(std::move(made));
    }
    case Kind::kDictionary: {
      Dictionary made;
      for (std::size_t i = 0; i + 1 < expression.children.size(); i += 2) {
        SLIPWAY_ASSIGN(Object* const key, evaluate(*expression.children[i], frame));
        SLIPWAY_ASSIGN(Object* const value, evaluate(*expression.children[i + 1], frame));
        made.items.emplace_back(key, value);
      }
      return heap_.make(std::move(made));
    }
    case Kind::kConditional: {
      SLIPWAY_ASSIGN(const bool holds, condition(*expression.children[0], frame));
      return evaluate(*expression.children[holds ? 1 : 2], frame);
    }
    case Kind::kUnary:
    case Kind::kBinary: {
      constexpr auto kNames = std::to_array<std::pair<std::string_view, std::string_view>>(
          {{"+", "add"},       {"-", "sub"},     {"*", "mul"},     {"/", "div"},     {"//", "floordiv"},
           {"%", "remainder"}, {"**", "pow"},    {"<", "lt"},      {">", "gt"},      {"<=", "le"},
           {">=", "ge"},       {"==", "eq"},     {"!=", "ne"},     {"is", "__is__"}, {"is not", "__isnot__"},
           {"and", "__and__"}, {"or", "__or__"}, {"&", "__and__"}, {"|", "__or__"},  {"not", "__not__"}});
      std::string_view name_of_call = expression.text;
      const auto* const known = std::ranges::find(kNames, name_of_call, [](const auto& one) { return one.first; });
      if (expression.kind == Kind::kUnary && expression.text == "-") {
        name_of_call = "neg";
      } else if (known != kNames.end()) {
        name_of_call = known->second;
      } else {
        return refused(ErrorCode::kUnimplemented, fmt::format("the operator '{}' is not followed", expression.text));
      }
      Call operands;
      for (const Expression* child : expression.children) {
        SLIPWAY_ASSIGN(Object* const operand, evaluate(*child, frame));
        operands.arguments.push_back(operand);
      }
      operands.keywords.resize(operands.arguments.size());
      return call_operator(std::string(name_of_call), operands, frame, expression.line, wanted);
    }
  }
  return refused(ErrorCode::kInternal, "an expression of no kind");
}

base::Result<Object*> Evaluator::name(const Expression& expression, Frame& frame) {
  const auto found = frame.variables.find(expression.text);
  if (found != frame.variables.end()) return found->second;
  if (expression.text == "inf") return heap_.make(std::numeric_limits<double>::infinity());
  if (expression.text == "nan") return heap_.make(std::numeric_limits<double>::quiet_NaN());
  return refuse(frame, expression.line,
                {ErrorCode::kInvalidArgument, fmt::format("the name '{}' has no value here", expression.text)});
}

base::Result<Object*> Evaluator::attribute(Object* object, const std::string& wanted) {
  const auto* const instance = object->get<Instance>();
  if (instance == nullptr) {
    return fail(ErrorCode::kUnimplemented, "attribute '{}' of {}", wanted, kind_of(*object));
  }
  for (const auto& [name, value] : instance->attributes) {
    if (name == wanted) return value;
  }
  const Code* code = nullptr;
  SLIPWAY_ASSIGN(const Class* const type, class_of(instance->class_name, &code));
  if (const auto constant = type->constants.find(wanted); constant != type->constants.end()) {
    Frame frame{.unit = &code->unit, .file = &code->file, .module_path = {}, .variables = {}};
    return evaluate(*constant->second, frame);
  }
  return fail(ErrorCode::kInvalidArgument, "{} has no attribute '{}'", instance->class_name, wanted);
}

base::Result<Object*> Evaluator::subscript(Object* object, Object* index) {
  const auto number = integer_of(*index);
  if (const auto* const sequence = object->get<Sequence>(); sequence != nullptr && number) {
    const auto place = place_of(*number, sequence->elements.size());
    if (!place) {
      return fail(ErrorCode::kInvalidArgument, "index {} of {} with {} elements", *number, kind_of(*object),
                  sequence->elements.size());
    }
    return sequence->elements[*place];
  }
  if (const auto* const dictionary = object->get<Dictionary>()) {
    const auto* const text = index->get<std::string>();
    for (const auto& [key, value] : dictionary->items) {
      const auto* const key_text = key->get<std::string>();
      if ((text != nullptr && key_text != nullptr && *text == *key_text) || (number && integer_of(*key) == number)) {
        return value;
      }
    }
    return fail(ErrorCode::kInvalidArgument, "the dictionary has no such key");
  }
  if (object->get<ComputedList>() != nullptr && number && *number >= 0 && *number < kMostListElements) {
    SLIPWAY_ASSIGN(const auto elements, unpack(object, static_cast<std::size_t>(*number) + 1));
    return elements.back();
  }
  if (const auto* const sizes = object->get<Sizes>(); sizes != nullptr && number) {
    Frame nowhere{.unit = nullptr, .file = nullptr, .module_path = {}, .variables = {}};
    return emit("aten.size", Call{{sizes->tensor, index}, {"", ""}}, nowhere, 0, {});
  }
  return fail(ErrorCode::kUnimplemented, "{} indexed by {}", kind_of(*object), kind_of(*index));
}

}  // namespace slipway::convert::torch_script::internal
