#include <algorithm>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "compile/compile.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "hub/executor/archive.hpp"
#include "hub/executor/format.hpp"
#include "hub/executor/internal/compiler_estimate.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/internal/placement_document.hpp"
#include "hub/executor/kinds/run/prepared_session.hpp"
#include "hub/executor/torch_model.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using compile::Target;
using domain::FailureType;
using domain::JobOutcome;
using domain::kinds::Compile;

/// ModelMetadataKey, hub-protocol 13.3.
enum MetadataKey : std::uint32_t {
  kQnnSdkVersion = 1,
  kQairtSdkVersion = 3,
  kGraphNames = 30,
  kHexagonVersion = 31,
  kSocModel = 32,
  kBackend = 33,
  kVtcm = 34,
  kOptimizationLevel = 35,
};

std::map<std::uint32_t, std::string> metadata_of(const std::map<std::string, std::string>& found) {
  std::map<std::uint32_t, std::string> metadata;
  const auto add = [&](const char* name, std::uint32_t key, const std::string& prefix = "") {
    const auto entry = found.find(name);
    if (entry == found.end() || entry->second.empty()) return;
    metadata[key] = entry->second.starts_with(prefix) ? entry->second : prefix + entry->second;
  };
  add("qairt_version", kQnnSdkVersion, "v");
  add("qairt_version", kQairtSdkVersion, "v");
  add("graph_names", kGraphNames);
  add("htp_arch", kHexagonVersion, "v");
  add("soc_model", kSocModel);
  add("backend", kBackend);
  add("vtcm_mb", kVtcm);
  add("optimization_level", kOptimizationLevel);
  return metadata;
}

std::vector<domain::OutputAgreement> agreement_of(const compile::CompileResult& result) {
  std::vector<domain::OutputAgreement> outputs;
  for (const compile::OutputAgreement& judged : result.agreement) {
    const tensor::Agreement& found = judged.agreement;
    outputs.push_back({.output = judged.output,
                       .max_abs = found.max_abs,
                       .relative_max = found.relative_max,
                       .cosine = found.cosine,
                       .psnr_db = found.psnr_db,
                       .snr_db = found.snr_db,
                       .elements = static_cast<std::uint64_t>(found.count),
                       .not_comparable = static_cast<std::uint64_t>(found.not_comparable),
                       .source_nan = static_cast<std::uint64_t>(found.reference_nan),
                       .equal_share = found.equal_share(),
                       .is_exact = judged.is_exact,
                       .alarm = judged.alarm});
  }
  return outputs;
}

base::Result<void> write_artifacts(const JobContext& job, Target target, const compile::CompileResult& compiled,
                                   Compile::Result& result) {
  std::error_code error;
  const std::string top_name = fmt::format("job_{}_optimized_onnx", job.spec.job.id);
  switch (target) {
    case Target::kOnnx: {
      const fs::path onnx = compiled.artifact_is_folder ? compiled.artifact / "model.onnx" : compiled.artifact;
      SLIPWAY_ASSIGN(result.target_file, pack_graph(job.out(), onnx, compiled.artifact_is_folder, "target", top_name));
      result.target_is_directory = compiled.artifact_is_folder;
      return {};
    }
    case Target::kPrecompiledQnnOnnx: {
      SLIPWAY_ASSIGN(result.target_file,
                     pack_graph(job.out(), compiled.artifact, compiled.artifact_is_folder, "target", top_name));
      result.target_is_directory = compiled.artifact_is_folder;
      return {};
    }
    case Target::kQnnContextBinary:
    case Target::kQnnDlc:
      break;
  }
  result.target_file = target == Target::kQnnDlc ? "target.dlc" : "target.bin";
  fs::copy_file(compiled.artifact, job.out() / result.target_file, fs::copy_options::overwrite_existing, error);
  if (error) return std::unexpected(base::errno_error(error.value(), "write the target model"));
  // Neither format can be read back here, so the graph that it was made from stays with it.
  SLIPWAY_ASSIGN(result.companion_files["source"],
                 pack_graph(job.out(), compiled.source_graph, compiled.source_has_data_file, "source", "source"));
  if (!compiled.wrapper.empty()) {
    SLIPWAY_ASSIGN(result.companion_files["wrapper"],
                   pack_graph(job.out(), compiled.wrapper, false, "wrapper", "wrapper"));
  }
  return {};
}

