#include "hub/domain/option_effects.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

namespace slipway::hub::domain {
namespace {

/// Why an option has no effect, to follow "without effect"; empty: it has.
using WhyNot = std::string (*)(const OptionSituation&);

std::string always(const OptionSituation&) {
  return {};
}

std::string qnn_only(const OptionSituation& situation) {
  if (situation.is_compile) return is_qnn_target(situation.target) ? "" : "on the target onnx";
  return situation.is_on_npu ? "" : fmt::format("on the CPU of {}", situation.device);
}

/// Which units may take nodes: a choice only where there are several.
std::string units(const OptionSituation& situation) {
  const std::string why_not = qnn_only(situation);
  if (!why_not.empty() || !situation.is_compile || situation.target == CompileTarget::kPrecompiledQnnOnnx)
    return why_not;
  return fmt::format("on the target {}, which the NPU runs whole", target_name(situation.target));
}

/// How fast the NPU's clock goes is settled by whoever runs the model on one.
std::string clock_of_an_npu(const OptionSituation& situation) {
  const std::string why_not = qnn_only(situation);
  if (!why_not.empty() || situation.is_measured) return why_not;
  return situation.is_compile ? "on what a compiler makes" : "on the HTP emulator";
}

std::string profiling_only(const OptionSituation& situation) {
  if (!situation.is_profiling) return "without profiling";
  return situation.is_measured ? "" : "where nothing is measured";
}

std::string emulation(const OptionSituation& situation) {
  if (situation.is_measured) return fmt::format("on {}, which is attached", situation.device);
  return situation.has_data ? "on a job with data, which is emulated anyway" : "";
}

std::string graph_name(const OptionSituation& situation) {
  const std::string why_not = qnn_only(situation);
  return why_not.empty() ? "as ONNX Runtime names graphs itself" : why_not;
}

std::string only_type(const OptionSituation& situation) {
  const std::string why_not = qnn_only(situation);
  return why_not.empty() ? "as there is no other type" : why_not;
}

std::string no_quantized_border(const OptionSituation&) {
  return "as inputs and outputs are not quantised here";
}

std::string kept_types(const OptionSituation&) {
  return "as outputs keep the types of the graph";
}

struct Rule {
  std::string_view option;
  WhyNot why_not;
};

constexpr std::array kRules = {
    Rule{"--target_runtime", always},
    Rule{"--output_names", always},
    Rule{"--compute_unit", units},
    Rule{"--qairt_version", qnn_only},
    Rule{"--truncate_64bit_io", always},
    Rule{"--truncate_64bit_tensors", always},
    Rule{"--force_channel_last_input", always},
    Rule{"--force_channel_last_output", always},
    Rule{"--compare_limit", always},
    Rule{"--quantize_io", no_quantized_border},
    Rule{"--max_profiler_iterations", profiling_only},
    Rule{"--max_profiler_time", profiling_only},
    Rule{"--dequantize_outputs", kept_types},
    Rule{"--onnx_execution_providers", always},
    Rule{"--allow_emulation", emulation},
    Rule{"--range_scheme", always},
    // Looked at key by key; the older spellings are keys by other names.
    Rule{"--qnn_options", always},
    Rule{"--qnn_graph_name", always},
    Rule{"--qnn_context_binary_vtcm", always},
    Rule{"--qnn_context_binary_optimization_level", always},
    Rule{"--onnx_options", always},
    Rule{"--qnn_options context_enable_graphs", graph_name},
    Rule{"--qnn_options context_priority", qnn_only},
    Rule{"--qnn_options context_htp_performance_mode", clock_of_an_npu},
    Rule{"--qnn_options default_graph_priority", qnn_only},
    Rule{"--qnn_options default_graph_htp_precision", qnn_only},
    Rule{"--qnn_options default_graph_htp_optimization_type", only_type},
    Rule{"--qnn_options default_graph_htp_optimization_value", qnn_only},
    Rule{"--qnn_options default_graph_htp_optimizations", qnn_only},
    Rule{"--qnn_options default_graph_htp_vtcm_size", qnn_only},
    Rule{"--onnx_options execution_mode", always},
    Rule{"--onnx_options intra_op_num_threads", always},
    Rule{"--onnx_options inter_op_num_threads", always},
    Rule{"--onnx_options enable_memory_pattern", always},
    Rule{"--onnx_options enable_cpu_memory_arena", always},
    Rule{"--onnx_options graph_optimization_level", always},
    Rule{"--onnx_options qnn_htp_performance_mode", clock_of_an_npu},
    Rule{"--onnx_options qnn_htp_graph_optimization_mode", qnn_only},
    Rule{"--onnx_options qnn_enable_htp_fp16_precision", qnn_only},
};

const Rule* rule_of(std::string_view option) {
  const auto* const found = std::ranges::find(kRules, option, &Rule::option);
  return found == kRules.end() ? nullptr : found;
}

}  // namespace

std::vector<std::string> options_without_effect(const JobOptions& options, const OptionSituation& situation) {
  std::vector<std::string> given;
  for (const auto& [key, value] : options.qnn_options) given.push_back("--qnn_options " + key);
  for (const auto& [key, value] : options.onnx_options) given.push_back("--onnx_options " + key);
  given.insert(given.end(), options.given.begin(), options.given.end());
  std::vector<std::pair<std::string, std::vector<std::string>>> by_reason;
  for (const std::string& option : given) {
    const Rule* const rule = rule_of(option);
    const std::string why_not = rule == nullptr ? "" : rule->why_not(situation);
    if (why_not.empty()) continue;
    auto reason = std::ranges::find(by_reason, why_not, &decltype(by_reason)::value_type::first);
    if (reason == by_reason.end()) reason = by_reason.insert(reason, {why_not, {}});
    reason->second.push_back(option);
  }
  std::vector<std::string> remarks;
  for (const auto& [reason, names] : by_reason) {
    remarks.push_back(fmt::format("without effect {}: {}", reason, fmt::join(names, ", ")));
  }
  return remarks;
}

bool has_effect_rule(std::string_view option) {
  return rule_of(option) != nullptr;
}

}  // namespace slipway::hub::domain
