#include "hub/domain/agents.hpp"

#include <algorithm>
#include <span>

#include "base/hash.hpp"
#include "hub/domain/access.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/domain/job_rules.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/domain/uploads.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;
using uploads::EmptyFile;

// An agent polls for work every 30 s and renews a lease every 10 s: three polls missed, and it is gone.
constexpr std::chrono::seconds kAgentSilence{90};

Result<void> check_registration(const AgentRegistration& registration) {
  if (registration.name.empty()) return base::fail(Code::kInvalidArgument, "the agent has no name");
  for (const Device& device : registration.devices) {
    if (device.name.empty())
      return base::fail(Code::kInvalidArgument, "agent {}: a device has no name", registration.name);
    for (const std::string& attribute : device.attributes) {
      // The client splits attributes at their one colon and fails on a second.
      if (std::ranges::count(attribute, ':') == 1) continue;
      return base::fail(Code::kInvalidArgument, "agent {}: device {}: attribute '{}' is no key:value with one colon",
                        registration.name, device.name, attribute);
    }
  }
  return {};
}

// An agent knows its chip by the number that the kernel gives; what that chip is the catalogue says.
Result<void> complete_chip(Device& device, const std::vector<Device>& catalogue) {
  const auto offers = [&](ExecutionTarget target) {
    return std::ranges::find(device.execution_targets, target) != device.execution_targets.end();
  };
  if (offers(ExecutionTarget::kHtpEmulator)) {
    return base::fail(Code::kInvalidArgument,
                      "device {} offers an emulator: that is offered for devices of the catalogue, by QAIRT",
                      device.name);
  }
  if (!offers(ExecutionTarget::kHtp) || device.chip.has_htp()) return {};
  const auto known = std::ranges::find_if(catalogue, [&](const Device& candidate) {
    return candidate.chip.has_htp() && candidate.chip.soc_model == device.chip.soc_model;
  });
  if (known == catalogue.end()) {
    return base::fail(Code::kInvalidArgument,
                      "device {} offers an HTP, but the catalogue knows no chip of SoC model {}; add the device to the "
                      "hub's own catalogue",
                      device.name, device.chip.soc_model);
  }
  device.chip = known->chip;
  return {};
}

// A model as it is named below in/, with its companions.
JobSpec::InputModel input_model(const Model& model, std::size_t index) {
  const std::string suffix = index == 0 ? "" : fmt::format("-{}", index + 1);
  JobSpec::InputModel input;
  input.model = model;
  input.file = "model" + suffix + std::string(model_extension(model.type, model.is_directory));
  for (const auto& [key, companion] : model.companions) {
    const auto dot = companion.filename.find('.');
    input.companion_files[key] =
        "companion-" + key + suffix + (dot == std::string::npos ? "" : companion.filename.substr(dot));
  }
  return input;
}

// How a job ends that its spec rules out.
FailureType failure_type_of(Code code) {
  if (code == Code::kInvalidArgument) return FailureType::kInvalidInputs;
  return code == Code::kUnimplemented ? FailureType::kUnsupported : FailureType::kInternal;
}

}  // namespace

Agents::Agents(const Foundation& hub, JobEndings& endings, std::vector<Device> catalogue)
    : hub_(hub), endings_(endings), catalogue_(std::move(catalogue)) {
  for (Device& device : catalogue_) device.presence = DevicePresence::kCatalogue;
}

bool Agents::is_silent(const Agent& agent, base::Instant now) {
  return now - agent.last_seen > kAgentSilence;
}

std::vector<Agents::Agent> Agents::live_agents() const {
  const base::Instant now = hub_.ports.clock.instant();
  const std::lock_guard lock(agents_mutex_);
  std::vector<Agent> live;
  for (const auto& [id, agent] : agents_) {
    if (!is_silent(agent, now)) live.push_back(agent);
  }
  return live;
}

std::vector<Device> Agents::devices() const {
  std::vector<Device> devices;
  const auto is_new = [&](const Device& device) {
    return std::ranges::find(devices, device.name, &Device::name) == devices.end();
  };
  for (const Agent& agent : live_agents()) {
    for (const Device& device : agent.registration.devices) {
      if (is_new(device)) devices.push_back(device);
    }
  }
  const std::size_t attached = devices.size();
  for (const Device& device : catalogue_) {
    // Names within the catalogue are distinct already.
    const auto end = devices.begin() + static_cast<std::ptrdiff_t>(attached);
    if (std::find_if(devices.begin(), end, [&](const Device& d) { return d.name == device.name; }) == end) {
      devices.push_back(device);
    }
  }
  return devices;
}