/// Once compiled, the graph is one node to ONNX Runtime; profiles of it list the layers from here.
base::Result<void> store_placement(const JobContext& job, const runtime::PlacementReport& placement,
                                   Compile::Result& result) {
  const std::string name = "placement.json";
  std::ofstream file(job.out() / name, std::ios::binary);
  file << placement_document(placement);
  if (!file.flush()) return base::fail(base::Code::kInternal, "write {}", name);
  result.companion_files[kPlacementCompanion] = name;
  return {};
}

/// Everything of a result but how it compares: its files into out/, what is known of it into the outcome.
base::Result<void> store_compiled(const JobContext& job, Target target, const compile::CompileResult& compiled,
                                  JobOutcome& outcome, Compile::Result& result) {
  result.target_inputs = tensors_of(compiled.inputs);
  result.target_outputs = tensors_of(compiled.outputs);
  result.target_metadata = metadata_of(compiled.metadata);
  if (target != Target::kOnnx && compiled.placement.node_count() > 0) {
    outcome.remarks.push_back(fmt::format("Placement: {}.", compiled.placement.summary()));
    SLIPWAY_TRY(store_placement(job, compiled.placement, result));
  }
  add_compiler_estimate(job, compiled, result, outcome);
  return write_artifacts(job, target, compiled, result);
}

/// A context binary "compiled" again is embedded in ONNX: here its wrapper and the binary as one model folder.
void embed_context_binary(const JobContext& job, JobOutcome& outcome, Compile::Result& result) {
  const auto wrapper = job.companion("wrapper");
  if (!wrapper) return fail_with(outcome, wrapper.error());
  const fs::path folder = job.work() / "wrapped";
  std::error_code error;
  fs::create_directories(folder, error);
  fs::copy_file(*wrapper, folder / "model.onnx", error);
  if (!error) fs::copy_file(job.in(job.model().file), folder / compile::kContextBinaryFile, error);
  base::Result<void> packed =
      error ? base::Result<void>(std::unexpected(base::errno_error(error.value(), "lay out the context binary")))
            : pack_folder(folder, fmt::format("job_{}_optimized_onnx", job.spec.job.id), job.out() / "target.onnx.zip");
  if (!packed) return fail_with(outcome, failure_of(packed.error(), Step::kWrite));
  result.target_file = "target.onnx.zip";
  result.target_is_directory = true;
  if (job.model().model.inspection) {
    result.target_inputs = job.model().model.inspection->inputs;
    result.target_outputs = job.model().model.inspection->outputs;
  }
  result.target_metadata = job.model().model.metadata;
  if (const auto placement = job.model().companion_files.find(kPlacementCompanion);
      placement != job.model().companion_files.end()) {
    fs::copy_file(job.in(placement->second), job.out() / "placement.json", error);
    if (!error) result.companion_files[kPlacementCompanion] = "placement.json";
  }
  result.agreement_note = "not compared: the binary itself is unchanged";
  outcome.succeeded = true;
}

constexpr Target compiler_target(domain::CompileTarget target) {
  switch (target) {
    case domain::CompileTarget::kOnnx:
      return Target::kOnnx;
    case domain::CompileTarget::kPrecompiledQnnOnnx:
      return Target::kPrecompiledQnnOnnx;
    case domain::CompileTarget::kQnnContextBinary:
      return Target::kQnnContextBinary;
    case domain::CompileTarget::kQnnDlc:
      return Target::kQnnDlc;
  }
  return Target::kOnnx;
}

/// The ONNX file to compile: as uploaded, or converted from PyTorch's archive.
base::Result<fs::path> source_of(const JobContext& job, const Compile& payload, JobOutcome& outcome) {
  const fs::path file = job.in(job.model().file);
  if (job.plan().converts_first != domain::Conversion::kConvertTorch) return onnx_file_of(file, job.work());
  std::vector<tensor::TensorSpec> specs;
  for (const auto& spec : payload.input_specs) specs.push_back({spec.name, spec.dtype, spec.shape, {}});
  const fs::path folder = job.work() / "converted";
  std::error_code error;
  fs::create_directories(folder, error);
  SLIPWAY_ASSIGN(const auto converted, convert_torch_model(file, specs, job.spec.options.output_names, folder));
  job.log(converted.remark);
  outcome.remarks.push_back(converted.remark);
  return converted.onnx;
}

