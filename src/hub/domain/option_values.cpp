#include "hub/domain/option_values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/text.hpp"
#include "hub/domain/options.hpp"

namespace slipway::hub::domain::option_values {
namespace {

using base::Code;
using base::Result;

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  const auto near = base::nearest(word, known);
  return near ? fmt::format("; did you mean {}?", *near) : "";
}

Result<std::string> one_of(std::string_view value, const std::vector<std::string_view>& allowed) {
  const std::string text = base::uppercased(value);
  if (std::ranges::find(allowed, text) != allowed.end()) return text;
  return base::fail(Code::kInvalidArgument, "expected one of {}, found '{}'", fmt::join(allowed, ", "), value);
}

enum class QnnValue { kText, kPriority, kPerformanceMode, kFloat16, kFinalize, kLevel, kLevelO, kVtcm, kNoSuchSetting };

struct QnnKey {
  std::string_view name;  ///< a name that ends in '*' stands for all keys that begin so
  QnnValue value;
};

// What the QNN execution provider can be told. The rest of the documented keys have no way there.
constexpr std::array kQnnKeys = {
    QnnKey{"context_enable_graphs", QnnValue::kText},
    QnnKey{"context_priority", QnnValue::kPriority},
    QnnKey{"context_htp_performance_mode", QnnValue::kPerformanceMode},
    QnnKey{"context_memory_limit_hint", QnnValue::kNoSuchSetting},
    QnnKey{"context_error_reporting_options_*", QnnValue::kNoSuchSetting},
    QnnKey{"context_gpu_*", QnnValue::kNoSuchSetting},
    QnnKey{"context_async_execution_queue_depth_numeric", QnnValue::kNoSuchSetting},
    QnnKey{"default_graph_priority", QnnValue::kPriority},
    QnnKey{"default_graph_gpu_*", QnnValue::kNoSuchSetting},
    QnnKey{"default_graph_htp_precision", QnnValue::kFloat16},
    QnnKey{"default_graph_htp_optimization_type", QnnValue::kFinalize},
    QnnKey{"default_graph_htp_optimization_value", QnnValue::kLevel},
    QnnKey{"default_graph_htp_optimizations", QnnValue::kLevelO},
    QnnKey{"default_graph_htp_num_hvx_threads", QnnValue::kNoSuchSetting},
    QnnKey{"default_graph_htp_vtcm_size", QnnValue::kVtcm},
    QnnKey{"default_graph_htp_disable_fold_relu_activation_into_conv", QnnValue::kNoSuchSetting},
    QnnKey{"default_graph_htp_disable_short_depth_conv_on_hmx", QnnValue::kNoSuchSetting},
};

Result<std::string> performance_mode(std::string_view value) {
  return one_of(value, {"DEFAULT", "BURST", "BALANCED", "HIGH_PERFORMANCE", "HIGH_POWER_SAVER", "LOW_BALANCED",
                        "LOW_POWER_SAVER", "POWER_SAVER", "EXTREME_POWER_SAVER", "SUSTAINED_HIGH_PERFORMANCE"});
}

bool names(const QnnKey& row, std::string_view key) {
  if (!row.name.ends_with('*')) return row.name == key;
  const std::string_view prefix = row.name.substr(0, row.name.size() - 1);
  return key.size() > prefix.size() && key.starts_with(prefix);
}

Result<std::string> qnn_value(QnnValue kind, std::string_view value) {
  switch (kind) {
    case QnnValue::kText:
      return std::string(value);
    case QnnValue::kPriority:
      return one_of(value, {"LOW", "NORMAL", "NORMAL_HIGH", "HIGH"});
    case QnnValue::kPerformanceMode:
      return performance_mode(value);
    case QnnValue::kFloat16:
      return one_of(value, {"FLOAT16"});
    case QnnValue::kFinalize:
      return one_of(value, {"FINALIZE_OPTIMIZATION_FLAG"});
    case QnnValue::kLevelO:
      return one_of(value, {"O=1", "O=2", "O=3"});
    case QnnValue::kLevel:
    case QnnValue::kVtcm: {
      const auto number = kind == QnnValue::kLevel ? whole_number(value, 1, 3) : whole_number(value, 0, 64);
      if (!number) return std::unexpected(number.error());
      return fmt::format("{}", *number);
    }
    case QnnValue::kNoSuchSetting:
      break;
  }
  // The key stands before it.
  return base::fail(Code::kUnimplemented,
                    "known and refused: models are compiled and run here by ONNX Runtime's QNN provider, which has no "
                    "such setting");
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

// "a=b;c=d=e;" -> {a, b}, {c, d=e}
Result<Pairs> pairs_of(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    const std::string_view entry = base::trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || base::trimmed(entry.substr(0, equals)).empty() ||
        base::trimmed(entry.substr(equals + 1)).empty()) {
      return base::fail(Code::kInvalidArgument, "expected key=value pairs with ';' between them, found '{}'", entry);
    }
    pairs.emplace_back(base::trimmed(entry.substr(0, equals)), base::trimmed(entry.substr(equals + 1)));
  }
  if (pairs.empty()) return base::fail(Code::kInvalidArgument, "expected key=value pairs, found nothing");
  return pairs;
}