base::Result<std::vector<Device>> Agents::match(const DeviceQuery& query) const {
  return match_devices(devices(), query);
}

std::vector<Framework> Agents::frameworks() const {
  std::vector<Framework> frameworks;
  for (const Agent& agent : live_agents()) {
    for (const Framework& framework : agent.registration.frameworks) {
      const bool known = std::ranges::any_of(frameworks, [&](const Framework& f) {
        return f.name == framework.name && f.full_version == framework.full_version;
      });
      if (!known) frameworks.push_back(framework);
    }
  }
  return frameworks;
}

std::vector<std::string> Agents::offers() const {
  std::vector<std::string> offers;
  for (const Agent& agent : live_agents()) {
    for (std::string& offer : offers_of(agent.registration.devices, agent.registration.frameworks)) {
      offers.push_back(std::move(offer));
    }
  }
  return offers;
}

Result<std::string> Agents::register_agent(const Actor& actor, const AgentRegistration& registration) {
  SLIPWAY_TRY(access::require(actor, Scope::kAgent));
  SLIPWAY_TRY(check_registration(registration));
  const base::Instant now = hub_.ports.clock.instant();
  Agent agent{.registration = registration, .last_seen = now};
  std::string& instance = agent.registration.instance;
  if (instance.empty()) instance = registration.name;  // an agent that says no more is told by it
  for (Device& device : agent.registration.devices) SLIPWAY_TRY(complete_chip(device, catalogue_));
  std::string id = hub_.ports.ids.id("a", 12);
  {
    const std::lock_guard lock(agents_mutex_);
    std::erase_if(agents_, [&](const auto& entry) {
      return entry.second.registration.instance == registration.successor_of || is_silent(entry.second, now);
    });
    const auto same = std::ranges::find_if(
        agents_, [&](const auto& entry) { return entry.second.registration.instance == instance; });
    if (same != agents_.end()) id = same->first;
    for (Device& device : agent.registration.devices) {
      device.presence = DevicePresence::kAttached;
      device.agent_id = id;
    }
    if (same != agents_.end()) {
      same->second = std::move(agent);
    } else {
      agents_.emplace_back(id, std::move(agent));
    }
  }
  hub_.changes.notify();
  return id;
}

std::string Agents::shown_name(const Agent& agent, const std::string& id) const {
  const auto has_its_name = [&](const auto& entry) {
    return entry.second.registration.name == agent.registration.name;
  };
  return std::ranges::count_if(agents_, has_its_name) > 1 ? fmt::format("{} ({})", agent.registration.name, id)
                                                          : agent.registration.name;
}

void Agents::touch_agent(const std::string& agent_id) {
  const std::lock_guard lock(agents_mutex_);
  for (auto& [id, agent] : agents_) {
    if (id == agent_id) agent.last_seen = hub_.ports.clock.instant();
  }
}

Result<std::optional<JobSpec>> Agents::lease(const Actor& actor, const std::string& agent_id,
                                             const std::vector<JobKind>& kinds) {
  SLIPWAY_TRY(access::require(actor, Scope::kAgent));
  LeaseRequest request;
  request.agent_id = agent_id;
  request.kinds = kinds;
  std::string agent_name;
  {
    const std::lock_guard lock(agents_mutex_);
    const auto found = std::ranges::find_if(agents_, [&](const auto& entry) { return entry.first == agent_id; });
    if (found == agents_.end()) return base::fail(Code::kNotFound, "no agent {}; register again", agent_id);
    found->second.last_seen = hub_.ports.clock.instant();
    request.offers = offers_of(found->second.registration.devices, found->second.registration.frameworks);
    agent_name = shown_name(found->second, agent_id);
  }
  while (true) {
    request.lease_token = hub_.ports.ids.secret();
    request.now = hub_.ports.clock.now();
    request.until = hub_.ports.queue.lease_time() + hub_.settings.lease_duration;
    SLIPWAY_ASSIGN(const std::optional<Job> job, hub_.ports.queue.lease_job(request));
    if (!job) return std::nullopt;
    if (!is_registered(agent_id)) {
      // It left while its last request was under way, and will not come for the job.
      SLIPWAY_TRY(return_leases(agent_id));
      return base::fail(Code::kNotFound, "agent {} has left", agent_id);
    }
    endings_.note(job->id,
                  fmt::format("attempt {} of {} by agent {}", job->attempt, hub_.settings.max_attempts, agent_name));
    const auto spec = spec_of(*job);
    if (spec) {
      hub_.changes.notify();
      return *spec;
    }
    if (may_pass(spec.error())) {
      // Not the job's fault: it waits for the next who asks, as if this attempt had not begun. Should even that not be
      // written, it goes back when the lease ends.
      SLIPWAY_TRY(hub_.ports.queue.return_lease(job->id, job->lease_token, request.now));
      endings_.note(job->id, fmt::format("put back, the hub's store cannot answer: {}", spec.error().message));
      return std::unexpected(spec.error());
    }
    // What was not known at submission rules the job out: it ends here, and the agent is given the next one.
    const auto type = failure_type_of(spec.error().code);
    SLIPWAY_TRY(endings_.end_leased(*job, job->lease_token, failure(type, spec.error().message), {}));
  }
}

