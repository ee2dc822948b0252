#include "hub/domain/jobs.hpp"

#include <algorithm>

#include "base/nearest.hpp"
#include "hub/domain/access.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/domain/submission_check.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kLongestOptions = 16384;

std::string stripped(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos ? ""
                                         : std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

Result<void> check_kind(const Submission& submission) {
  switch (submission.kind) {
    case JobKind::kCompile:
    case JobKind::kProfile:
    case JobKind::kInference:
      break;
    case JobKind::kQuantize:
    case JobKind::kLink:
      return base::fail(Code::kUnimplemented, "{} jobs are not carried out by this hub yet",
                        kind_name(submission.kind));
    case JobKind::kInspect:
      return base::fail(Code::kInvalidArgument, "inspections are the hub's own jobs");
  }
  if (submission.name.size() > kLongestName || submission.options.size() > kLongestOptions) {
    return base::fail(Code::kInvalidArgument,
                      "expected a name of at most {} bytes and options of at most {}, found {} "
                      "and {}",
                      kLongestName, kLongestOptions, submission.name.size(), submission.options.size());
  }
  return {};
}

// "job_…_optimized_onnx" is the name that users of the official client know their targets by.
std::string target_name(const std::string& job_id, ModelType type) {
  if (type == ModelType::kQnnContextBinary) return fmt::format("job_{}_optimized_bin", job_id);
  return fmt::format("job_{}_optimized_{}", job_id, type == ModelType::kQnnDlc ? "dlc" : "onnx");
}

}  // namespace

bool Jobs::inspections_pending(const Actor& actor, const Submission& submission) const {
  const auto pending = [](const auto& entry) {
    return entry && entry->upload == UploadState::kComplete && entry->producer_job_id.empty() && !entry->inspection;
  };
  if (!submission.model_id.empty() && pending(contents_.model(actor, submission.model_id))) return true;
  return !submission.dataset_id.empty() && pending(contents_.dataset(actor, submission.dataset_id));
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

Result<Job> Jobs::submit(const Actor& actor, const Submission& submission) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(submission.project_id));
  SLIPWAY_TRY(check_kind(submission));

  SubmissionFacts facts;
  facts.kind = submission.kind;
  facts.is_profiling = submission.is_profiling;
  facts.input_specs = submission.input_specs;
  SLIPWAY_ASSIGN(facts.options, parse_options(submission.kind, submission.options));
  SLIPWAY_ASSIGN(facts.model, contents_.model(actor, submission.model_id));
  if (!facts.model.producer_job_id.empty()) {
    SLIPWAY_ASSIGN(facts.producer, hub_.ports.jobs.job(facts.model.producer_job_id));
  } else if (facts.model.upload != UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "model {} is not uploaded yet", facts.model.id);
  }
  if (!submission.dataset_id.empty()) {
    SLIPWAY_ASSIGN(facts.dataset, contents_.dataset(actor, submission.dataset_id));
    SLIPWAY_TRY(contents_.dataset_download(actor, submission.dataset_id));
  }
  SLIPWAY_ASSIGN(facts.devices, known_devices(submission.devices));
  facts.frameworks = agents_.frameworks();
  SLIPWAY_ASSIGN(const Verdict verdict, judge(facts));

  Job job;
  job.id = hub_.ports.ids.id("j", 8);
  job.kind = submission.kind;
  job.owner_id = actor.user.id;
  job.name = submission.name.empty() ? facts.model.name : submission.name;
  job.options = stripped(submission.options);
  job.device = verdict.device;
  job.devices = facts.devices;
  job.model_id = facts.model.id;
  job.dataset_id = submission.dataset_id;
  job.input_specs = submission.input_specs;
  job.is_profiling = submission.is_profiling;
  job.answer_as_profile_job = submission.answer_as_profile_job;
  job.needs = verdict.needs;
  job.created = job.updated = hub_.ports.clock.now();

  std::optional<Model> target;
  if (job.kind == JobKind::kCompile) {
    target.emplace();
    target->id = job.target_model_id = hub_.ports.ids.id("m", 8);
    target->owner_id = job.owner_id;
    target->type = target_type(target_of(facts.options));
    target->name = target_name(job.id, target->type);
    target->created = job.created;
    target->producer_job_id = job.id;
  }

  for (const std::string& remark : verdict.remarks) endings_.note(job.id, remark);
  if (verdict.fails_as != FailureType::kUnspecified) {
    endings_.note(job.id, "failed: " + verdict.reason);
    job.state = JobState::kFailed;
    job.completed = job.created;
    job.outcome = failure(verdict.fails_as, verdict.reason);
    endings_.attach_log(job);
  }
  SLIPWAY_TRY(hub_.ports.jobs.insert_job(job, target));
  // The producer may have failed before; then this job ends now and not at the next sweep.
  if (facts.producer && facts.producer->state == JobState::kFailed) endings_.fail_orphans();
  hub_.changes.notify();
  return job;
}

Result<Job> Jobs::job(const Actor& actor, const std::string& id) const {
  auto known = hub_.ports.jobs.job(id);
  if (known && (!access::may_see(actor, known->owner_id) || known->kind == JobKind::kInspect)) {
    return access::absent("job", id);
  }
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
