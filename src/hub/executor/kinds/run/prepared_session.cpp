#include "hub/executor/kinds/run/prepared_session.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "base/text.hpp"
#include "compile/compile.hpp"
#include "compile/onnx_graph/model.hpp"
#include "compile/rewrite_for_npu.hpp"
#include "hub/executor/format.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using domain::FailureType;

std::unexpected<Failure> refuse(FailureType type, std::string reason) {
  return std::unexpected(Failure{type, std::move(reason)});
}

bool is_true(const std::string& text) {
  const auto word = base::lowered(text);
  return word == "1" || word == "true" || word == "yes" || word == "on";
}

int number_in(const std::string& text) {
  int number = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
  }
  return number;
}

/// Unpacks a file of in/ to a .onnx in a folder of its own.
std::expected<fs::path, Failure> onnx_of(const JobContext& job, const fs::path& file, std::string_view place) {
  const fs::path scratch = job.work() / place;
  std::error_code error;
  fs::create_directories(scratch, error);
  auto onnx = onnx_file_of(file, scratch);
  if (!onnx) return std::unexpected(failure_of(onnx.error(), Step::kReadModel));
  return *onnx;
}

std::expected<void, Failure> add_onnx(const JobContext& job, PreparedSession& prepared) {
  auto onnx = onnx_of(job, job.in(job.model().file), "model");
  if (!onnx) return std::unexpected(onnx.error());
  const auto model = compile::onnx_graph::Model::read(*onnx);
  if (!model) return std::unexpected(failure_of(model.error(), Step::kReadModel));
  prepared.model = *onnx;
  // What holds a context binary has no graph that could be looked at.
  if (!model->summary().has_ep_context) prepared.graph = prepared.model;
  return {};
}

/// The wrapper looks for the binary beside itself, under the name that the compiler gave it.
std::expected<void, Failure> add_context_binary(const JobContext& job, PreparedSession& prepared) {
  const auto wrapper = job.companion("wrapper");
  if (!wrapper) return std::unexpected(wrapper.error());
  const fs::path folder = job.work() / "context";
  std::error_code error;
  fs::create_directories(folder, error);
  fs::copy_file(*wrapper, folder / "model.onnx", error);
  if (!error) fs::copy_file(job.in(job.model().file), folder / compile::kContextBinaryFile, error);
  if (error) {
    return std::unexpected(
        failure_of(base::errno_error(error.value(), "lay out the context binary"), Step::kReadModel));
  }
  prepared.model = folder / "model.onnx";
  return {};
}

std::expected<void, Failure> add_dlc(const JobContext& job, PreparedSession& prepared) {
  const auto source = job.companion("source");
  if (!source) return std::unexpected(source.error());
  auto onnx = onnx_of(job, *source, "source");
  if (!onnx) return std::unexpected(onnx.error());
  prepared.model = *onnx;
  prepared.graph = *onnx;
  prepared.remarks.emplace_back(
      "A DLC cannot be read back here: the source graph that was kept with it was compiled once more and run.");
  return {};
}

/// The file to load, converted as the plan says.
std::expected<void, Failure> add_model(const JobContext& job, PreparedSession& prepared) {
  switch (job.plan().converts_first) {
    case domain::Conversion::kNone:
      return add_onnx(job, prepared);
    case domain::Conversion::kWrapBinary:
      return add_context_binary(job, prepared);
    case domain::Conversion::kCompileSource:
      return add_dlc(job, prepared);
    case domain::Conversion::kConvertTorch:
    case domain::Conversion::kEmbedBinary:
      break;
  }
  return refuse(FailureType::kInternal, "the plan converts the model as compile jobs do");
}

void set(PreparedSession& prepared, const std::string& key, const std::string& value) {
  prepared.runtime_config.emplace_back(key, value);
}

std::expected<void, Failure> apply_onnx_options(const std::map<std::string, std::string>& options,
                                                PreparedSession& prepared) {
  auto& session = prepared.session;
  const bool is_for_htp = runtime::provider_has(session.provider.name, &runtime::ProviderRow::accepts_htp);
  for (const auto& [key, value] : options) {
    const std::string word = base::lowered(value);
    set(prepared, key, value);
    if (key == "execution_mode") {
      session.parallel_execution = word.find("parallel") != std::string::npos || word == "1";
    } else if (key == "intra_op_num_threads") {
      session.intra_op_threads = number_in(value);
    } else if (key == "inter_op_num_threads") {
      session.inter_op_threads = number_in(value);
    } else if (key == "enable_memory_pattern") {
      session.enable_memory_pattern = is_true(value);
    } else if (key == "enable_cpu_memory_arena") {
      session.enable_cpu_memory_arena = is_true(value);
    } else if (key == "graph_optimization_level") {
      using runtime::GraphOptimization;
      const std::map<std::string, GraphOptimization> levels = {{"ort_disable_all", GraphOptimization::kDisabled},
                                                               {"disable_all", GraphOptimization::kDisabled},
                                                               {"0", GraphOptimization::kDisabled},
                                                               {"ort_enable_basic", GraphOptimization::kBasic},
                                                               {"enable_basic", GraphOptimization::kBasic},
                                                               {"1", GraphOptimization::kBasic},
                                                               {"ort_enable_extended", GraphOptimization::kExtended},
                                                               {"enable_extended", GraphOptimization::kExtended},
                                                               {"2", GraphOptimization::kExtended},
                                                               {"ort_enable_all", GraphOptimization::kAll},
                                                               {"enable_all", GraphOptimization::kAll},
                                                               {"99", GraphOptimization::kAll},
                                                               {"3", GraphOptimization::kAll}};
      const auto level = levels.find(word);
      if (level == levels.end()) {
        return refuse(FailureType::kInvalidArgument,
                      fmt::format("graph_optimization_level: expected disable_all, enable_basic, enable_extended or "
                                  "enable_all, found \"{}\"",
                                  value));
      }
      session.graph_optimization = level->second;
    } else if (key == "qnn_htp_performance_mode" && is_for_htp) {
      session.provider.options["htp_performance_mode"] = word;
    } else if (key == "qnn_htp_graph_optimization_mode" && is_for_htp) {
      session.provider.options["htp_graph_finalization_optimization_mode"] = word;
    } else if (key == "qnn_enable_htp_fp16_precision" && is_for_htp) {
      session.provider.options["enable_htp_fp16_precision"] = is_true(value) ? "1" : "0";
    }
  }
  return {};
}

