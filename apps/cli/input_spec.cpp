#include "apps/cli/input_spec.hpp"

#include "base/text.hpp"

namespace slipway::cli {
namespace {

using base::Code;
using base::fail;
using base::Result;

const CLI::Validator kIsInputSpec(
    [](const std::string& text) {
      const auto spec = parse_input_spec(text);
      return spec ? std::string() : spec.error().message;
    },
    "NAME=SHAPE[:DTYPE]");

}  // namespace

void add_input_spec_option(CLI::App& verb, std::vector<std::string>& texts) {
  verb.add_option("--input-spec", texts, "Name, sizes and dtype of an input: image=1x3x224x224:float32")
      ->check(kIsInputSpec);
}

Result<compile::InputSpec> parse_input_spec(const std::string& text) {
  const auto refuse = [&](std::string_view reason) {
    return fail(Code::kInvalidArgument, "input spec \"{}\": {}; expected a form like image=1x3x224x224:float32", text,
                reason);
  };
  const auto equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return refuse("no name and '='");
  compile::InputSpec spec;
  spec.name = text.substr(0, equals);
  std::string_view shape = std::string_view(text).substr(equals + 1);
  if (const auto colon = shape.find(':'); colon != std::string_view::npos) {
    const auto dtype = tensor::dtype_from_name(shape.substr(colon + 1));
    if (!dtype) return refuse(fmt::format("\"{}\" is no dtype", shape.substr(colon + 1)));
    spec.dtype = *dtype;
    shape = shape.substr(0, colon);
  }
  while (!shape.empty()) {
    const auto size = base::consume_number<std::int64_t>(shape);
    if (size.value_or(0) < 1) return refuse("sizes are numbers from 1, divided by 'x'");
    spec.shape.push_back(*size);
    if (shape.empty()) break;
    if (shape.front() != 'x' || shape.size() == 1) return refuse("sizes are numbers from 1, divided by 'x'");
    shape.remove_prefix(1);
  }
  return spec;
}

Result<std::vector<compile::InputSpec>> parse_input_specs(const std::vector<std::string>& texts) {
  std::vector<compile::InputSpec> specs;
  for (const std::string& text : texts) {
    SLIPWAY_ASSIGN(auto spec, parse_input_spec(text));
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace slipway::cli
