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
#include "hub/executor/kinds/run/session_plan.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using compile::Target;
using domain::FailureType;
using domain::JobOutcome;
using domain::ModelType;

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

const domain::Device* device_of(const JobContext& job) {
  if (job.spec.job.device) return &*job.spec.job.device;
  return job.spec.job.devices.empty() ? nullptr : &job.spec.job.devices.front();
}

std::vector<domain::ModelTensor> tensors_of(const std::vector<tensor::TensorSpec>& specs) {
  std::vector<domain::ModelTensor> tensors;
  for (const auto& spec : specs) tensors.push_back({spec, {}});
  return tensors;
}

std::map<std::uint32_t, std::string> metadata_of(const std::map<std::string, std::string>& found) {
  std::map<std::uint32_t, std::string> metadata;
  const auto take = [&](const char* name, std::uint32_t key, const std::string& prefix = "") {
    const auto entry = found.find(name);
    if (entry == found.end() || entry->second.empty()) return;
    metadata[key] = entry->second.starts_with(prefix) ? entry->second : prefix + entry->second;
  };
  take("qairt_version", kQnnSdkVersion, "v");
  take("qairt_version", kQairtSdkVersion, "v");
  take("graph_names", kGraphNames);
  take("htp_arch", kHexagonVersion, "v");
  take("soc_model", kSocModel);
  take("backend", kBackend);
  take("vtcm_mb", kVtcm);
  take("optimization_level", kOptimizationLevel);
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

/// Puts a graph with or without a data file into out/ as one file. @return its name there
base::Result<std::string> pack_graph(const JobContext& job, const fs::path& onnx, bool has_data_file,
                                     const std::string& stem, const std::string& top_name) {
  if (has_data_file) {
    const std::string name = stem + ".onnx.zip";
    SLIPWAY_TRY(pack_folder(onnx.parent_path(), top_name, job.out() / name));
    return name;
  }
  const std::string name = stem + ".onnx";
  std::error_code error;
  fs::copy_file(onnx, job.out() / name, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("write {}", name)));
  return name;
}

base::Result<void> hand_over(const JobContext& job, Target target, const compile::CompileResult& result,
                             JobOutcome& outcome) {
  std::error_code error;
  const std::string top_name = fmt::format("job_{}_optimized_onnx", job.spec.job.id);
  switch (target) {
    case Target::kOnnx: {
      const fs::path onnx = result.artifact_is_folder ? result.artifact / "model.onnx" : result.artifact;
      SLIPWAY_ASSIGN(outcome.target_file, pack_graph(job, onnx, result.artifact_is_folder, "target", top_name));
      outcome.target_is_directory = result.artifact_is_folder;
      return {};
    }
    case Target::kPrecompiledQnnOnnx: {
      SLIPWAY_ASSIGN(outcome.target_file,
                     pack_graph(job, result.artifact, result.artifact_is_folder, "target", top_name));
      outcome.target_is_directory = result.artifact_is_folder;
      return {};
    }
    case Target::kQnnContextBinary:
    case Target::kQnnDlc:
      break;
  }
  outcome.target_file = target == Target::kQnnDlc ? "target.dlc" : "target.bin";
  fs::rename(result.artifact, job.out() / outcome.target_file, error);
  if (error) return std::unexpected(base::errno_error(error.value(), "write the target model"));
  // Neither format can be read back here, so the graph that it was made from stays with it.
  SLIPWAY_ASSIGN(outcome.companion_files["source"],
                 pack_graph(job, result.source_graph, result.source_has_data_file, "source", "source"));
  if (!result.wrapper.empty()) {
    SLIPWAY_ASSIGN(outcome.companion_files["wrapper"], pack_graph(job, result.wrapper, false, "wrapper", "wrapper"));
  }
  return {};
}

