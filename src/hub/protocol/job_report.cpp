#include "hub/protocol/job_report.hpp"

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/profile.hpp"
#include "hub/protocol/internal/report_json.hpp"
#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol {
namespace {

using nlohmann::ordered_json;
using namespace internal;

std::string_view artifact_type_name(domain::ArtifactType type) {
  switch (type) {
    case domain::ArtifactType::kDeviceLog:
      return "device log";
    case domain::ArtifactType::kHubLog:
      return "hub log";
    case domain::ArtifactType::kProfileTrace:
      return "profile trace";
    case domain::ArtifactType::kNetronArchive:
      return "graph archive";
    case domain::ArtifactType::kQhasSummary:
      return "compiler summary";
  }
  return "file";
}

ordered_json device_json(const domain::Device& device) {
  const bool attached = device.presence == domain::DevicePresence::kAttached;
  ordered_json attributes = ordered_json::array();
  for (const std::string& attribute : device.attributes) attributes.push_back(wire_text(attribute));
  ordered_json entry{
      {"name", wire_text(device.name)},
      {"os", wire_text(device.os)},
      {"soc", wire_text(device.soc_description)},
      {"presence", attached ? "attached" : "catalogue"},
      {"presence_note", attached ? "attached: an agent offers this device, times are measured on it"
                                 : "catalogue: known by its chip, no such device is attached; compiling is real, "
                                   "inference runs on the HTP emulator and nothing is measured"},
      {"has_htp", device.chip.has_htp()},
      {"attributes", attributes}};
  if (!device.chip.name.empty()) {
    entry["chip"] = {{"name", wire_text(device.chip.name)},
                     {"soc_model", device.chip.soc_model},
                     {"htp_arch", device.chip.htp_arch}};
  }
  return entry;
}

ordered_json phase_json(const domain::PhaseProfile& phase) {
  ordered_json times = ordered_json::array();
  for (const std::uint64_t time : phase.times_us) times.push_back(time);
  return {{"times_us", times},
          {"increase_bytes", {phase.increase.lower_bytes, phase.increase.upper_bytes}},
          {"peak_bytes", {phase.peak.lower_bytes, phase.peak.upper_bytes}}};
}

/// Over all samples of a measured run; null without samples.
ordered_json statistics_json(const domain::ProfileEvidence& profile) {
  std::vector<std::uint64_t> times = profile.inference.times_us;
  if (times.empty()) return nullptr;
  std::ranges::sort(times);
  const auto at = [&](double part) {
    return times[std::min(times.size() - 1, static_cast<std::size_t>(part * static_cast<double>(times.size())))];
  };
  const double sum = std::accumulate(times.begin(), times.end(), 0.0, [](double total, std::uint64_t time) {
    return total + static_cast<double>(time);
  });
  return {{"samples", times.size()},
          {"median_us", profile.inference_median_us},
          {"mean_us", sum / static_cast<double>(times.size())},
          {"min_us", times.front()},
          {"p90_us", at(0.9)},
          {"max_us", times.back()},
          {"stable", profile.stable}};
}

ordered_json profile_json(const domain::ProfileEvidence& profile) {
  ordered_json layers = ordered_json::array();
  for (const domain::LayerProfile& layer : profile.layers) {
    const bool has_time = layer.time_us && !profile.is_emulated;
    layers.push_back({{"name", wire_text(layer.name)},
                      {"type", wire_text(layer.op_type)},
                      {"provider", wire_text(layer.provider)},
                      {"unit", wire_text(layer.unit)},
                      {"time_us", has_time ? ordered_json(*layer.time_us) : ordered_json(nullptr)}});
  }
  ordered_json config = ordered_json::object();
  for (const auto& [key, value] : profile.runtime_config) config[wire_text(key)] = wire_text(value);
  ordered_json entry{{"is_emulated", profile.is_emulated},
                     {"machine", wire_text(profile.machine)},
                     {"provider", wire_text(profile.provider)},
                     {"placement", wire_text(profile.placement)},
                     {"layers", layers},
                     {"runtime_config", config},
                     {"phases", nullptr},
                     {"statistics", nullptr}};
  if (!profile.is_emulated) {
    entry["phases"] = {{"compile", phase_json(profile.compile)},
                       {"cold_load", phase_json(profile.cold_load)},
                       {"warm_load", phase_json(profile.warm_load)},
                       {"inference", phase_json(profile.inference)}};
    entry["statistics"] = statistics_json(profile);
  }
  return entry;
}

ordered_json failure_json(const domain::Job& job) {
  if (job.state != domain::JobState::kFailed || !job.outcome) return nullptr;
  return {{"type", domain::failure_type_name(job.outcome->failure_type)},
          {"reason", wire_text(job.outcome->failure_reason)},
          {"details", wire_text(job.outcome->error_details)}};
}

void add_outcome(const domain::Job& job, ordered_json& report) {
  if (!job.outcome) return;
  const domain::JobOutcome& outcome = *job.outcome;
  ordered_json rows = ordered_json::array();
  for (const domain::OutputAgreement& row : outcome.agreement) {
    rows.push_back({{"output", wire_text(row.output)},
                    {"elements", row.elements},
                    {"not_comparable", row.not_comparable},
                    {"source_nan", row.source_nan},
                    {"equal_share", number(row.equal_share)},
                    {"is_exact", row.is_exact},
                    {"alarm", wire_text(row.alarm)},
                    {"max_abs", number(row.max_abs)},
                    {"relative_max", number(row.relative_max)},
                    {"cosine", number(row.cosine)},
                    {"snr_db", number(row.snr_db)},
                    {"psnr_db", number(row.psnr_db)}});
  }
  report["agreement"] = {{"rows", rows}, {"note", wire_text(outcome.agreement_note)}};
  if (outcome.profile) report["profile"] = profile_json(*outcome.profile);
  if (outcome.compiler_estimate) {
    report["compiler_estimate"] = {
        {"label", "The compiler's own estimate for the chip. It is a model, not a measurement on a device."},
        {"nominal_us", number(outcome.compiler_estimate->nominal_us)},
        {"lower_us", number(outcome.compiler_estimate->lower_us)},
        {"upper_us", number(outcome.compiler_estimate->upper_us)}};
  }
  ordered_json traffic = ordered_json::object();
  for (const auto& [name, bytes] : outcome.compiler_traffic_bytes) traffic[wire_text(name)] = bytes;
  report["compiler_traffic_bytes"] = traffic;
}

}  // namespace