bool Agents::is_registered(const std::string& agent_id) const {
  const std::lock_guard lock(agents_mutex_);
  return std::ranges::any_of(agents_, [&](const auto& entry) { return entry.first == agent_id; });
}

Result<void> Agents::return_leases(const std::string& agent_id) {
  SLIPWAY_ASSIGN(const auto ids, hub_.ports.queue.return_leases(agent_id, hub_.ports.clock.now()));
  for (const std::string& id : ids)
    endings_.note(id, "handed back: the agent was told to end; the job waits for the next");
  if (!ids.empty()) hub_.changes.notify();
  return {};
}

Result<void> Agents::leave(const Actor& actor, const std::string& agent_id) {
  SLIPWAY_TRY(access::require(actor, Scope::kAgent));
  {
    const std::lock_guard lock(agents_mutex_);
    std::erase_if(agents_, [&](const auto& entry) { return entry.first == agent_id; });
  }
  return return_leases(agent_id);
}

Result<JobSpec> Agents::spec_of(const Job& job) const {
  JobSpec spec;
  JobFacts facts;
  spec.job = job;
  spec.job.outcome.reset();
  const JobInputs inputs = inputs_of(job.payload);
  for (const std::string& id : inputs.model_ids) {
    SourceModel& source = facts.models.emplace_back();
    SLIPWAY_ASSIGN(source.model, hub_.ports.contents.model(id));
    if (!source.model.producer_job_id.empty()) {
      SLIPWAY_ASSIGN(const Job producer, hub_.ports.jobs.job(source.model.producer_job_id));
      source.origin = origin_of(producer);
    }
    spec.models.push_back(input_model(source.model, spec.models.size()));
  }
  if (!inputs.dataset_id.empty()) {
    SLIPWAY_ASSIGN(facts.dataset, hub_.ports.contents.dataset(inputs.dataset_id));
    spec.dataset = *facts.dataset;
    spec.dataset_file = "dataset.h5";
  }
  if (job.device) facts.devices = {*job.device};
  SLIPWAY_ASSIGN(facts.options, parse_options(entry_of(job.payload), job.options));
  spec.options = facts.options;
  SLIPWAY_ASSIGN(spec.plan, plan(job.payload, facts));
  return spec;
}

Result<Job> Agents::leased_job(const Actor& actor, const std::string& id, const std::string& lease_token) const {
  SLIPWAY_TRY(access::require(actor, Scope::kAgent));
  SLIPWAY_ASSIGN(Job job, hub_.ports.jobs.job(id));
  if (lease_token.empty() || !base::equal_in_constant_time(job.lease_token, lease_token)) {
    return base::fail(Code::kAborted, "the lease of job {} was lost", id);
  }
  return job;
}

Result<base::Time> Agents::renew(const Actor& actor, const std::string& job_id, const std::string& lease_token) {
  SLIPWAY_ASSIGN(const Job job, leased_job(actor, job_id, lease_token));
  const base::Time until = hub_.ports.queue.lease_time() + hub_.settings.lease_duration;
  const auto renewed = hub_.ports.queue.renew_lease(job_id, lease_token, until);
  if (!renewed && !renewed.error().is_about_writing()) return std::unexpected(renewed.error());
  // A hub that cannot write for now gives its word.
  if (!renewed) endings_.hold_leases(until);
  touch_agent(job.agent_id);
  return until;
}