/// Once compiled, the graph is one node to ONNX Runtime; profiles of it list the layers from here.
base::Result<void> keep_placement(const JobContext& job, const runtime::PlacementReport& placement,
                                  JobOutcome& outcome) {
  const std::string name = "placement.json";
  std::ofstream file(job.out() / name, std::ios::binary);
  file << placement_document(placement);
  if (!file.flush()) return base::fail(base::Code::kInternal, "write {}", name);
  outcome.companion_files[kPlacementCompanion] = name;
  return {};
}

/// A context binary "compiled" again is embedded in ONNX: here its wrapper and the binary as one model folder.
void wrap_context_binary(const JobContext& job, JobOutcome& outcome) {
  const auto wrapper = job.spec.companion_files.find("wrapper");
  if (wrapper == job.spec.companion_files.end()) {
    return fail_with(outcome,
                     {FailureType::kUnsupported,
                      "this QNN context binary was not compiled by this hub, so the ONNX wrapper that names its "
                      "inputs and outputs is missing"});
  }
  const fs::path folder = job.work() / "wrapped";
  std::error_code error;
  fs::create_directories(folder, error);
  fs::copy_file(job.in(wrapper->second), folder / "model.onnx", error);
  if (!error) fs::copy_file(job.in(job.spec.model_file), folder / compile::kContextBinaryFile, error);
  base::Result<void> packed =
      error ? base::Result<void>(std::unexpected(base::errno_error(error.value(), "lay out the context binary")))
            : pack_folder(folder, fmt::format("job_{}_optimized_onnx", job.spec.job.id), job.out() / "target.onnx.zip");
  if (!packed) return fail_with(outcome, failure_of(packed.error(), Step::kWrite));
  outcome.target_file = "target.onnx.zip";
  outcome.target_is_directory = true;
  if (job.spec.model.inspection) {
    outcome.target_inputs = job.spec.model.inspection->inputs;
    outcome.target_outputs = job.spec.model.inspection->outputs;
  }
  outcome.target_metadata = job.spec.model.metadata;
  if (const auto placement = job.spec.companion_files.find(kPlacementCompanion);
      placement != job.spec.companion_files.end()) {
    fs::copy_file(job.in(placement->second), job.out() / "placement.json", error);
    if (!error) outcome.companion_files[kPlacementCompanion] = "placement.json";
  }
  outcome.agreement_note = "not compared: the binary itself is unchanged";
  outcome.succeeded = true;
}

/// What cannot be compiled at all, in words; nothing when it may be tried.
std::optional<Failure> unsupported(const domain::JobSpec& spec) {
  switch (spec.model.type) {
    case ModelType::kOnnx:
      break;
    case ModelType::kTorchScript:
    case ModelType::kTorchExportedProgram:
      return Failure{FailureType::kUnsupported,
                     fmt::format("{} is stored, but this hub cannot compile it yet: export it to ONNX "
                                 "(torch.onnx.export) and upload that",
                                 describe(spec.model.type))};
    case ModelType::kTflite:
    case ModelType::kAimetOnnx:
    case ModelType::kQnnDlc:
    case ModelType::kQnnContextBinary:
      return Failure{
          FailureType::kUnsupported,
          fmt::format("{} cannot be compiled by this hub; it compiles ONNX models", describe(spec.model.type))};
  }
  if (!spec.job.dataset_id.empty()) {
    return Failure{FailureType::kUnsupported,
                   "calibration data is for quantising at compile time, which this hub does not do yet: upload a "
                   "quantised ONNX model (QDQ), or leave the calibration data out"};
  }
  return std::nullopt;
}

