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

Result<void> finish_onnx(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                         const Prepared& prepared, CompileResult& result) {
  result.artifact = prepared.has_data_file ? prepared.model.parent_path() : prepared.model;
  result.artifact_is_folder = prepared.has_data_file;
  Candidate candidate;
  candidate.model = prepared.model;
  candidate.executor = "the CPU";
  SLIPWAY_ASSIGN(Comparison comparison, compare_with_source(environment, request, prepared, candidate));
  result.placement = std::move(comparison.placement);
  store_comparison(std::move(comparison), result);
  return {};
}

void log_agreement(const CompileResult& result, const Log& log) {
  for (const auto& warning : result.warnings) log(fmt::format("warning: {}", warning));
  log(fmt::format("agreement: {}", result.agreement_note));
  for (const OutputAgreement& output : result.agreement) {
    const tensor::Agreement& found = output.agreement;
    if (found.equal == found.count) {
      log(fmt::format("  {}: equal in every element", output.output));
    } else if (output.is_exact) {
      log(fmt::format("  {}: {} of {} elements are equal", output.output, found.equal, found.count));
    } else {
      log(fmt::format(
          "  {}: {} of {} elements cannot be compared, signal to noise {:.1f} dB, largest difference {:.3g} "
          "({:.2g} of the peak), cosine {:.6f}",
          output.output, found.not_comparable, found.count, found.snr_db, found.max_abs, found.relative_max,
          found.cosine));
    }
  }
  for (const auto& remark : result.agreement_remarks) log(fmt::format("  {}", remark));
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

std::string_view standing_name(Standing standing) {
  switch (standing) {
    case Standing::kAgrees:
      return "agrees";
    case Standing::kDiffers:
      return "differs";
    case Standing::kNotCompared:
      return "not_compared";
    case Standing::kLeftOut:
      break;
  }
  return "left_out";
}

Result<CompileResult> compile(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& asked,
                              const Log& log) {
  CompileRequest request = asked;
  std::error_code error;
  request.model = std::filesystem::absolute(asked.model, error);
  request.output_folder = std::filesystem::absolute(asked.output_folder, error);

  CompileResult result;
  const Log record = [&](std::string_view line) {
    result.log.emplace_back(line);
    if (log) log(line);
  };
  record(fmt::format("target: {}", target_name(request.target)));
  SLIPWAY_ASSIGN(const Prepared prepared, prepare(environment, request, record));
  result.source_graph = prepared.model;
  result.source_has_data_file = prepared.has_data_file;
  result.inputs = prepared.summary.inputs;
  result.outputs = prepared.summary.outputs;
  if (request.target == Target::kOnnx) {
    SLIPWAY_TRY(finish_onnx(environment, request, prepared, result));
  } else {
    SLIPWAY_TRY(compile_for_qnn(environment, request, prepared, record, result));
  }
  log_agreement(result, record);
  return result;
}

}  // namespace slipway::compile
