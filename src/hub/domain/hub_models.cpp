#include <algorithm>

#include "hub/domain/access.hpp"
#include "hub/domain/hub.hpp"
#include "hub/domain/inspection.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

constexpr std::chrono::hours kUploadLifetime{24};
constexpr std::size_t kLongestName = 1024;

Result<void> check_name(const std::string& name) {
  if (!name.empty() && name.size() <= kLongestName) return {};
  return base::fail(Code::kInvalidArgument, "expected a name of 1 to {} bytes, found {}", kLongestName, name.size());
}

// HTTP puts quotes around entity tags, and the client hands them back with them.
std::string without_quotes(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace

Result<Model> Hub::create_model(const Actor& actor, const NewModel& request) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(request.project_id));
  SLIPWAY_TRY(check_name(request.name));
  Model model;
  model.id = ids_.id("m", 8);
  model.owner_id = actor.user.id;
  model.name = request.name;
  model.created = clock_.now();
  model.type = request.type;
  model.is_directory = request.is_directory;
  SLIPWAY_TRY(metadata_.insert_model(model));
  return model;
}

Result<Dataset> Hub::create_dataset(const Actor& actor, const NewDataset& request) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(request.project_id));
  SLIPWAY_TRY(check_name(request.name));
  Dataset dataset;
  dataset.id = ids_.id("d", 8);
  dataset.owner_id = actor.user.id;
  dataset.name = request.name;
  dataset.created = clock_.now();
  if (!request.permanent) dataset.expires = dataset.created + settings_.dataset_lifetime;
  SLIPWAY_TRY(metadata_.insert_dataset(dataset));
  return dataset;
}

Result<Upload> Hub::plan_upload(const std::string& subject_id, std::optional<std::uint64_t> file_size) {
  if (file_size == 0U) return base::fail(Code::kInvalidArgument, "the file is empty (0 bytes)");
  if (file_size && *file_size > settings_.max_upload_bytes) {
    return base::fail(Code::kResourceExhausted, "the file has {} bytes; this hub takes at most {}", *file_size,
                      settings_.max_upload_bytes);
  }
  Upload upload;
  upload.id = ids_.secret();
  upload.subject_id = subject_id;
  upload.size_bytes = file_size.value_or(0);
  upload.part_size_bytes = file_size ? settings_.part_size_bytes : settings_.max_upload_bytes;
  upload.part_count = file_size ? static_cast<std::uint32_t>((*file_size - 1) / settings_.part_size_bytes + 1) : 1;
  upload.expires = clock_.now() + kUploadLifetime;
  SLIPWAY_TRY(metadata_.insert_upload(upload));
  return upload;
}

Result<Upload> Hub::plan_model_upload(const Actor& actor, const std::string& id,
                                      std::optional<std::uint64_t> file_size) {
  SLIPWAY_ASSIGN(const Model known, model(actor, id));
  if (known.upload == UploadState::kComplete || !known.producer_job_id.empty()) {
    return base::fail(Code::kFailedPrecondition, "model {} has its file already", id);
  }
  return plan_upload(id, file_size);
}

Result<Upload> Hub::plan_dataset_upload(const Actor& actor, const std::string& id,
                                        std::optional<std::uint64_t> file_size) {
  SLIPWAY_ASSIGN(const Dataset known, dataset(actor, id));
  if (known.upload == UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "dataset {} has its file already", id);
  }
  // A form upload is one POST, so it is one part whatever its size.
  SLIPWAY_ASSIGN(Upload upload, plan_upload(id, file_size));
  upload.part_count = 1;
  upload.part_size_bytes = file_size.value_or(settings_.max_upload_bytes);
  SLIPWAY_TRY(metadata_.update_upload(upload));
  return upload;
}

Result<Blob> Hub::assemble(const Upload& upload, const std::vector<std::string>& etags) {
  if (etags.size() != upload.part_count) {
    return base::fail(Code::kInvalidArgument, "the upload has {} parts, but {} entity tags are given",
                      upload.part_count, etags.size());
  }
  std::vector<std::string> tags;
  std::ranges::transform(etags, std::back_inserter(tags), without_quotes);
  SLIPWAY_ASSIGN(Blob blob, blobs_.assemble(upload.id, tags));
  if (upload.size_bytes != 0 && blob.size_bytes != upload.size_bytes) {
    return base::fail(Code::kFailedPrecondition, "{} bytes were announced, but {} arrived; upload the file again",
                      upload.size_bytes, blob.size_bytes);
  }
  if (blob.size_bytes == 0) return base::fail(Code::kInvalidArgument, "the file is empty (0 bytes)");
  return blob;
}

Job Hub::inspection_of(const std::string& owner_id, const std::string& model_id, const std::string& dataset_id) {
  Job job;
  job.id = ids_.id("i", 8);
  job.kind = JobKind::kInspect;
  job.owner_id = owner_id;
  job.name = "inspect " + (model_id.empty() ? dataset_id : model_id);
  job.model_id = model_id;
  job.dataset_id = dataset_id;
  job.created = job.updated = clock_.now();
  return job;
}

