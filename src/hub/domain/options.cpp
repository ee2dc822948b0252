#include "hub/domain/options.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "hub/domain/kinds/list.hpp"
#include "hub/domain/option_values.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr bool knows(const KindEntry& kind, std::string_view option) {
  return std::ranges::find(kind.options, option) != kind.options.end();
}

// "compile, profile and inference": the kinds that know an option.
std::string kinds_text(std::string_view option) {
  std::vector<std::string_view> names;
  for (const KindEntry& kind : JobKinds::kEntries) {
    if (knows(kind, option)) names.push_back(kind.name);
  }
  std::string text(names.front());
  for (std::size_t i = 1; i < names.size(); ++i) {
    text += fmt::format("{}{}", i + 1 == names.size() ? " and " : ", ", names[i]);
  }
  return text + " jobs";
}

enum class Form { kValue, kFlag };

struct Row {
  std::string_view name;
  Form form;
  Result<void> (*apply)(JobOptions&, std::string_view value);
};

template <bool JobOptions::*field>
Result<void> set_flag(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.*field, option_values::boolean(value));
  return {};
}

Result<void> set_dequantize_outputs(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.dequantize_outputs, option_values::boolean(value));
  return {};
}

template <std::vector<std::string> JobOptions::*field>
Result<void> set_list(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.*field, option_values::list(value));
  return {};
}

Result<void> set_target_runtime(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.target_runtime, option_values::target_runtime(value));
  return {};
}

Result<void> set_compute_unit(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(const auto units, option_values::list(value));
  options.allow_npu = options.allow_gpu = options.allow_cpu = false;
  for (const std::string& unit : units) {
    const bool all = unit == "all";
    if (!all && unit != "npu" && unit != "gpu" && unit != "cpu") {
      return base::fail(Code::kInvalidArgument, "expected a comma list of all, npu, gpu and cpu, found '{}'", unit);
    }
    options.allow_npu |= all || unit == "npu";
    options.allow_gpu |= all || unit == "gpu";
    options.allow_cpu |= all || unit == "cpu";
  }
  options.compute_unit_given = true;
  return {};
}

Result<void> set_qairt_version(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.qairt_version, option_values::qairt_version(value));
  return {};
}

Result<void> refuse_quantize_io(JobOptions& options, std::string_view value) {
  SLIPWAY_TRY(set_flag<&JobOptions::quantize_io>(options, value));
  if (!options.quantize_io) return {};
  return base::fail(Code::kUnimplemented, "quantising graph inputs and outputs is not carried out by this hub yet");
}

Result<void> set_qnn_options(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(auto pairs, option_values::qnn_options(value));
  for (auto& [key, setting] : pairs) options.qnn_options[key] = std::move(setting);
  return {};
}

// The older spellings are the newer keys by other names.
template <const char* key>
Result<void> set_qnn_key(JobOptions& options, std::string_view value) {
  return set_qnn_options(options, fmt::format("{}={}", key, value));
}
constexpr char kGraphName[] = "context_enable_graphs";
constexpr char kVtcm[] = "default_graph_htp_vtcm_size";
constexpr char kOptimizationLevel[] = "default_graph_htp_optimization_value";

Result<void> set_onnx_options(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(auto pairs, option_values::onnx_options(value));
  for (auto& [key, setting] : pairs) options.onnx_options[key] = std::move(setting);
  return {};
}

Result<void> set_execution_providers(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.onnx_execution_providers, option_values::execution_providers(value));
  return {};
}

Result<void> set_compare_limit(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(const int seconds, option_values::whole_number(value, 0, 24 * 3600));
  options.compare_limit = std::chrono::seconds(seconds);
  return {};
}

Result<void> set_iterations(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.max_profiler_iterations, option_values::whole_number(value, 1, 1'000'000));
  return {};
}

Result<void> set_profiler_time(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(const int seconds, option_values::whole_number(value, 1, 24 * 3600));
  options.max_profiler_time = std::chrono::seconds(seconds);
  return {};
}

Result<void> set_range_scheme(JobOptions& options, std::string_view value) {
  SLIPWAY_ASSIGN(options.range_scheme, option_values::range_scheme(value));
  return {};
}

constexpr std::array kRows = {
    Row{"--target_runtime", Form::kValue, set_target_runtime},
    Row{"--output_names", Form::kValue, set_list<&JobOptions::output_names>},
    Row{"--compute_unit", Form::kValue, set_compute_unit},
    Row{"--qairt_version", Form::kValue, set_qairt_version},
    Row{"--truncate_64bit_io", Form::kFlag, set_flag<&JobOptions::truncate_64bit_io>},
    Row{"--truncate_64bit_tensors", Form::kFlag, set_flag<&JobOptions::truncate_64bit_tensors>},
    Row{"--force_channel_last_input", Form::kValue, set_list<&JobOptions::force_channel_last_input>},
    Row{"--force_channel_last_output", Form::kValue, set_list<&JobOptions::force_channel_last_output>},
    Row{"--quantize_io", Form::kFlag, refuse_quantize_io},
    Row{"--qnn_options", Form::kValue, set_qnn_options},
    Row{"--qnn_graph_name", Form::kValue, set_qnn_key<kGraphName>},
    Row{"--qnn_context_binary_vtcm", Form::kValue, set_qnn_key<kVtcm>},
    Row{"--qnn_context_binary_optimization_level", Form::kValue, set_qnn_key<kOptimizationLevel>},
    Row{"--compare_limit", Form::kValue, set_compare_limit},
    Row{"--max_profiler_iterations", Form::kValue, set_iterations},
    Row{"--max_profiler_time", Form::kValue, set_profiler_time},
    Row{"--dequantize_outputs", Form::kFlag, set_dequantize_outputs},
    Row{"--onnx_options", Form::kValue, set_onnx_options},
    Row{"--onnx_execution_providers", Form::kValue, set_execution_providers},
    Row{"--allow_emulation", Form::kFlag, set_flag<&JobOptions::allow_emulation>},
    Row{"--range_scheme", Form::kValue, set_range_scheme},
};

