#include <nlohmann/json.hpp>

#include "runtime/phase.hpp"

namespace slipway::runtime {
namespace {

using nlohmann::json;

constexpr const char* kRequestSchema = "slipway-profile-phase/1";
constexpr const char* kOutcomeSchema = "slipway-profile-phase-outcome/1";

json json_of(const SessionOptions& options) {
  json made = {{"provider", options.provider.name},
               {"provider_options", options.provider.options},
               {"precision", static_cast<int>(options.provider.precision)},
               {"allow_fallback", options.fallback == Fallback::kAllow},
               {"intra_op_threads", options.intra_op_threads},
               {"inter_op_threads", options.inter_op_threads},
               {"parallel_execution", options.parallel_execution},
               {"allow_spinning", options.allow_spinning},
               {"enable_memory_pattern", options.enable_memory_pattern},
               {"enable_cpu_memory_arena", options.enable_cpu_memory_arena},
               {"graph_optimization", static_cast<int>(options.graph_optimization)},
               {"config_entries", options.config_entries},
               {"record_placement", options.record_placement}};
  if (options.provider.htp) {
    made["htp"] = {{"soc_model", options.provider.htp->soc_model}, {"htp_arch", options.provider.htp->htp_arch}};
  }
  return made;
}

SessionOptions session_options_from(const json& from) {
  SessionOptions options;
  options.provider.name = from.at("provider");
  options.provider.options = from.at("provider_options").get<std::map<std::string, std::string>>();
  if (from.contains("htp")) options.provider.htp = HtpTarget{from["htp"].at("soc_model"), from["htp"].at("htp_arch")};
  options.provider.precision = static_cast<Precision>(from.at("precision").get<int>());
  options.fallback = from.at("allow_fallback").get<bool>() ? Fallback::kAllow : Fallback::kForbid;
  options.intra_op_threads = from.at("intra_op_threads");
  options.inter_op_threads = from.at("inter_op_threads");
  options.parallel_execution = from.at("parallel_execution");
  options.allow_spinning = from.at("allow_spinning");
  options.enable_memory_pattern = from.at("enable_memory_pattern");
  options.enable_cpu_memory_arena = from.at("enable_cpu_memory_arena");
  options.graph_optimization = static_cast<GraphOptimization>(from.at("graph_optimization").get<int>());
  options.config_entries = from.at("config_entries").get<std::vector<std::pair<std::string, std::string>>>();
  options.record_placement = from.at("record_placement");
  return options;
}

json json_of(const LayerPlacement& layer) {
  return {layer.name, layer.op_type, layer.provider, static_cast<int>(layer.unit)};
}

LayerPlacement layer_from(const json& from) {
  return {from.at(0), from.at(1), from.at(2), static_cast<ComputeUnit>(from.at(3).get<int>())};
}

json json_of(const PlacementReport& report) {
  json layers = json::array();
  for (const LayerPlacement& layer : report.layers) layers.push_back(json_of(layer));
  return {{"layers", layers},
          {"nodes_per_provider", report.nodes_per_provider},
          {"partitions", report.partitions},
          {"is_emulated", report.is_emulated}};
}

PlacementReport placement_from(const json& from) {
  PlacementReport report;
  for (const json& layer : from.at("layers")) report.layers.push_back(layer_from(layer));
  report.nodes_per_provider = from.at("nodes_per_provider").get<std::map<std::string, int>>();
  report.partitions = from.at("partitions");
  report.is_emulated = from.at("is_emulated");
  return report;
}

json json_of(const MemoryRange& range) {
  return {range.lower_bytes, range.upper_bytes};
}
MemoryRange range_from(const json& from) {
  return {from.at(0), from.at(1)};
}

json json_of(const base::Error& error) {
  return {
      {"code", static_cast<int>(error.code)}, {"message", error.message}, {"reason", base::reason_name(error.reason)}};
}
base::Error error_from(const json& from) {
  return {static_cast<base::Code>(from.at("code").get<int>()), from.at("message").get<std::string>(),
          base::reason_of_name(from.at("reason").get<std::string>())};
}

/// Names of nodes are bytes of a stranger's file: what is not UTF-8 is replaced, never thrown over.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const PhaseRequest& request) {
  const ProfileOptions& options = request.options;
  return dump({{"schema", kRequestSchema},
               {"phase", static_cast<int>(request.phase)},
               {"onnxruntime", request.libraries.onnxruntime.string()},
               {"qnn_folder", request.libraries.qnn_folder.string()},
               {"model", request.model.string()},
               {"inputs", request.inputs.string()},
               {"outputs", request.outputs.string()},
               {"resident_bytes", request.resident_bytes},
               {"session", json_of(options.session)},
               {"max_iterations", options.max_iterations},
               {"max_time_ms", options.max_time.count()},
               {"warmup_iterations", options.warmup_iterations},
               {"stop_when_stable", options.stop_when_stable},
               {"profile_layers", options.profile_layers},
               {"inputs_advice", options.inputs_advice},
               {"work_folder", options.work_folder.string()}});
}

base::Result<PhaseRequest> phase_request_from_json(const std::string& text) {
  try {
    const json from = json::parse(text);
    PhaseRequest request;
    if (from.at("schema") != kRequestSchema) throw std::runtime_error("another schema");
    request.phase = static_cast<Phase>(from.at("phase").get<int>());
    request.libraries = {from.at("onnxruntime").get<std::string>(), from.at("qnn_folder").get<std::string>()};
    request.model = from.at("model").get<std::string>();
    request.inputs = from.at("inputs").get<std::string>();
    request.outputs = from.at("outputs").get<std::string>();
    request.resident_bytes = from.at("resident_bytes");
    request.options.session = session_options_from(from.at("session"));
    request.options.max_iterations = from.at("max_iterations");
    request.options.max_time = std::chrono::milliseconds(from.at("max_time_ms").get<std::int64_t>());
    request.options.warmup_iterations = from.at("warmup_iterations");
    request.options.stop_when_stable = from.at("stop_when_stable");
    request.options.profile_layers = from.at("profile_layers");
    request.options.inputs_advice = from.at("inputs_advice");
    request.options.work_folder = from.at("work_folder").get<std::string>();
    return request;
  } catch (const std::exception& exception) {
    return base::fail(base::Code::kInvalidArgument, "not a request for a profile phase: {}", exception.what());
  }
}

std::string to_json(const base::Result<PhaseOutcome>& outcome) {
  if (!outcome) return dump({{"schema", kOutcomeSchema}, {"error", json_of(outcome.error())}});
  json kernels = json::array();
  for (const KernelTimes& kernel : outcome->kernels) {
    kernels.push_back({{"layer", json_of(kernel.placement)}, {"times_us", kernel.times_us}});
  }
  json made = {{"schema", kOutcomeSchema},
               {"times_us", outcome->measurement.times_us},
               {"increase", json_of(outcome->measurement.increase)},
               {"peak", json_of(outcome->measurement.peak)},
               {"runs_us", outcome->runs_us},
               {"stable", outcome->stable},
               {"onnxruntime_version", outcome->onnxruntime_version},
               {"placement", json_of(outcome->placement)},
               {"kernels", kernels},
               {"chrome_trace", outcome->chrome_trace.string()},
               {"warnings", outcome->warnings}};
  if (outcome->stopped) made["stopped"] = json_of(*outcome->stopped);
  return dump(made);
}

base::Result<PhaseOutcome> phase_outcome_from_json(const std::string& text) {
  try {
    const json from = json::parse(text);
    if (from.at("schema") != kOutcomeSchema) throw std::runtime_error("another schema");
    if (from.contains("error")) return std::unexpected(error_from(from["error"]));
    PhaseOutcome outcome;
    outcome.measurement.times_us = from.at("times_us").get<std::vector<double>>();
    outcome.measurement.increase = range_from(from.at("increase"));
    outcome.measurement.peak = range_from(from.at("peak"));
    outcome.runs_us = from.at("runs_us");
    outcome.stable = from.at("stable");
    outcome.onnxruntime_version = from.at("onnxruntime_version");
    outcome.placement = placement_from(from.at("placement"));
    for (const json& kernel : from.at("kernels")) {
      outcome.kernels.push_back({layer_from(kernel.at("layer")), kernel.at("times_us").get<std::vector<double>>()});
    }
    outcome.chrome_trace = from.at("chrome_trace").get<std::string>();
    outcome.warnings = from.at("warnings").get<std::vector<std::string>>();
    if (from.contains("stopped")) outcome.stopped = error_from(from["stopped"]);
    return outcome;
  } catch (const std::exception& exception) {
    return base::fail(base::Code::kInternal, "the phase's process left no readable outcome: {}", exception.what());
  }
}

}  // namespace slipway::runtime
