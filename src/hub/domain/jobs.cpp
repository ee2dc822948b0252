#include "hub/domain/jobs.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "hub/domain/access.hpp"
#include "hub/domain/job_rules.hpp"
#include "hub/domain/job_state.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kLongestOptions = 16384;

Result<void> check_lengths(const Submission& submission) {
  if (submission.name.size() <= kLongestName && submission.options.size() <= kLongestOptions) return {};
  return base::fail(Code::kInvalidArgument,
                    "expected a name of at most {} bytes and options of at most {}, found {} "
                    "and {}",
                    kLongestName, kLongestOptions, submission.name.size(), submission.options.size());
}

// "job_…_optimized_onnx" is the name that users of the official client know their targets by.
std::string target_model_name(const std::string& job_id, ModelType type) {
  if (type == ModelType::kQnnContextBinary) return fmt::format("job_{}_optimized_bin", job_id);
  return fmt::format("job_{}_optimized_{}", job_id, type == ModelType::kQnnDlc ? "dlc" : "onnx");
}

// The model that a job is to make, without bytes; nothing for a kind that makes none. The payload learns its id.
std::optional<Model> seed_target(Job& job, const JobFacts& facts, base::IdSource& ids) {
  return std::visit(
      [&]<typename Kind>(Kind& payload) -> std::optional<Model> {
        if constexpr (MakesModel<Kind>) {
          Model target;
          target.id = payload.target_model_id = ids.id("m", 8);
          target.owner_id = job.owner_id;
          target.type = Kind::target_type(facts);
          target.name = target_model_name(job.id, target.type);
          target.created = job.created;
          target.producer_job_id = job.id;
          return target;
        }
        return std::nullopt;
      },
      job.payload);
}

}  // namespace

bool Jobs::inspections_pending(const Actor& actor, const Submission& submission) const {
  const auto pending = [](const auto& entry) {
    return entry && entry->upload == UploadState::kComplete && entry->producer_job_id.empty() && !entry->inspection;
  };
  const JobInputs inputs = inputs_of(submission.payload);
  return std::ranges::any_of(inputs.model_ids,
                             [&](const std::string& id) { return pending(contents_.model(actor, id)); }) ||
         (!inputs.dataset_id.empty() && pending(contents_.dataset(actor, inputs.dataset_id)));
}

Result<std::vector<Device>> Jobs::known_devices(const std::vector<Device>& wanted) const {
  const auto all = agents_.devices();
  std::vector<Device> known;
  for (const Device& device : wanted) {
    SLIPWAY_ASSIGN(
        auto matches,
        match_devices(all, {.name = device.name, .os = device.os, .attributes = device.attributes, .select = true}));
    if (matches.empty()) {
      std::vector<std::string_view> names;
      for (const Device& candidate : all) names.push_back(candidate.name);
      const auto near = base::nearest(device.name, names);
      const bool name_known = std::ranges::find(names, device.name) != names.end();
      return base::fail(Code::kInvalidArgument, "no device '{}'{} here{}", device.name,
                        device.os.empty() ? "" : fmt::format(" with os {}", device.os),
                        name_known ? " with these attributes"
                        : near     ? fmt::format("; did you mean '{}'?", *near)
                                   : "");
    }
    known.push_back(std::move(matches.front()));
  }
  return known;
}

Result<SourceModel> Jobs::source_model(const Actor& actor, const std::string& id) const {
  SourceModel source;
  SLIPWAY_ASSIGN(source.model, contents_.model(actor, id));
  if (!source.model.producer_job_id.empty()) {
    SLIPWAY_ASSIGN(const Job producer, hub_.ports.jobs.job(source.model.producer_job_id));
    source.origin = origin_of(producer);
    source.will_never_come = producer.state == JobState::kFailed;
  } else if (source.model.upload != UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "model {} is not uploaded yet", id);
  }
  return source;
}

Result<JobFacts> Jobs::facts_of(const Actor& actor, const Submission& submission) const {
  JobFacts facts;
  SLIPWAY_ASSIGN(facts.options, parse_options(entry_of(submission.payload), submission.options));
  const JobInputs inputs = inputs_of(submission.payload);
  for (const std::string& id : inputs.model_ids) {
    SLIPWAY_ASSIGN(SourceModel source, source_model(actor, id));
    facts.models.push_back(std::move(source));
  }
  if (!inputs.dataset_id.empty()) {
    SLIPWAY_ASSIGN(facts.dataset, contents_.dataset(actor, inputs.dataset_id));
    SLIPWAY_TRY(contents_.dataset_download(actor, inputs.dataset_id));
  }
  SLIPWAY_ASSIGN(facts.devices, known_devices(submission.devices));
  facts.frameworks = agents_.frameworks();
  facts.offers = agents_.offers();
  return facts;
}

