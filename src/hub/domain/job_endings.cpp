#include "hub/domain/job_endings.hpp"

#include <fmt/ranges.h>

#include "hub/domain/inspection.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/domain/shortened.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr std::size_t kLongestReason = 8192;
constexpr std::size_t kLongestDetails = 65536;
constexpr std::size_t kMostWarnings = 16;

// What a hostile job process says.
void shorten(std::string& text, std::size_t limit) {
  text = shortened(std::move(text), limit);
}

// What is kept with the subject of a job that failed, where its kind keeps anything.
std::optional<Inspection> finding_of_failure(const JobPayload& payload, const std::string& reason) {
  return std::visit(
      [&]<typename Kind>(const Kind& /*payload*/) -> std::optional<Inspection> {
        if constexpr (requires { Kind::finding_of_failure(reason); }) return Kind::finding_of_failure(reason);
        return std::nullopt;
      },
      payload);
}

Result<std::vector<Artifact>> artifacts_of(const JobOutcome& outcome, const std::map<std::string, Blob>& files) {
  std::vector<Artifact> artifacts;
  for (const JobOutcome::File& file : outcome.artifacts) {
    SLIPWAY_ASSIGN(const Blob blob, file_of(files, file.filename, "an artifact"));
    const auto dot = file.filename.rfind('.');
    const std::string extension = dot == std::string::npos || dot == 0 ? "" : file.filename.substr(dot);
    artifacts.push_back({.type = file.type, .filename = download_name(file.filename, extension), .content = blob});
  }
  return artifacts;
}

}  // namespace

Result<Products> JobEndings::products_of(Job& job, const JobOutcome& outcome, const ResultFiles& files) const {
  return std::visit(
      [&]<typename Kind>(Kind& payload) -> Result<Products> {
        const auto* const result = std::get_if<typename Kind::Result>(&outcome.result);
        if (result == nullptr)
          return base::fail(Code::kInternal, "the {} job ended without a result", Kind::kEntry.name);
        Products products;
        if constexpr (MakesModel<Kind>) {
          SLIPWAY_ASSIGN(products.target, hub_.ports.contents.model(payload.target_model_id));
        }
        if constexpr (MakesDataset<Kind>) {
          Dataset& output = products.output.emplace();
          output.id = hub_.ports.ids.id("d", 8);
          output.owner_id = job.owner_id;
          output.name = job.name;
          output.created = hub_.ports.clock.now();
          output.expires = output.created + hub_.settings.dataset_lifetime;
          output.upload = UploadState::kComplete;
          output.producer_job_id = job.id;
        }
        SLIPWAY_TRY(Kind::complete(job, payload, *result, files, products));
        if constexpr (MakesDataset<Kind>) payload.output_dataset_id = products.output ? products.output->id : "";
        return products;
      },
      job.payload);
}

void JobEndings::note(const std::string& job_id, std::string_view text) {
  // A line that cannot be written is not worth the job.
  static_cast<void>(hub_.ports.jobs.append_log(
      job_id, "", fmt::format("[hub] {} {}\n", base::iso8601(hub_.ports.clock.now()), text)));
}

void JobEndings::attach_log(Job& job, BlobStore::Pin& pin) {
  const auto text = hub_.ports.jobs.log(job.id);
  if (!text || text->empty()) return;
  // Nor is the copy for download: the log itself stays readable on the page.
  const auto blob = pin.put(*text);
  if (!blob) return;
  job.artifacts.push_back({.type = ArtifactType::kHubLog, .filename = job.id + "_hub.log", .content = *blob});
}