Result<void> Agents::append_log(const Actor& actor, const std::string& job_id, const std::string& lease_token,
                                std::string_view lines) {
  SLIPWAY_TRY(access::require(actor, Scope::kAgent));
  // An empty token is the hub's own way past the check.
  if (lease_token.empty()) return base::fail(Code::kAborted, "the lease of job {} was lost", job_id);
  return hub_.ports.jobs.append_log(job_id, lease_token, lines);
}

Result<Upload> Agents::plan_result_upload(const Actor& actor, const std::string& job_id, const std::string& lease_token,
                                          std::uint64_t file_size) {
  SLIPWAY_ASSIGN(const Job job, leased_job(actor, job_id, lease_token));
  if (is_terminal(job.state)) return base::fail(Code::kAborted, "job {} has ended", job_id);
  return uploads::plan(hub_, job_id, file_size, EmptyFile::kTaken);
}

Result<std::map<std::string, Blob>> Agents::assemble(BlobStore::Pin& pin, const std::string& job_id,
                                                     const std::vector<ResultFile>& files) {
  std::map<std::string, Blob> blobs;
  for (const ResultFile& file : files) {
    SLIPWAY_ASSIGN(const Upload upload, uploads::find(hub_, file.upload_id));
    if (upload.subject_id != job_id) {
      return base::fail(Code::kPermissionDenied, "the upload of \"{}\" belongs to another job", file.name);
    }
    auto blob = uploads::assemble(hub_, pin, upload, file.etags, EmptyFile::kTaken);
    if (!blob) return std::unexpected(blob.error().with(fmt::format("result \"{}\"", file.name)));
    if (!blobs.emplace(file.name, *blob).second) {
      return base::fail(Code::kInvalidArgument, "two results are named \"{}\"", file.name);
    }
  }
  return blobs;
}

Result<std::string> Agents::result_text(const Actor& actor, const std::string& job_id, const std::string& lease_token,
                                        const ResultFile& file, std::uint64_t limit_bytes) {
  SLIPWAY_TRY(leased_job(actor, job_id, lease_token));
  SLIPWAY_ASSIGN(const Upload upload, uploads::find(hub_, file.upload_id));
  if (upload.size_bytes > limit_bytes) {
    return base::fail(Code::kResourceExhausted, "{} has {} bytes; this hub takes at most {}", file.name,
                      upload.size_bytes, limit_bytes);
  }
  const auto pin = hub_.ports.blobs.pin();
  SLIPWAY_ASSIGN(const auto blobs, assemble(*pin, job_id, {file}));
  const Blob& blob = blobs.at(file.name);
  SLIPWAY_ASSIGN(const auto reader, hub_.ports.blobs.open_read(blob, {.first = 0, .size_bytes = blob.size_bytes}));
  std::string text(blob.size_bytes, '\0');
  for (std::size_t filled = 0; filled < text.size();) {
    SLIPWAY_ASSIGN(const std::size_t got, reader->read(std::as_writable_bytes(std::span(text)).subspan(filled)));
    if (got == 0) return base::fail(Code::kDataLoss, "{} ends after {} of {} bytes", file.name, filled, text.size());
    filled += got;
  }
  return text;
}

Result<void> Agents::complete(const Actor& actor, const std::string& job_id, const std::string& lease_token,
                              std::string_view outcome_document, const std::vector<ResultFile>& files) {
  SLIPWAY_ASSIGN(const Job job, leased_job(actor, job_id, lease_token));
  // The answer to the first completion was lost on its way; the result stands.
  if (is_terminal(job.state)) return {};
  touch_agent(job.agent_id);
  SLIPWAY_ASSIGN(JobOutcome outcome, outcome_from_document(outcome_document, job.payload));
  const auto pin = hub_.ports.blobs.pin();
  SLIPWAY_ASSIGN(const auto blobs, assemble(*pin, job_id, files));
  SLIPWAY_TRY(endings_.end_leased(job, lease_token, std::move(outcome), blobs));
  for (const ResultFile& file : files) uploads::forget(hub_, file.upload_id);
  return {};
}

}  // namespace slipway::hub::domain
