#include "hub/protocol/job_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/kind_codec.hpp"
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

ordered_json failure_json(const domain::Job& job) {
  if (job.state != domain::JobState::kFailed || !job.outcome) return nullptr;
  return {{"type", domain::failure_type_name(job.outcome->failure_type)},
          {"reason", wire_text(job.outcome->failure_reason)},
          {"details", wire_text(job.outcome->error_details)}};
}

void add_outcome(const domain::Job& job, ordered_json& report) {
  if (!job.outcome) return;
  report["agreement"] = {{"rows", ordered_json::array()}, {"note", ""}};
  report["compiler_traffic_bytes"] = ordered_json::object();
  std::visit(
      [&]<typename Kind>(const Kind& /*payload*/) {
        if constexpr (Kind::kEntry.is_submitted) {
          const auto* const result = std::get_if<typename Kind::Result>(&job.outcome->result);
          if (result != nullptr) report_result_of(KindCodec<Kind>{}, *result, report);
        }
      },
      job.payload);
}

ordered_json specs_json(const domain::Job& job) {
  ordered_json specs = ordered_json::array();
  std::visit(
      [&]<typename Kind>(const Kind& payload) {
        if constexpr (domain::HasInputSpecs<Kind>) {
          for (const tensor::TensorSpec& spec : payload.input_specs) specs.push_back(tensor_json(spec, {}));
        }
      },
      job.payload);
  return specs;
}

ordered_json input_models_json(const JobView& view, const std::string& link) {
  return view.models.empty() ? ordered_json(nullptr) : model_json(view.models.front(), link);
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

  report["inputs"] = {{"model", input_models_json(view, links.model)},
                      {"dataset", view.dataset ? dataset_json(*view.dataset, links.dataset) : ordered_json(nullptr)},
                      {"specs", specs_json(job)}};
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