static_assert(std::ranges::all_of(JobKinds::kEntries,
                                  [](const KindEntry& kind) {
                                    return std::ranges::all_of(kind.options, [](std::string_view option) {
                                      return std::ranges::find(kRows, option, &Row::name) != kRows.end();
                                    });
                                  }),
              "an option that a kind knows has no row");
static_assert(std::ranges::all_of(kRows,
                                  [](const Row& row) {
                                    return std::ranges::any_of(JobKinds::kEntries, [&](const KindEntry& kind) {
                                      return knows(kind, row.name);
                                    });
                                  }),
              "a row is of an option that no kind knows");

// What the official client's documentation names and no kind here obeys, each with its reason.
struct Refused {
  std::string_view name, why;
};

constexpr std::string_view kNoQuantizing =
    "compile jobs do not quantise here yet; quantise the model by a quantize job and compile what that makes";
constexpr std::string_view kNoMixedPrecision = "this hub gives every layer the same precision, and has no other yet";
constexpr std::string_view kNoTflite = "this hub runs no TFLite models; it runs ONNX, QNN context binaries and DLCs";

constexpr std::array kRefused = {
    Refused{"--quantize_full_type", kNoQuantizing}, Refused{"--quantize_weight_type", kNoQuantizing},
    Refused{"--quantize_io_type", kNoQuantizing},   Refused{"--lite_mp", kNoMixedPrecision},
    Refused{"--tflite_delegates", kNoTflite},       Refused{"--tflite_options", kNoTflite},
};
static_assert(std::ranges::none_of(kRefused,
                                   [](const Refused& refused) {
                                     return std::ranges::find(kRows, refused.name, &Row::name) != kRows.end();
                                   }),
              "an option is carried out or refused");

bool is_option(std::string_view word) {
  return word.starts_with("--");
}

Result<void> check_belongs(std::string_view name, const Row* row, const KindEntry& kind) {
  if (const auto* const refused = std::ranges::find(kRefused, name, &Refused::name); refused != kRefused.end()) {
    return base::fail(Code::kUnimplemented, "option {} is known and refused: {}", name, refused->why);
  }
  if (row == nullptr) {
    const auto near = base::nearest(name, std::vector(kind.options.begin(), kind.options.end()));
    return base::fail(Code::kInvalidArgument, "unknown option {}{}", name,
                      near ? fmt::format("; did you mean {}?", *near) : "");
  }
  if (knows(kind, name)) return {};
  return base::fail(Code::kInvalidArgument, "option {} belongs to {}; this is {} {} job", name, kinds_text(name),
                    kind.name.starts_with('i') ? "an" : "a", kind.name);
}

// Takes the value that belongs to the option at words[index], and leaves index at its last word.
Result<std::string> consume_value(const Row& row, const std::vector<std::string>& words, std::size_t& index) {
  const std::string& word = words[index];
  const auto equals = word.find('=');
  if (equals != std::string::npos) return word.substr(equals + 1);
  const bool has_next = index + 1 < words.size() && !is_option(words[index + 1]);
  if (row.form == Form::kFlag) {
    if (has_next && option_values::boolean(words[index + 1])) return words[++index];
    return "true";
  }
  if (!has_next) return base::fail(Code::kInvalidArgument, "option {} needs a value", row.name);
  return words[++index];
}

}  // namespace

Result<JobOptions> parse_options(const KindEntry& kind, std::string_view text) {
  SLIPWAY_ASSIGN(const auto words, split_words(text));
  JobOptions options;
  for (std::size_t index = 0; index < words.size(); ++index) {
    const std::string& word = words[index];
    if (!is_option(word)) {
      return base::fail(Code::kInvalidArgument, "unexpected word '{}' in the options: each begins with --", word);
    }
    const std::string name = word.substr(0, word.find('='));
    const auto* const found = std::ranges::find(kRows, name, &Row::name);
    const Row* const row = found == kRows.end() ? nullptr : found;
    SLIPWAY_TRY(check_belongs(name, row, kind));
    SLIPWAY_ASSIGN(const std::string value, consume_value(*row, words, index));
    const auto applied = row->apply(options, value);
    if (!applied) return std::unexpected(applied.error().with(fmt::format("option {}", name)));
    if (std::ranges::find(options.given, name) == options.given.end()) options.given.push_back(name);
  }
  return options;
}

std::vector<std::string> effective_options() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_next = i + 1 < text.size();
    if (quote == '\'') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (quote == '"') {
      // Within double quotes a backslash is itself unless it protects one of these.
      if (c == quote)
        quote = '\0';
      else if (c == '\\' && has_next && std::string_view("\"\\$`").contains(text[i + 1]))
        word += text[++i];
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && has_next) {
      word += text[++i];
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    return base::fail(Code::kInvalidArgument, "the options end within a quote ({} is not closed)", quote);
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace slipway::hub::domain
