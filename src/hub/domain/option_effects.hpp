#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/execution_plan.hpp"

namespace slipway::hub::domain {

/// What of a job decides which of its options change anything.
struct OptionSituation {
  bool is_compile = false;                      ///< else the model is run
  CompileTarget target = CompileTarget::kOnnx;  ///< of a compile job
  std::string device = {};                      ///< its name, for words
  bool is_on_npu = false;                       ///< runs: on the HTP or its emulator, else on the CPU
  bool is_measured = false;
  bool is_profiling = false;
  bool has_data = false;
};

/// Options that were given and change nothing, by reason: "without effect on the target onnx: --compute_unit". What is
/// refused is not among them.
[[nodiscard]] std::vector<std::string> options_without_effect(const JobOptions& options,
                                                              const OptionSituation& situation);

/// Whether the table says where an option has effect: "--compute_unit", "--qnn_options context_priority". Every option
/// that is obeyed must stand there.
[[nodiscard]] bool has_effect_rule(std::string_view option);

}  // namespace slipway::hub::domain