Result<Model> Hub::complete_model_upload(const Actor& actor, const std::string& id, const std::string& upload_id,
                                         const std::vector<std::string>& etags) {
  SLIPWAY_ASSIGN(Model known, model(actor, id));
  if (known.upload == UploadState::kComplete) return known;
  SLIPWAY_ASSIGN(const Upload plan, upload(upload_id));
  if (plan.subject_id != id) return access::absent("upload", upload_id);
  SLIPWAY_ASSIGN(known.content, assemble(plan, etags));
  known.upload = UploadState::kComplete;
  const auto completed = metadata_.complete_model_upload(known, inspection_of(known.owner_id, id, ""));
  // A repeated request may have been faster; what it made stands.
  if (!completed && completed.error().code == Code::kAborted) return model(actor, id);
  if (!completed) return std::unexpected(completed.error());
  blobs_.discard(upload_id);
  metadata_.remove_upload(upload_id);
  changed();
  return known;
}

Result<Dataset> Hub::complete_dataset_upload(const Actor& actor, const std::string& id) {
  SLIPWAY_ASSIGN(Dataset known, dataset(actor, id));
  if (known.upload == UploadState::kComplete) return known;
  SLIPWAY_ASSIGN(const auto plans, metadata_.uploads_of(id));
  const auto arrived = std::ranges::find_if(plans, [](const Upload& plan) { return !plan.etags.empty(); });
  if (arrived == plans.end()) {
    return base::fail(Code::kFailedPrecondition,
                      "no file has arrived for dataset {}; send it to its upload address first", id);
  }
  SLIPWAY_ASSIGN(known.content, assemble(*arrived, arrived->etags));
  known.upload = UploadState::kComplete;
  const auto completed = metadata_.complete_dataset_upload(known, inspection_of(known.owner_id, "", id));
  if (!completed && completed.error().code == Code::kAborted) return dataset(actor, id);
  if (!completed) return std::unexpected(completed.error());
  blobs_.discard(arrived->id);
  metadata_.remove_upload(arrived->id);
  changed();
  return known;
}

Result<Model> Hub::model(const Actor& actor, const std::string& id) const {
  auto known = metadata_.model(id);
  if (known && !access::may_see(actor, known->owner_id)) return access::absent("model", id);
  return known;
}

Result<Dataset> Hub::dataset(const Actor& actor, const std::string& id) const {
  auto known = metadata_.dataset(id);
  if (known && !access::may_see(actor, known->owner_id)) return access::absent("dataset", id);
  return known;
}

Result<Model> Hub::rename_model(const Actor& actor, const std::string& id, const std::string& name) {
  SLIPWAY_TRY(model(actor, id));
  SLIPWAY_TRY(check_name(name));
  SLIPWAY_TRY(metadata_.rename_model(id, name));
  return model(actor, id);
}

Result<Listed<Model>> Hub::models(const Actor& actor, const std::string& producer, Page page) const {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  return metadata_.models(actor.user.role == Role::kAdmin ? "" : actor.user.id, producer, access::clamped(page));
}

Result<Listed<Dataset>> Hub::datasets(const Actor& actor, Page page) const {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  return metadata_.datasets(actor.user.role == Role::kAdmin ? "" : actor.user.id, access::clamped(page));
}

Result<Upload> Hub::upload(const std::string& upload_id) const {
  auto known = metadata_.upload(upload_id);
  if (known && known->expires <= clock_.now()) return base::fail(Code::kNotFound, "the upload address has expired");
  return known;
}

Result<void> Hub::note_form_upload(const std::string& upload_id, const std::string& etag) {
  SLIPWAY_ASSIGN(Upload plan, upload(upload_id));
  plan.etags = {etag};
  return metadata_.update_upload(plan);
}

Result<Hub::Download> Hub::model_download(const Actor& actor, const std::string& id) const {
  SLIPWAY_ASSIGN(const Model known, model(actor, id));
  if (known.upload == UploadState::kComplete) {
    return Download{.blob = known.content,
                    .filename = download_name(known.name, model_extension(known.type, known.is_directory))};
  }
  if (known.producer_job_id.empty()) {
    return base::fail(Code::kFailedPrecondition, "model {} is not uploaded yet", id);
  }
  SLIPWAY_ASSIGN(const Job producer, metadata_.job(known.producer_job_id));
  if (producer.state == JobState::kFailed) {
    return base::fail(Code::kFailedPrecondition, "model {} does not exist: its job {} failed: {}", id, producer.id,
                      producer.outcome ? producer.outcome->failure_reason : "no reason is known");
  }
  return base::fail(Code::kFailedPrecondition, "model {} does not exist yet: its job {} has not ended", id,
                    producer.id);
}

Result<Hub::Download> Hub::dataset_download(const Actor& actor, const std::string& id) const {
  SLIPWAY_ASSIGN(const Dataset known, dataset(actor, id));
  if (known.upload != UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "dataset {} is not uploaded yet", id);
  }
  if (known.expires && *known.expires <= clock_.now()) {
    return base::fail(Code::kFailedPrecondition, "dataset {} expired at {}", id, base::iso8601(*known.expires));
  }
  return Download{.blob = known.content, .filename = download_name("dataset-" + id, ".h5")};
}

}  // namespace slipway::hub::domain