compile::CompileRequest request_of(const JobContext& job, const Compile& payload, const fs::path& onnx) {
  const auto& options = job.spec.options;
  compile::CompileRequest request;
  request.model = onnx;
  request.target = compiler_target(job.plan().target);
  if (const auto& device = job.spec.job.device) {
    request.htp = htp_of(*device);
    request.chip_supports_fp16 = device->chip.supports_fp16;
  }
  for (const auto& spec : payload.input_specs) request.input_specs.push_back({spec.name, spec.shape, spec.dtype});
  request.output_names = options.output_names;
  request.truncate_64bit_io = options.truncate_64bit_io;
  request.truncate_64bit_tensors = options.truncate_64bit_tensors;
  request.channel_last_inputs = options.force_channel_last_input;
  request.channel_last_outputs = options.force_channel_last_output;
  request.fallback = job.plan().fallback_allowed ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  request.qnn_options = qnn_provider_options(options.qnn_options, request.graph_name);
  request.agreement_limit = options.compare_limit;
  if (options.compare_limit.count() == 0) request.comparing = compile::Comparing::kToTheEnd;
  request.output_folder = job.work() / "compile";
  return request;
}

}  // namespace

void execute_kind(KindExecutor<Compile> /*kind*/, const JobContext& job, const Compile& payload, JobOutcome& outcome,
                  Compile::Result& result) {
  if (!job.spec.options.target_runtime) {
    job.log("no --target_runtime was given: the target is onnx");
    outcome.remarks.emplace_back("No --target_runtime was given: the target is onnx.");
  }
  if (job.plan().converts_first == domain::Conversion::kEmbedBinary) return embed_context_binary(job, outcome, result);
  const bool is_for_npu = domain::is_qnn_target(job.plan().target);

  const auto onnx = source_of(job, payload, outcome);
  if (!onnx) return fail_with(outcome, failure_of(onnx.error(), Step::kReadModel));
  const auto environment = job.tools.open_environment();
  if (!environment) return fail_with(outcome, failure_of(environment.error(), Step::kLoad));
  outcome.tool_versions.emplace_back("ONNX Runtime", (*environment)->onnxruntime_version());
  if (is_for_npu) {
    if (const auto qairt = (*environment)->qairt_version()) outcome.tool_versions.emplace_back("QAIRT", *qairt);
  }
  auto request = request_of(job, payload, *onnx);
  if (!request.graph_name.empty() && is_for_npu) {
    outcome.remarks.push_back(
        fmt::format("The graph keeps the compiler's own name instead of {}: ONNX Runtime offers no way to name it.",
                    request.graph_name));
  }
  std::error_code error;
  fs::create_directories(request.output_folder, error);
  const JobOutcome before = outcome;
  request.made = [&](const compile::CompileResult& made) {
    // The files and words of the result as it is now: enough for a process that does not live to write the rest.
    JobOutcome so_far = before;
    auto& result_so_far = so_far.result.emplace<Compile::Result>();
    if (!store_compiled(job, request.target, made, so_far, result_so_far)) return;
    result_so_far.agreement_note = "not compared: the job ended before that";
    so_far.warnings.emplace_back("The result was not compared with its source: the job ended before that.");
    so_far.succeeded = true;
    if (job.tools.store) job.tools.store(so_far);
  };
  const auto compiled = compile::compile(*environment, request, job.log);
  if (!compiled) return fail_with(outcome, failure_of(compiled.error(), is_for_npu ? Step::kCompile : Step::kLoad));

  result.agreement_note = compiled->agreement_note;
  result.agreement = agreement_of(*compiled);
  outcome.warnings = compiled->warnings;
  for (const auto& remark : compiled->agreement_remarks)
    outcome.remarks.push_back(fmt::format("Agreement: {}.", remark));
  if (const auto stored = store_compiled(job, request.target, *compiled, outcome, result); !stored) {
    return fail_with(outcome, failure_of(stored.error(), Step::kWrite));
  }
  outcome.succeeded = true;
}

}  // namespace slipway::hub::executor