void use_qnn(const JobContext& job, const domain::Device& device, PreparedSession& prepared) {
  auto& session = prepared.session;
  session.provider.name = runtime::htp_provider().name;
  session.provider.htp = htp_of(device);
  session.fallback = job.plan().fallback_allowed ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  std::string graph_name;
  session.provider.options = qnn_provider_options(job.spec.options.qnn_options, graph_name);
  if (!graph_name.empty()) {
    prepared.remarks.push_back(
        fmt::format("The QNN option context_enable_graphs={} has no effect: ONNX Runtime's QNN provider names graphs "
                    "itself and runs those that the model holds.",
                    graph_name));
  }
  if (device.chip.supports_fp16) session.provider.options.emplace("enable_htp_fp16_precision", "1");
  // Otherwise Quantize and Dequantize at the graph's edge run on the CPU, which is a fallback.
  if (session.fallback == runtime::Fallback::kForbid) session.provider.options["offload_graph_io_quantization"] = "0";
  if (job.plan().figures == domain::Figures::kMeasured) return;
  prepared.remarks.push_back(
      fmt::format("Ran on Qualcomm's HTP emulator for {} (SoC {}, Hexagon v{}), not on a device: values are what the "
                  "compiled graph computes, and no time was measured.",
                  device.chip.name, device.chip.soc_model, device.chip.htp_arch));
}

/// A plain graph is compiled for the NPU when it is loaded, by the compiler that compile jobs use and with its faults:
/// they are avoided here as there. What comes compiled had them avoided then.
std::expected<void, Failure> avoid_compiler_faults(const JobContext& job, const domain::Device& device,
                                                   PreparedSession& prepared) {
  const bool is_plain = !prepared.graph.empty() && job.plan().converts_first == domain::Conversion::kNone;
  const auto htp = htp_of(device);
  if (!is_plain || !htp) return {};
  const auto model =
      compile::rewrite_for_npu(prepared.graph, *htp, device.chip.supports_fp16, job.work() / "rewritten", job.log);
  if (!model) return std::unexpected(failure_of(model.error(), Step::kCompile));
  prepared.model = *model;
  return {};
}

}  // namespace

std::optional<runtime::HtpTarget> htp_of(const domain::Device& device) {
  if (!device.chip.has_htp()) return std::nullopt;
  return runtime::HtpTarget{.soc_model = device.chip.soc_model, .htp_arch = device.chip.htp_arch};
}

std::map<std::string, std::string> qnn_provider_options(const std::map<std::string, std::string>& options,
                                                        std::string& graph_name) {
  std::map<std::string, std::string> translated;
  for (const auto& [key, value] : options) {
    if (key == "context_enable_graphs") {
      graph_name = value;
    } else if (key == "context_htp_performance_mode") {
      translated["htp_performance_mode"] = base::lowered(value);
    } else if (key == "context_priority" || key == "default_graph_priority") {
      translated["qnn_context_priority"] = base::lowered(value);
    } else if (key == "default_graph_htp_precision") {
      translated["enable_htp_fp16_precision"] = "1";
    } else if (key == "default_graph_htp_optimization_value" || key == "default_graph_htp_optimizations") {
      translated["htp_graph_finalization_optimization_mode"] = std::to_string(number_in(value));
    } else if (key == "default_graph_htp_vtcm_size" && number_in(value) > 0) {
      translated["vtcm_mb"] = value;
    }
  }
  return translated;
}

std::expected<PreparedSession, Failure> prepare_session(const JobContext& job) {
  PreparedSession prepared;
  if (const auto added = add_model(job, prepared); !added) return std::unexpected(added.error());
  switch (job.plan().provider) {
    case domain::Provider::kCpu:
      break;  // as every session is, unless told otherwise
    case domain::Provider::kQnn:
      use_qnn(job, *job.spec.job.device, prepared);
      if (const auto done = avoid_compiler_faults(job, *job.spec.job.device, prepared); !done) {
        return std::unexpected(done.error());
      }
      break;
  }
  if (const auto applied = apply_onnx_options(job.spec.options.onnx_options, prepared); !applied) {
    return std::unexpected(applied.error());
  }
  for (const auto& [key, value] : prepared.session.provider.options) set(prepared, key, value);
  return prepared;
}

}  // namespace slipway::hub::executor
