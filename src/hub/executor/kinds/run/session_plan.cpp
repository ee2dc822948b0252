#include "hub/executor/kinds/run/session_plan.hpp"

#include <algorithm>
#include <cctype>

#include "base/files.hpp"
#include "compile/compile.hpp"
#include "compile/onnx_graph/model.hpp"
#include "hub/executor/format.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using domain::DevicePresence;
using domain::FailureType;
using domain::ModelType;

constexpr std::uint32_t kHexagonVersionKey = 31;

std::unexpected<Failure> refuse(FailureType type, std::string reason) {
  return std::unexpected(Failure{type, std::move(reason)});
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_true(const std::string& text) {
  const auto word = lower(text);
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
std::expected<fs::path, Failure> onnx_of(const JobContext& job, const std::string& name, std::string_view place) {
  const fs::path scratch = job.work() / place;
  std::error_code error;
  fs::create_directories(scratch, error);
  auto onnx = onnx_file_of(job.in(name), scratch);
  if (!onnx) return std::unexpected(failure_of(onnx.error(), Step::kReadModel));
  return *onnx;
}

std::expected<void, Failure> add_onnx(const JobContext& job, SessionPlan& plan, bool& needs_npu) {
  auto onnx = onnx_of(job, job.spec.model_file, "model");
  if (!onnx) return std::unexpected(onnx.error());
  const auto model = compile::onnx_graph::Model::read(*onnx);
  if (!model) return std::unexpected(failure_of(model.error(), Step::kReadModel));
  plan.model = *onnx;
  needs_npu = model->summary().has_ep_context;
  if (!needs_npu) plan.graph = plan.model;
  return {};
}

/// The wrapper looks for the binary beside itself, under the name that the compiler gave it.
std::expected<void, Failure> add_context_binary(const JobContext& job, SessionPlan& plan) {
  const auto wrapper = job.spec.companion_files.find("wrapper");
  if (wrapper == job.spec.companion_files.end()) {
    return refuse(
        FailureType::kUnsupported,
        "this QNN context binary was not compiled by this hub: without the ONNX wrapper that is kept with one "
        "made here it is stored and can be downloaded, but not run");
  }
  const fs::path folder = job.work() / "context";
  std::error_code error;
  fs::create_directories(folder, error);
  fs::copy_file(job.in(wrapper->second), folder / "model.onnx", error);
  if (!error) fs::copy_file(job.in(job.spec.model_file), folder / compile::kContextBinaryFile, error);
  if (error) {
    return std::unexpected(
        failure_of(base::errno_error(error.value(), "lay out the context binary"), Step::kReadModel));
  }
  plan.model = folder / "model.onnx";
  plan.numbers_outputs = true;
  return {};
}

std::expected<void, Failure> add_dlc(const JobContext& job, SessionPlan& plan) {
  const auto source = job.spec.companion_files.find("source");
  if (source == job.spec.companion_files.end()) {
    return refuse(FailureType::kUnsupported,
                  "this DLC was not compiled by this hub: nothing here can read one back, so it is stored and can be "
                  "downloaded, but not run");
  }
  auto onnx = onnx_of(job, source->second, "source");
  if (!onnx) return std::unexpected(onnx.error());
  plan.model = *onnx;
  plan.graph = *onnx;
  plan.numbers_outputs = true;
  plan.remarks.emplace_back(
      "A DLC cannot be read back here: the source graph that was kept with it was compiled once more and run.");
  return {};
}

/// The file to load, by the model's type.
std::expected<bool, Failure> add_model(const JobContext& job, SessionPlan& plan) {
  bool needs_npu = true;
  std::expected<void, Failure> added;
  switch (job.spec.model.type) {
    case ModelType::kOnnx:
      added = add_onnx(job, plan, needs_npu);
      break;
    case ModelType::kQnnContextBinary:
      added = add_context_binary(job, plan);
      break;
    case ModelType::kQnnDlc:
      added = add_dlc(job, plan);
      break;
    case ModelType::kTflite:
      return refuse(FailureType::kUnsupported, "TFLite models are not run by this hub yet: upload the ONNX model");
    default:
      return refuse(FailureType::kUnsupported,
                    fmt::format("{} is not run as it is: compile it first", describe(job.spec.model.type)));
  }
  if (!added) return std::unexpected(added.error());
  return needs_npu;
}

void set(SessionPlan& plan, const std::string& key, const std::string& value) {
  plan.runtime_config.emplace_back(key, value);
}

std::expected<void, Failure> apply_onnx_options(const std::map<std::string, std::string>& options, SessionPlan& plan) {
  auto& session = plan.session;
  for (const auto& [key, value] : options) {
    const std::string word = lower(value);
    set(plan, key, value);
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
    } else if (key == "qnn_htp_performance_mode" && session.provider.name == "qnn") {
      session.provider.options["htp_performance_mode"] = word;
    } else if (key == "qnn_htp_graph_optimization_mode" && session.provider.name == "qnn") {
      session.provider.options["htp_graph_finalization_optimization_mode"] = word;
    } else if (key == "qnn_enable_htp_fp16_precision" && session.provider.name == "qnn") {
      session.provider.options["enable_htp_fp16_precision"] = is_true(value) ? "1" : "0";
    }
  }
  return {};
}

std::expected<void, Failure> plan_cpu(const JobContext& job, const domain::Device& device, bool needs_npu,
                                      SessionPlan& plan) {
  if (needs_npu) {
    return refuse(FailureType::kUnsupported,
                  fmt::format("{} is compiled for an NPU, and {} has none: run it on a device with an HTP",
                              describe(job.spec.model.type), device.name));
  }
  if (!job.spec.options.allow_cpu || !job.spec.options.onnx_execution_providers.empty()) {
    return refuse(FailureType::kUnsupported,
                  fmt::format("{} has a CPU only, and the options ask for another compute unit", device.name));
  }
  plan.session.provider.name = "cpu";
  return {};
}

std::expected<void, Failure> plan_emulator(const JobContext& job, const domain::Device& device, bool needs_npu,
                                           SessionPlan& plan) {
  const auto htp = htp_of(device);
  if (!htp) {
    return refuse(
        FailureType::kUnsupported,
        fmt::format("no agent offers {}, and its chip{} has no HTP that could be emulated: attach one, or "
                    "choose another device",
                    device.name, device.chip.htp_arch > 0 ? fmt::format(" (Hexagon v{})", device.chip.htp_arch) : ""));
  }
  if (!job.spec.options.allow_npu) {
    return refuse(
        FailureType::kUnsupported,
        fmt::format("no agent offers {}: only its NPU can be emulated, and --compute_unit leaves it out", device.name));
  }
  const auto compiled_for = job.spec.model.metadata.find(kHexagonVersionKey);
  if (needs_npu && compiled_for != job.spec.model.metadata.end() && number_in(compiled_for->second) != htp->htp_arch) {
    return refuse(FailureType::kUnsupported,
                  fmt::format("the model is compiled for Hexagon {}, and {} has v{}: compile it for this device",
                              compiled_for->second, device.name, htp->htp_arch));
  }
  auto& session = plan.session;
  session.provider.name = "qnn";
  session.provider.htp = htp;
  session.fallback = job.spec.options.allow_cpu ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  std::string graph_name;
  session.provider.options = qnn_provider_options(job.spec.options.qnn_options, graph_name);
  if (!graph_name.empty()) {
    plan.remarks.push_back(
        fmt::format("The QNN option context_enable_graphs={} has no effect: ONNX Runtime's QNN provider names graphs "
                    "itself and runs those that the model holds.",
                    graph_name));
  }
  if (device.chip.supports_fp16) session.provider.options.emplace("enable_htp_fp16_precision", "1");
  // Otherwise Quantize and Dequantize at the graph's edge run on the CPU, which is a fallback.
  if (session.fallback == runtime::Fallback::kForbid) session.provider.options["offload_graph_io_quantization"] = "0";
  plan.remarks.push_back(
      fmt::format("Ran on Qualcomm's HTP emulator for {} (SoC {}, Hexagon v{}), not on a device: values are what the "
                  "compiled graph computes, and no time was measured.",
                  device.chip.name, htp->soc_model, htp->htp_arch));
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
      translated["htp_performance_mode"] = lower(value);
    } else if (key == "context_priority" || key == "default_graph_priority") {
      translated["qnn_context_priority"] = lower(value);
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

std::expected<SessionPlan, Failure> plan_session(const JobContext& job) {
  if (!job.spec.job.device) return refuse(FailureType::kInvalidArgument, "the job names no device");
  const auto& device = *job.spec.job.device;
  SessionPlan plan;
  const auto needs_npu = add_model(job, plan);
  if (!needs_npu) return std::unexpected(needs_npu.error());
  const auto planned = device.presence == DevicePresence::kAttached ? plan_cpu(job, device, *needs_npu, plan)
                                                                    : plan_emulator(job, device, *needs_npu, plan);
  if (!planned) return std::unexpected(planned.error());
  if (const auto applied = apply_onnx_options(job.spec.options.onnx_options, plan); !applied) {
    return std::unexpected(applied.error());
  }
  for (const auto& [key, value] : plan.session.provider.options) set(plan, key, value);
  return plan;
}

}  // namespace slipway::hub::executor
