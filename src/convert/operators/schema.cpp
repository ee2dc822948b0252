#include "convert/operators/schema.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace slipway::convert::operators {
namespace {

using aten::Argument;

Argument parse_default(std::string_view text, std::string_view type) {
  if (text == "None") return aten::None{};
  if (text == "True" || text == "False") return text == "True";
  if (text.starts_with('\'')) return std::string(text.substr(1, text.size() - 2));
  if (text.starts_with('[')) {
    aten::List list;
    std::string_view inner = text.substr(1, text.size() - 2);
    while (!inner.empty()) {
      const auto comma = std::min(inner.find(';'), inner.size());
      list.push_back(parse_default(base::trimmed(inner.substr(0, comma)), "int"));
      inner.remove_prefix(std::min(comma + 1, inner.size()));
    }
    return list;
  }
  const auto well_formed = [](const auto& number) {
    SLIPWAY_CHECK(number.has_value(), "a default of a schema is well formed");
    return *number;
  };
  if (type.starts_with("float") || text.find_first_of(".e") != std::string_view::npos) {
    return well_formed(base::parse_number<double>(text));
  }
  return well_formed(base::parse_number<std::int64_t>(text));
}

}  // namespace

Schema parse_schema(std::string_view text) {
  const auto open = text.find('(');
  SLIPWAY_CHECK(open != std::string_view::npos && text.ends_with(')'), "a schema is NAME(PARAMETERS)");
  Schema schema{std::string(text.substr(0, open)), {}};
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view declared = base::trimmed(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    Parameter parameter;
    const auto space = declared.find(' ');
    SLIPWAY_CHECK(space != std::string_view::npos, "a parameter is TYPE NAME");
    parameter.type = declared.substr(0, space);
    declared = declared.substr(space + 1);
    const auto equals = declared.find('=');
    parameter.name = declared.substr(0, equals);
    if (equals != std::string_view::npos) {
      parameter.has_default = true;
      parameter.fallback = parse_default(declared.substr(equals + 1), parameter.type);
    }
    schema.parameters.push_back(std::move(parameter));
  }
  return schema;
}

}  // namespace slipway::convert::operators
