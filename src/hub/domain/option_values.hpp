#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// What may follow the name of an option. Every function here is pure; an error says what was expected and found.
namespace slipway::hub::domain::option_values {

/// "true", "false", "1", "0", "yes", "no" in any case.
[[nodiscard]] base::Result<bool> boolean(std::string_view text);
[[nodiscard]] base::Result<int> whole_number(std::string_view text, int least, int most);
/// "a, b": blanks around the entries do not count; at least one entry, none empty.
[[nodiscard]] base::Result<std::vector<std::string>> list(std::string_view text);
/// One of the targets that this hub makes.
/// @error kUnimplemented: one that the protocol knows and this hub does not make
[[nodiscard]] base::Result<std::string> target_runtime(std::string_view text);
/// "default", "latest" or "major.minor".
[[nodiscard]] base::Result<std::string> qairt_version(std::string_view text);
/// "a=b;c=d" with the keys of --qnn_options and values as options.hpp lists them.
[[nodiscard]] base::Result<std::map<std::string, std::string>> qnn_options(std::string_view text);
[[nodiscard]] base::Result<std::map<std::string, std::string>> onnx_options(std::string_view text);
/// The keys of both that are obeyed, as options name them: "--qnn_options context_priority" …
[[nodiscard]] std::vector<std::string> effective_keys();
/// One of kRangeSchemes.
[[nodiscard]] base::Result<std::string> range_scheme(std::string_view text);
[[nodiscard]] base::Result<std::vector<std::string>> execution_providers(std::string_view text);

}  // namespace slipway::hub::domain::option_values