compile::CompileRequest request_of(const JobContext& job, Target target, const fs::path& onnx) {
  const auto& options = job.spec.options;
  compile::CompileRequest request;
  request.model = onnx;
  request.target = target;
  if (const auto* device = device_of(job); device != nullptr) {
    request.htp = htp_of(*device);
    // A chip without an HTP is named with what it has, so that the refusal can say so.
    if (!request.htp && device->chip.htp_arch > 0) {
      request.htp = runtime::HtpTarget{device->chip.soc_model, device->chip.htp_arch};
    }
    request.chip_supports_fp16 = device->chip.supports_fp16;
  }
  for (const auto& spec : job.spec.job.input_specs) request.input_specs.push_back({spec.name, spec.shape, spec.dtype});
  request.output_names = options.output_names;
  request.truncate_64bit_io = options.truncate_64bit_io;
  request.truncate_64bit_tensors = options.truncate_64bit_tensors;
  request.channel_last_inputs = options.force_channel_last_input;
  request.channel_last_outputs = options.force_channel_last_output;
  request.fallback = options.allow_cpu ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  request.qnn_options = qnn_provider_options(options.qnn_options, request.graph_name);
  request.agreement_limit = options.compare_limit;
  if (options.compare_limit.count() == 0) request.comparing = compile::Comparing::kToTheEnd;
  request.output_folder = job.work() / "compile";
  return request;
}

}  // namespace

void run_compile(const JobContext& job, JobOutcome& outcome) {
  const auto& options = job.spec.options;
  if (!options.target_runtime) {
    job.log("no --target_runtime was given: the target is onnx");
    outcome.remarks.emplace_back("No --target_runtime was given: the target is onnx.");
  }
  const auto target = compile::target_from_name(options.target_runtime.value_or("onnx"));
  if (!target) {
    return fail_with(outcome, {FailureType::kInvalidArgument,
                               fmt::format("unknown target runtime \"{}\"", *options.target_runtime)});
  }
  if (job.spec.model.type == ModelType::kQnnContextBinary) return wrap_context_binary(job, outcome);
  if (const auto failure = unsupported(job.spec)) return fail_with(outcome, *failure);

  const auto onnx = onnx_file_of(job.in(job.spec.model_file), job.work());
  if (!onnx) return fail_with(outcome, failure_of(onnx.error(), Step::kReadModel));
  const auto environment = job.tools.open_environment();
  if (!environment) return fail_with(outcome, failure_of(environment.error(), Step::kLoad));
  outcome.tool_versions.emplace_back("ONNX Runtime", (*environment)->onnxruntime_version());
  if (*target != Target::kOnnx) {
    if (const auto qairt = (*environment)->qairt_version()) outcome.tool_versions.emplace_back("QAIRT", *qairt);
  }
  const auto request = request_of(job, *target, *onnx);
  if (!request.graph_name.empty() && *target != Target::kOnnx) {
    outcome.remarks.push_back(
        fmt::format("The graph keeps the compiler's own name instead of {}: ONNX Runtime offers no way to name it.",
                    request.graph_name));
  }
  std::error_code error;
  fs::create_directories(request.output_folder, error);
  const auto result = compile::compile(*environment, request, job.log);
  if (!result) return fail_with(outcome, failure_of(result.error(), Step::kCompile));

  outcome.target_inputs = tensors_of(result->inputs);
  outcome.target_outputs = tensors_of(result->outputs);
  outcome.target_metadata = metadata_of(result->metadata);
  outcome.agreement_note = result->agreement_note;
  outcome.agreement = agreement_of(*result);
  outcome.warnings = result->warnings;
  for (const auto& remark : result->agreement_remarks) outcome.remarks.push_back(fmt::format("Agreement: {}.", remark));
  if (*target != Target::kOnnx && result->placement.node_count() > 0) {
    outcome.remarks.push_back(fmt::format("Placement: {}.", result->placement.summary()));
    if (const auto kept = keep_placement(job, result->placement, outcome); !kept) {
      return fail_with(outcome, failure_of(kept.error(), Step::kWrite));
    }
  }
  add_compiler_estimate(job, *result, outcome);
  if (const auto handed = hand_over(job, *target, *result, outcome); !handed) {
    return fail_with(outcome, failure_of(handed.error(), Step::kWrite));
  }
  outcome.succeeded = true;
}

}  // namespace slipway::hub::executor
