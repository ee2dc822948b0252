#include "convert/operators/internal/bind.hpp"

#include <algorithm>
#include <optional>

namespace slipway::convert::operators::internal {
namespace {

bool is_number(const Operand& operand) {
  return operand.get<std::int64_t>() != nullptr || operand.get<double>() != nullptr || operand.get<bool>() != nullptr ||
         operand.get<Number>() != nullptr;
}

/// Whether an operand may stand for a parameter: only as fine as overloads need to be told apart.
bool fits(const Operand& operand, std::string_view type, bool is_strict) {
  if (type == "any") return true;
  if (operand.is_none()) return type.ends_with('?');
  if (type.ends_with('?')) type.remove_suffix(1);
  const bool is_list = operand.get<Operands>() != nullptr, is_tensor = operand.get<Tensor>() != nullptr;
  if (type.ends_with("[]")) {
    const bool is_of_numbers = type.starts_with("int") || type.starts_with("float");
    return is_list || (is_of_numbers && (is_number(operand) || is_tensor));
  }
  if (is_list) return false;
  if (type == "Tensor") return is_tensor || (!is_strict && is_number(operand));
  if (type == "str") return operand.get<std::string>() != nullptr;
  if (operand.get<std::string>() != nullptr) return type == "Device";
  if (type == "int" && operand.get<double>() != nullptr) return false;
  if (is_tensor) return !is_strict && (type == "Scalar" || type == "int" || type == "float" || type == "bool");
  return true;
}

}  // namespace

base::Result<Operands> bind(const Schema& schema, const std::vector<NamedOperand>& arguments, bool is_strict) {
  std::vector<std::optional<Operand>> given(schema.parameters.size());
  std::size_t next = 0;
  for (const NamedOperand& argument : arguments) {
    std::size_t place = next;
    if (argument.name.empty()) {
      ++next;
    } else {
      place = static_cast<std::size_t>(std::ranges::find(schema.parameters, argument.name, &Parameter::name) -
                                       schema.parameters.begin());
      // The in-place form of an operator whose first parameter is the "input" calls it "self".
      if (place == schema.parameters.size() && argument.name == "self" && !given.empty() && !given[0]) place = 0;
      if (place == schema.parameters.size()) {
        return base::fail(base::Code::kInvalidArgument, "{} has no parameter '{}'", schema.name, argument.name);
      }
    }
    if (place >= given.size()) {
      return base::fail(base::Code::kInvalidArgument, "{} takes {} arguments, found more", schema.name, given.size());
    }
    const Parameter& parameter = schema.parameters[place];
    if (given[place]) {
      return base::fail(base::Code::kInvalidArgument, "{}: '{}' is given twice", schema.name, parameter.name);
    }
    if (!fits(argument.operand, parameter.type, is_strict)) {
      return base::fail(base::Code::kInvalidArgument, "{}: '{}' must be {}, found {}", schema.name, parameter.name,
                        parameter.type, describe(argument.operand));
    }
    given[place] = argument.operand;
  }
  Operands bound;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Parameter& parameter = schema.parameters[i];
    if (!given[i] && !parameter.has_default && !parameter.type.ends_with('?')) {
      return base::fail(base::Code::kInvalidArgument, "{}: '{}' is missing", schema.name, parameter.name);
    }
    bound.push_back(given[i] ? std::move(*given[i]) : operand_of_constant(parameter.fallback));
  }
  return bound;
}

Operand operand_of_constant(const aten::Argument& argument) {
  if (const auto* const list = argument.get<aten::List>()) {
    Operands operands;
    for (const aten::Argument& each : *list) operands.push_back(operand_of_constant(each));
    return operands;
  }
  return std::visit(
      [](const auto& held) -> Operand {
        using Held = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, aten::Reference> || std::is_same_v<Held, aten::List>) {
          return {};
        } else {
          return held;
        }
      },
      argument.held);
}

}  // namespace slipway::convert::operators::internal