enum class OnnxValue { kExecutionMode, kThreads, kFlag, kGraphOptimization, kPerformanceMode, kFinalization };

struct OnnxKey {
  std::string_view name;
  OnnxValue value;
};

constexpr std::array kOnnxKeys = {
    OnnxKey{"execution_mode", OnnxValue::kExecutionMode},
    OnnxKey{"intra_op_num_threads", OnnxValue::kThreads},
    OnnxKey{"inter_op_num_threads", OnnxValue::kThreads},
    OnnxKey{"enable_memory_pattern", OnnxValue::kFlag},
    OnnxKey{"enable_cpu_memory_arena", OnnxValue::kFlag},
    OnnxKey{"graph_optimization_level", OnnxValue::kGraphOptimization},
    OnnxKey{"qnn_htp_performance_mode", OnnxValue::kPerformanceMode},
    OnnxKey{"qnn_htp_graph_optimization_mode", OnnxValue::kFinalization},
    OnnxKey{"qnn_enable_htp_fp16_precision", OnnxValue::kFlag},
};

template <typename T>
Result<void> outcome_of(const Result<T>& checked) {
  if (!checked) return std::unexpected(checked.error());
  return {};
}

// The executor reads the same words (kinds/run/prepared_session.cpp); ONNX Runtime's own numbers and names are
// understood, too.
Result<void> check_onnx_value(OnnxValue kind, std::string_view value) {
  switch (kind) {
    case OnnxValue::kExecutionMode:
      return outcome_of(one_of(value, {"SEQUENTIAL", "PARALLEL", "ORT_SEQUENTIAL", "ORT_PARALLEL", "0", "1"}));
    case OnnxValue::kThreads:
      return outcome_of(whole_number(value, 0, 1024));
    case OnnxValue::kFlag:
      return outcome_of(boolean(value));
    case OnnxValue::kGraphOptimization:
      return outcome_of(
          one_of(value, {"DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL", "ORT_DISABLE_ALL",
                         "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL", "0", "1", "2", "3", "99"}));
    case OnnxValue::kPerformanceMode:
      return outcome_of(performance_mode(value));
    case OnnxValue::kFinalization:
      return outcome_of(whole_number(value, 0, 3));
  }
  return {};
}

}  // namespace

Result<bool> boolean(std::string_view text) {
  const std::string word = base::uppercased(text);
  if (word == "TRUE" || word == "1" || word == "YES") return true;
  if (word == "FALSE" || word == "0" || word == "NO") return false;
  return base::fail(Code::kInvalidArgument, "expected true or false, found '{}'", text);
}

Result<int> whole_number(std::string_view text, int least, int most) {
  const auto number = base::parse_number<int>(text);
  if (!number || *number < least || *number > most) {
    return base::fail(Code::kInvalidArgument, "expected a whole number from {} to {}, found '{}'", least, most, text);
  }
  return *number;
}

Result<std::vector<std::string>> list(std::string_view text) {
  std::vector<std::string> entries;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    const std::string_view entry = base::trimmed(text.substr(start, end - start));
    if (entry.empty()) {
      return base::fail(Code::kInvalidArgument, "expected names with ',' between them, found '{}'", text);
    }
    entries.emplace_back(entry);
    start = end + 1;
  }
  return entries;
}