Result<Job> Jobs::submit(const Actor& actor, const Submission& submission) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(submission.project_id));
  SLIPWAY_TRY(check_lengths(submission));
  SLIPWAY_ASSIGN(const JobFacts facts, facts_of(actor, submission));
  SLIPWAY_ASSIGN(const Verdict verdict, judge(submission.payload, facts));

  Job job;
  job.id = hub_.ports.ids.id("j", 8);
  job.payload = submission.payload;
  job.owner_id = actor.user.id;
  job.name = submission.name.empty() && !facts.models.empty() ? facts.models.front().model.name : submission.name;
  job.options = std::string(base::trimmed(submission.options));
  if (!facts.devices.empty()) job.device = verdict.device;
  std::visit(
      [&]<typename Kind>(Kind& payload) {
        if constexpr (ForDevices<Kind>) payload.devices = facts.devices;
      },
      job.payload);
  job.needs = verdict.needs;
  job.created = job.updated = hub_.ports.clock.now();
  const std::optional<Model> target = seed_target(job, facts, hub_.ports.ids);

  const auto pin = hub_.ports.blobs.pin();
  for (const std::string& remark : verdict.remarks) endings_.note(job.id, remark);
  if (verdict.fails_as != FailureType::kUnspecified) {
    endings_.note(job.id, "failed: " + verdict.reason);
    job.state = JobState::kFailed;
    job.completed = job.created;
    job.outcome = failure(verdict.fails_as, verdict.reason);
    endings_.attach_log(job, *pin);
  }
  SLIPWAY_TRY(hub_.ports.jobs.insert_job(job, target));
  // The producer may have failed before; then this job ends now and not at the next sweep.
  if (std::ranges::any_of(facts.models, &SourceModel::will_never_come)) endings_.fail_orphans();
  hub_.changes.notify();
  return job;
}

Result<Job> Jobs::job(const Actor& actor, const std::string& id) const {
  auto known = access::visible(actor, hub_.ports.jobs.job(id), "job", id);
  if (known && !entry_of(known->payload).is_submitted) return access::absent("job", id);
  return known;
}

Result<Listed<Job>> Jobs::jobs(const Actor& actor, const JobFilter& filter, Page page) const {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(filter.project_id));
  JobFilter allowed = filter;
  if (!filter.creator_email.empty()) {
    const auto creator = hub_.ports.accounts.user_by_email(filter.creator_email);
    if (!creator && creator.error().code == Code::kNotFound) return Listed<Job>{};
    if (!creator) return std::unexpected(creator.error());
    allowed.owner_id = creator->id;
  }
  if (actor.user.role != Role::kAdmin) {
    if (!allowed.owner_id.empty() && allowed.owner_id != actor.user.id) return Listed<Job>{};
    allowed.owner_id = actor.user.id;
  }
  return hub_.ports.jobs.jobs(allowed, access::clamped(page));
}

Result<void> Jobs::rename_job(const Actor& actor, const std::string& id, const std::string& name) {
  SLIPWAY_TRY(job(actor, id));
  if (name.empty() || name.size() > kLongestName) {
    return base::fail(Code::kInvalidArgument, "expected a name of 1 to {} bytes, found {}", kLongestName, name.size());
  }
  SLIPWAY_TRY(hub_.ports.jobs.rename_job(id, name));
  hub_.changes.notify();
  return {};
}

Result<std::vector<Download>> Jobs::artifacts(const Actor& actor, const std::string& job_id, ArtifactType type) const {
  SLIPWAY_ASSIGN(const Job known, job(actor, job_id));
  std::vector<Download> downloads;
  for (const Artifact& artifact : known.artifacts) {
    if (artifact.type == type) downloads.push_back({.blob = artifact.content, .filename = artifact.filename});
  }
  return downloads;
}

Result<std::uint64_t> Jobs::queue_position(const Actor& actor, const std::string& job_id) const {
  SLIPWAY_TRY(job(actor, job_id));
  return hub_.ports.jobs.queue_position(job_id);
}

Result<std::string> Jobs::log(const Actor& actor, const std::string& job_id) const {
  SLIPWAY_TRY(job(actor, job_id));
  return hub_.ports.jobs.log(job_id);
}

}  // namespace slipway::hub::domain
