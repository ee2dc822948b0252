#pragma once

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/types.hpp"

namespace slipway::hub::domain {

struct KindEntry;

/// How quantize jobs may choose the ranges of activations. The last two are ours.
inline constexpr std::array<std::string_view, 5> kRangeSchemes = {"auto", "mse_minimizer", "min_max", "percentile",
                                                                  "entropy"};
inline constexpr std::string_view kDefaultRangeScheme = "min_max";

/// The option string of a job, parsed like a shell would: `--key value`, `--key=value`, bare flags, `--flag true`.
struct JobOptions {
  std::vector<std::string> given;             ///< the names that were written, once each
  std::optional<std::string> target_runtime;  ///< absent: onnx, and the log says so
  std::vector<std::string> output_names;
  bool allow_npu = true, allow_gpu = true, allow_cpu = true;  ///< --compute_unit
  bool compute_unit_given = false;
  std::optional<std::string> qairt_version;
  bool truncate_64bit_io = false, truncate_64bit_tensors = false;
  std::vector<std::string> force_channel_last_input, force_channel_last_output;
  bool quantize_io = false;  ///< only false until quantising works here
  /// Keys as users write them, checked: context_enable_graphs, context_priority, context_htp_performance_mode,
  /// default_graph_priority, default_graph_htp_precision (FLOAT16), default_graph_htp_optimization_type
  /// (FINALIZE_OPTIMIZATION_FLAG), default_graph_htp_optimization_value (1 … 3), default_graph_htp_optimizations (O=1 …
  /// O=3), default_graph_htp_vtcm_size (MB). The older --qnn_… spellings end here too.
  std::map<std::string, std::string> qnn_options;
  /// ours: the result is not compared when a run would take longer; 0: it is, however long that takes
  std::chrono::seconds compare_limit{300};
  int max_profiler_iterations = 100;
  std::chrono::seconds max_profiler_time{600};
  std::optional<bool> dequantize_outputs;  ///< outputs keep the graph's types; when given, the log says so
  std::map<std::string, std::string> onnx_options;
  std::vector<std::string> onnx_execution_providers;
  bool allow_emulation = false;             ///< ours: a profile job for a device that no agent offers
  std::optional<std::string> range_scheme;  ///< one of kRangeSchemes; absent: kDefaultRangeScheme, and the log says so
};

/// Parses and checks the options of one kind of job.
/// @error kInvalidArgument: an unknown option (named, with the nearest known one), one that belongs to another kind of
///        job, a missing or bad value; kUnimplemented: a documented option that this hub refuses (the message says why)
[[nodiscard]] base::Result<JobOptions> parse_options(const KindEntry& kind, std::string_view text);

/// Every option of every kind of job that this hub executes: "--target_runtime" …
[[nodiscard]] std::vector<std::string> effective_options();

/// Splits like a POSIX shell: blanks, single and double quotes, backslash.
/// @error kInvalidArgument: a quote that is not closed
[[nodiscard]] base::Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace slipway::hub::domain
