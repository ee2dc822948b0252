#include "compile/compile.hpp"

#include <array>

#include "compile/agreement.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/prepare.hpp"
#include "compile/qnn_compile.hpp"

namespace slipway::compile {
namespace {

using base::Result;

struct TargetRow {
  Target target;
  std::string_view name;
};
constexpr std::array kTargets = {
    TargetRow{Target::kOnnx, "onnx"},
    TargetRow{Target::kPrecompiledQnnOnnx, "precompiled_qnn_onnx"},
    TargetRow{Target::kQnnContextBinary, "qnn_context_binary"},
    TargetRow{Target::kQnnDlc, "qnn_dlc"},
};

/// Below this the result no longer computes what the source does, whatever its precision.
constexpr double kLowestCosine = 0.9;

void finish_onnx(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                 const Prepared& prepared, CompileResult& result) {
  result.artifact = prepared.has_data_file ? prepared.model.parent_path() : prepared.model;
  result.artifact_is_folder = prepared.has_data_file;
  Candidate candidate;
  candidate.model = prepared.model;
  candidate.executor = "the CPU";
  auto comparison = compare_with_source(environment, request, prepared, candidate);
  result.agreement = std::move(comparison.outputs);
  result.agreement_note = std::move(comparison.note);
  result.placement = std::move(comparison.placement);
}

void log_agreement(const CompileResult& result, const Log& log) {
  log(fmt::format("agreement: {}", result.agreement_note));
  for (const auto& [output, agreement] : result.agreement) {
    if (agreement.max_abs == 0 && agreement.not_finite == 0) {
      log(fmt::format("  {}: equal in every element", output));
      continue;
    }
    log(fmt::format("  {}: largest difference {:.3g} ({:.2g} of the peak), cosine {:.6f}", output, agreement.max_abs,
                    agreement.relative_max, agreement.cosine));
    if (agreement.cosine < kLowestCosine || agreement.not_finite > 0) {
      log(fmt::format("  warning: {} does not agree with the source ({} element(s) not finite on one side only)",
                      output, agreement.not_finite));
    }
  }
}

}  // namespace

std::string_view target_name(Target target) {
  for (const TargetRow& row : kTargets) {
    if (row.target == target) return row.name;
  }
  return "unknown";
}

std::optional<Target> target_from_name(std::string_view name) {
  for (const TargetRow& row : kTargets) {
    if (row.name == name) return row.target;
  }
  return std::nullopt;
}

Result<CompileResult> compile(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& asked,
                              const Log& log) {
  CompileRequest request = asked;
  std::error_code error;
  request.model = std::filesystem::absolute(asked.model, error);
  request.output_folder = std::filesystem::absolute(asked.output_folder, error);

  CompileResult result;
  const Log keep = [&](std::string_view line) {
    result.log.emplace_back(line);
    if (log) log(line);
  };
  keep(fmt::format("target: {}", target_name(request.target)));
  SLIPWAY_ASSIGN(const Prepared prepared, prepare(environment, request, keep));
  result.source_graph = prepared.model;
  result.source_has_data_file = prepared.has_data_file;
  result.inputs = prepared.summary.inputs;
  result.outputs = prepared.summary.outputs;
  if (request.target == Target::kOnnx) {
    finish_onnx(environment, request, prepared, result);
  } else {
    SLIPWAY_TRY(compile_for_qnn(environment, request, prepared, keep, result));
  }
  log_agreement(result, keep);
  return result;
}

}  // namespace slipway::compile