std::string encode_job_report(const JobView& view, std::optional<std::uint64_t> queue_position,
                              const ReportLinks& links) {
  const domain::Job& job = view.job;
  ordered_json report{{"schema", "slipway-job-report/1"}, {"job", job_json(job)}};
  report["job"]["options"] = wire_text(job.options);
  report["job"]["owner"] = wire_text(view.owner.email);
  report["job"]["queue_position"] = queue_position ? ordered_json(*queue_position) : ordered_json(nullptr);
  report["failure"] = failure_json(job);
  ordered_json warnings = ordered_json::array();
  for (const std::string& warning : domain::warnings_of(job)) warnings.push_back(wire_text(warning));
  report["warnings"] = warnings;
  ordered_json remarks = ordered_json::array();
  for (const std::string& remark : internal::remarks_of(job)) remarks.push_back(wire_text(remark));
  report["remarks"] = remarks;
  report["device"] = job.device ? device_json(*job.device) : ordered_json(nullptr);

  ordered_json specs = ordered_json::array();
  for (const tensor::TensorSpec& spec : job.input_specs) specs.push_back(tensor_json(spec, {}));
  report["inputs"] = {{"model", view.model ? model_json(*view.model, links.model) : ordered_json(nullptr)},
                      {"dataset", view.dataset ? dataset_json(*view.dataset, links.dataset) : ordered_json(nullptr)},
                      {"specs", specs}};
  report["outputs"] = {{"model", view.target ? model_json(*view.target, links.target) : ordered_json(nullptr)},
                       {"dataset", view.output ? dataset_json(*view.output, links.output) : ordered_json(nullptr)}};
  report["profile"] = nullptr;
  report["compiler_estimate"] = nullptr;
  add_outcome(job, report);

  ordered_json tools = ordered_json::object();
  if (job.outcome) {
    for (const auto& [name, version] : job.outcome->tool_versions) tools[wire_text(name)] = wire_text(version);
  }
  report["provenance"] = {{"hub_version", wire_text(view.hub_version)},
                          {"agent", wire_text(job.agent_id)},
                          {"attempts", job.attempt},
                          {"sandbox", job.outcome ? wire_text(job.outcome->sandbox) : ""},
                          {"tool_versions", tools}};

  ordered_json artifacts = ordered_json::array();
  for (std::size_t i = 0; i < job.artifacts.size(); ++i) {
    artifacts.push_back({{"type", artifact_type_name(job.artifacts[i].type)},
                         {"filename", wire_text(job.artifacts[i].filename)},
                         {"content", blob_json(job.artifacts[i].content)},
                         {"download_url", i < links.artifacts.size() ? links.artifacts[i] : ""}});
  }
  report["artifacts"] = artifacts;
  return report.dump();
}

std::string encode_recent_jobs(const std::vector<domain::Job>& jobs, std::uint64_t total) {
  return ordered_json{{"schema", "slipway-recent-jobs/1"}, {"jobs", jobs_json(jobs)}, {"total", total}}.dump();
}

std::string encode_job_log(std::string_view log, std::uint64_t offset, bool is_finished) {
  const std::size_t begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset, log.size()));
  std::size_t end = log.size();
  if (!is_finished) {
    // A character or line under way is left for the next call.
    const std::size_t line_end = log.rfind('\n');
    end = line_end == std::string_view::npos ? begin : std::max(begin, line_end + 1);
  }
  return ordered_json{{"schema", "slipway-job-log/1"},
                      {"text", wire_text(log.substr(begin, end - begin))},
                      {"next_offset", end},
                      {"is_finished", is_finished}}
      .dump();
}

}  // namespace slipway::hub::protocol