Result<std::string> target_runtime(std::string_view text) {
  constexpr std::array<std::string_view, 4> kMade = {"onnx", "precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"};
  if (std::ranges::find(kMade, text) != kMade.end()) return std::string(text);
  if (text == "tflite") {
    return base::fail(Code::kUnimplemented,
                      "tflite is known, but this hub does not make TFLite files yet; it makes onnx, "
                      "precompiled_qnn_onnx, qnn_context_binary and qnn_dlc");
  }
  if (text == "qnn_lib_aarch64_android") {
    return base::fail(Code::kUnimplemented,
                      "qnn_lib_aarch64_android is deprecated and this hub does not make it; use "
                      "qnn_dlc or qnn_context_binary");
  }
  return base::fail(Code::kInvalidArgument,
                    "expected onnx, precompiled_qnn_onnx, qnn_context_binary or qnn_dlc, found "
                    "'{}'{}",
                    text, suggestion(text, {kMade.begin(), kMade.end()}));
}

Result<std::string> qairt_version(std::string_view text) {
  if (text == "default" || text == "latest") return std::string(text);
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  const auto dot = text.find('.');
  if (dot != std::string_view::npos && digits(text.substr(0, dot)) && digits(text.substr(dot + 1))) {
    return std::string(text);
  }
  return base::fail(Code::kInvalidArgument, "expected default, latest or a version such as 2.50, found '{}'", text);
}

Result<std::map<std::string, std::string>> qnn_options(std::string_view text) {
  SLIPWAY_ASSIGN(const Pairs pairs, pairs_of(text));
  std::map<std::string, std::string> options;
  for (const auto& [key, value] : pairs) {
    const auto* const row =
        std::ranges::find_if(kQnnKeys, [&](const QnnKey& candidate) { return names(candidate, key); });
    if (row == kQnnKeys.end()) {
      std::vector<std::string_view> known;
      for (const QnnKey& candidate : kQnnKeys) known.push_back(candidate.name);
      return base::fail(Code::kInvalidArgument, "unknown key {}{}", key, suggestion(key, known));
    }
    auto checked = qnn_value(row->value, value);
    if (!checked) return std::unexpected(checked.error().with(key));
    options[key] = std::move(*checked);
  }
  return options;
}

Result<std::map<std::string, std::string>> onnx_options(std::string_view text) {
  SLIPWAY_ASSIGN(const Pairs pairs, pairs_of(text));
  std::map<std::string, std::string> options;
  for (const auto& [key, value] : pairs) {
    const auto* const row = std::ranges::find(kOnnxKeys, key, &OnnxKey::name);
    if (row == kOnnxKeys.end()) {
      std::vector<std::string_view> known;
      for (const OnnxKey& candidate : kOnnxKeys) known.push_back(candidate.name);
      return base::fail(Code::kInvalidArgument, "unknown key {}{}", key, suggestion(key, known));
    }
    const auto checked = check_onnx_value(row->value, value);
    if (!checked) return std::unexpected(checked.error().with(key));
    options[key] = value;
  }
  return options;
}

std::vector<std::string> effective_keys() {
  std::vector<std::string> names;
  for (const QnnKey& key : kQnnKeys) {
    if (key.value != QnnValue::kNoSuchSetting) names.push_back(fmt::format("--qnn_options {}", key.name));
  }
  for (const OnnxKey& key : kOnnxKeys) names.push_back(fmt::format("--onnx_options {}", key.name));
  return names;
}

Result<std::string> range_scheme(std::string_view text) {
  if (std::ranges::find(kRangeSchemes, text) != kRangeSchemes.end()) return std::string(text);
  return base::fail(Code::kInvalidArgument, "expected one of {}, found '{}'{}", fmt::join(kRangeSchemes, ", "), text,
                    suggestion(text, {kRangeSchemes.begin(), kRangeSchemes.end()}));
}

Result<std::vector<std::string>> execution_providers(std::string_view text) {
  SLIPWAY_ASSIGN(auto providers, list(text));
  for (const std::string& provider : providers) {
    if (provider == "qnn-gpu" || provider == "directml") {
      return base::fail(Code::kUnimplemented, "{} is known, but no agent of this hub has it yet", provider);
    }
    if (provider != "qnn") {
      return base::fail(Code::kInvalidArgument, "expected qnn, qnn-gpu or directml, found '{}'", provider);
    }
  }
  return providers;
}

}  // namespace slipway::hub::domain::option_values