Result<void> JobEndings::end_leased(Job job, const std::string& lease_token, JobOutcome outcome,
                                    const std::map<std::string, Blob>& files) {
  shorten(outcome.failure_reason, kLongestReason);
  shorten(outcome.error_details, kLongestDetails);
  if (outcome.warnings.size() > kMostWarnings) outcome.warnings.resize(kMostWarnings);
  for (std::string& warning : outcome.warnings) shorten(warning, kLongestReason / kMostWarnings);
  Products products;
  const auto make = [&]() -> Result<void> {
    SLIPWAY_ASSIGN(job.artifacts, artifacts_of(outcome, files));
    if (!outcome.succeeded) return {};
    SLIPWAY_ASSIGN(products, products_of(job, outcome, files));
    return {};
  };
  if (const auto made = make(); !made) {
    // A store that cannot answer now may answer the agent's next try; a result that makes no sense ends the job.
    if (may_pass(made.error())) return made;
    job.artifacts.clear();
    outcome.succeeded = false;
    outcome.failure_type = FailureType::kInternal;
    outcome.failure_reason = made.error().message;
  }
  if (!outcome.succeeded) {
    if (outcome.failure_type == FailureType::kUnspecified) outcome.failure_type = FailureType::kRuntimeUnknown;
    if (outcome.failure_reason.empty()) outcome.failure_reason = "the job ended without saying why";
    // A subject whose inspection failed must not be waited for.
    products.inspection = finding_of_failure(job.payload, outcome.failure_reason);
  }
  const JobState next = outcome.succeeded ? JobState::kDone : JobState::kFailed;
  SLIPWAY_CHECK(may_follow(job.state, next), "a leased job is running, and running jobs may end");
  note(job.id, !outcome.succeeded
                   ? fmt::format("failed ({}): {}", failure_type_name(outcome.failure_type), outcome.failure_reason)
               : outcome.warnings.empty() ? "done"
                                          : fmt::format("done, with a warning: {}", fmt::join(outcome.warnings, " ")));
  job.state = next;
  job.completed = job.updated = hub_.ports.clock.now();
  job.lease_until.reset();
  job.outcome = std::move(outcome);
  const auto pin = hub_.ports.blobs.pin();
  attach_log(job, *pin);
  SLIPWAY_TRY(hub_.ports.queue.complete_job(job, lease_token, products.target, products.output, products.inspection));
  if (next == JobState::kFailed) fail_orphans();
  hub_.changes.notify();
  return {};
}

bool JobEndings::fail_unleased(Job job, FailureType type, const std::string& reason) {
  note(job.id, fmt::format("failed ({}): {}", failure_type_name(type), reason));
  job.state = JobState::kFailed;
  job.completed = job.updated = hub_.ports.clock.now();
  job.lease_until.reset();
  job.outcome = failure(type, reason);
  const auto pin = hub_.ports.blobs.pin();
  attach_log(job, *pin);
  const auto inspection = finding_of_failure(job.payload, reason);
  // Another hand may have ended it meanwhile; then there is nothing to do.
  return hub_.ports.queue.fail_job(job, inspection).has_value();
}

std::string JobEndings::reason_of_orphan(const Job& orphan) const {
  for (const std::string& id : inputs_of(orphan.payload).model_ids) {
    const auto source = hub_.ports.contents.model(id);
    if (!source || source->producer_job_id.empty()) continue;
    const auto producer = hub_.ports.jobs.job(source->producer_job_id);
    if (producer && producer->state != JobState::kFailed) continue;
    return fmt::format("job {}, which was to produce model {}, failed: {}", source->producer_job_id, id,
                       producer && producer->outcome ? producer->outcome->failure_reason : "no reason is known");
  }
  return "a model that it takes will not come";
}

void JobEndings::fail_orphans() {
  // A failure may orphan jobs that wait for targets of the orphans, so look again until there are none.
  while (true) {
    const auto orphans = hub_.ports.queue.orphaned_jobs();
    if (!orphans || orphans->empty()) return;
    bool any_failed = false;
    for (const Job& orphan : *orphans) {
      any_failed |= fail_unleased(orphan, FailureType::kFailedDependency, reason_of_orphan(orphan));
    }
    hub_.changes.notify();
    // A store that takes nothing now is asked again at the next sweep.
    if (!any_failed) return;
  }
}

void JobEndings::hold_leases(base::Time until) {
  leases_held_until_ = until;
}

Result<void> JobEndings::sweep() {
  const base::Time lease_time = hub_.ports.queue.lease_time();
  if (lease_time < leases_held_until_.load()) return {};
  if (!are_leases_known_) {
    // The agents of an earlier process get a whole lease in which to be heard of; a clock may have been set meanwhile.
    SLIPWAY_TRY(hub_.ports.queue.renew_all_leases(lease_time + hub_.settings.lease_duration));
    are_leases_known_ = true;
  }
  SLIPWAY_ASSIGN(const auto lost,
                 hub_.ports.queue.reclaim_leases(lease_time, hub_.ports.clock.now(), hub_.settings.max_attempts));
  if (!lost.empty()) {
    for (const Job& job : lost) {
      fail_unleased(
          job, FailureType::kRuntimeCrash,
          fmt::format("{} attempts ended without a result: each time the agent fell silent, so the job may be "
                      "what stops it",
                      job.attempt));
    }
    hub_.changes.notify();
  }
  fail_orphans();
  return {};
}

}  // namespace slipway::hub::domain
