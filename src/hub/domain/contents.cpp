#include "hub/domain/contents.hpp"

#include <algorithm>

#include "hub/domain/access.hpp"
#include "hub/domain/inspection.hpp"
#include "hub/domain/uploads.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;
using uploads::EmptyFile;

constexpr std::chrono::hours kYoungestCollected{48};
constexpr std::size_t kLongestName = 1024;

Result<void> check_name(const std::string& name) {
  if (!name.empty() && name.size() <= kLongestName) return {};
  return base::fail(Code::kInvalidArgument, "expected a name of 1 to {} bytes, found {}", kLongestName, name.size());
}

}  // namespace

Result<Model> Contents::create_model(const Actor& actor, const NewModel& request) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(request.project_id));
  SLIPWAY_TRY(check_name(request.name));
  Model model;
  model.id = hub_.ports.ids.id("m", 8);
  model.owner_id = actor.user.id;
  model.name = request.name;
  model.created = hub_.ports.clock.now();
  model.type = request.type;
  model.is_directory = request.is_directory;
  SLIPWAY_TRY(hub_.ports.contents.insert_model(model));
  return model;
}

Result<Dataset> Contents::create_dataset(const Actor& actor, const NewDataset& request) {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  SLIPWAY_TRY(access::require_project(request.project_id));
  SLIPWAY_TRY(check_name(request.name));
  Dataset dataset;
  dataset.id = hub_.ports.ids.id("d", 8);
  dataset.owner_id = actor.user.id;
  dataset.name = request.name;
  dataset.created = hub_.ports.clock.now();
  if (!request.permanent) dataset.expires = dataset.created + hub_.settings.dataset_lifetime;
  SLIPWAY_TRY(hub_.ports.contents.insert_dataset(dataset));
  return dataset;
}

Result<Upload> Contents::plan_model_upload(const Actor& actor, const std::string& id,
                                           std::optional<std::uint64_t> file_size) {
  SLIPWAY_ASSIGN(const Model known, model(actor, id));
  if (known.upload == UploadState::kComplete || !known.producer_job_id.empty()) {
    return base::fail(Code::kFailedPrecondition, "model {} has its file already", id);
  }
  return uploads::plan(hub_, id, file_size, EmptyFile::kRefused);
}

Result<Upload> Contents::plan_dataset_upload(const Actor& actor, const std::string& id,
                                             std::optional<std::uint64_t> file_size) {
  SLIPWAY_ASSIGN(const Dataset known, dataset(actor, id));
  if (known.upload == UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "dataset {} has its file already", id);
  }
  // A form upload is one POST, so it is one part whatever its size.
  SLIPWAY_ASSIGN(Upload upload, uploads::plan(hub_, id, file_size, EmptyFile::kRefused));
  upload.part_count = 1;
  upload.part_size_bytes = file_size.value_or(hub_.settings.max_upload_bytes);
  SLIPWAY_TRY(hub_.ports.uploads.update_upload(upload));
  return upload;
}

Job Contents::inspection_of(const std::string& owner_id, const std::string& model_id, const std::string& dataset_id) {
  Job job;
  job.id = hub_.ports.ids.id("i", 8);
  job.owner_id = owner_id;
  job.name = "inspect " + (model_id.empty() ? dataset_id : model_id);
  kinds::Inspect inspect;
  inspect.model_id = model_id;
  inspect.dataset_id = dataset_id;
  job.payload = inspect;
  job.created = job.updated = hub_.ports.clock.now();
  return job;
}

Result<Model> Contents::complete_model_upload(const Actor& actor, const std::string& id, const std::string& upload_id,
                                              const std::vector<std::string>& etags) {
  SLIPWAY_ASSIGN(Model known, model(actor, id));
  if (known.upload == UploadState::kComplete) return known;
  SLIPWAY_ASSIGN(const Upload plan, upload(upload_id));
  if (plan.subject_id != id) return access::absent("upload", upload_id);
  const auto pin = hub_.ports.blobs.pin();
  SLIPWAY_ASSIGN(known.content, uploads::assemble(hub_, *pin, plan, etags, EmptyFile::kRefused));
  known.upload = UploadState::kComplete;
  const auto completed = hub_.ports.contents.complete_model_upload(known, inspection_of(known.owner_id, id, ""));
  // A repeated request may have been faster; what it made stands.
  if (!completed && completed.error().code == Code::kAborted) return model(actor, id);
  if (!completed) return std::unexpected(completed.error());
  uploads::forget(hub_, upload_id);
  hub_.changes.notify();
  return known;
}

Result<Dataset> Contents::complete_dataset_upload(const Actor& actor, const std::string& id) {
  SLIPWAY_ASSIGN(Dataset known, dataset(actor, id));
  if (known.upload == UploadState::kComplete) return known;
  SLIPWAY_ASSIGN(const auto plans, hub_.ports.uploads.uploads_of(id));
  const auto arrived = std::ranges::find_if(plans, [](const Upload& plan) { return !plan.etags.empty(); });
  if (arrived == plans.end()) {
    return base::fail(Code::kFailedPrecondition,
                      "no file has arrived for dataset {}; send it to its upload address first", id);
  }
  const auto pin = hub_.ports.blobs.pin();
  SLIPWAY_ASSIGN(known.content, uploads::assemble(hub_, *pin, *arrived, arrived->etags, EmptyFile::kRefused));
  known.upload = UploadState::kComplete;
  const auto completed = hub_.ports.contents.complete_dataset_upload(known, inspection_of(known.owner_id, "", id));
  if (!completed && completed.error().code == Code::kAborted) return dataset(actor, id);
  if (!completed) return std::unexpected(completed.error());
  uploads::forget(hub_, arrived->id);
  hub_.changes.notify();
  return known;
}

Result<Model> Contents::model(const Actor& actor, const std::string& id) const {
  return access::visible(actor, hub_.ports.contents.model(id), "model", id);
}

Result<Dataset> Contents::dataset(const Actor& actor, const std::string& id) const {
  return access::visible(actor, hub_.ports.contents.dataset(id), "dataset", id);
}

Result<Model> Contents::rename_model(const Actor& actor, const std::string& id, const std::string& name) {
  SLIPWAY_TRY(model(actor, id));
  SLIPWAY_TRY(check_name(name));
  SLIPWAY_TRY(hub_.ports.contents.rename_model(id, name));
  return model(actor, id);
}

Result<Listed<Model>> Contents::models(const Actor& actor, const std::string& producer, Page page) const {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  return hub_.ports.contents.models(actor.user.role == Role::kAdmin ? "" : actor.user.id, producer,
                                    access::clamped(page));
}

Result<Listed<Dataset>> Contents::datasets(const Actor& actor, Page page) const {
  SLIPWAY_TRY(access::require(actor, Scope::kUser));
  return hub_.ports.contents.datasets(actor.user.role == Role::kAdmin ? "" : actor.user.id, access::clamped(page));
}

Result<Upload> Contents::upload(const std::string& upload_id) const {
  return uploads::find(hub_, upload_id);
}

Result<std::unique_ptr<BlobStore::Writer>> Contents::write_part(const std::string& upload_id, std::uint32_t part,
                                                                std::uint64_t size_bytes) {
  SLIPWAY_ASSIGN(const Upload known, upload(upload_id));
  return uploads::write_part(hub_, known, part, size_bytes);
}

Result<std::unique_ptr<BlobStore::Writer>> Contents::write_form(const Upload& upload) {
  return hub_.ports.blobs.write_part(upload.id, 0, form_limit_bytes(upload));
}

std::uint64_t Contents::form_limit_bytes(const Upload& upload) const {
  return upload.size_bytes != 0 ? upload.size_bytes : hub_.settings.max_upload_bytes;
}

Result<void> Contents::note_form_upload(const std::string& upload_id, const std::string& etag) {
  SLIPWAY_ASSIGN(Upload plan, upload(upload_id));
  plan.etags = {etag};
  return hub_.ports.uploads.update_upload(plan);
}

Result<Download> Contents::model_download(const Actor& actor, const std::string& id) const {
  SLIPWAY_ASSIGN(const Model known, model(actor, id));
  if (known.upload == UploadState::kComplete) {
    return Download{.blob = known.content,
                    .filename = download_name(known.name, model_extension(known.type, known.is_directory))};
  }
  if (known.producer_job_id.empty()) {
    return base::fail(Code::kFailedPrecondition, "model {} is not uploaded yet", id);
  }
  SLIPWAY_ASSIGN(const Job producer, hub_.ports.jobs.job(known.producer_job_id));
  if (producer.state == JobState::kFailed) {
    return base::fail(Code::kFailedPrecondition, "model {} does not exist: its job {} failed: {}", id, producer.id,
                      producer.outcome ? producer.outcome->failure_reason : "no reason is known");
  }
  return base::fail(Code::kFailedPrecondition, "model {} does not exist yet: its job {} has not ended", id,
                    producer.id);
}

Result<Download> Contents::dataset_download(const Actor& actor, const std::string& id) const {
  SLIPWAY_ASSIGN(const Dataset known, dataset(actor, id));
  if (known.upload != UploadState::kComplete) {
    return base::fail(Code::kFailedPrecondition, "dataset {} is not uploaded yet", id);
  }
  if (known.expires && *known.expires <= hub_.ports.clock.now()) {
    return base::fail(Code::kFailedPrecondition, "dataset {} expired at {}", id, base::iso8601(*known.expires));
  }
  return Download{.blob = known.content, .filename = download_name("dataset-" + id, ".h5")};
}

Result<std::unique_ptr<BlobStore::Reader>> Contents::open_read(const Blob& blob, ByteRange range) const {
  return hub_.ports.blobs.open_read(blob, range);
}

void Contents::abandon_upload(const std::string& upload_id) {
  uploads::forget(hub_, upload_id);
}

Result<void> Contents::sweep() {
  SLIPWAY_ASSIGN(const auto expired, hub_.ports.uploads.expired_uploads(hub_.ports.queue.lease_time()));
  for (const Upload& upload : expired) {
    uploads::forget(hub_, upload.id);
  }
  return {};
}

Result<BlobStore::Collected> Contents::collect(bool only_count) {
  const base::Time now = hub_.ports.clock.now();
  if (!only_count) SLIPWAY_TRY(sweep());
  return hub_.ports.blobs.collect([&] { return hub_.ports.contents.content_in_use(now); }, now - kYoungestCollected,
                                  only_count);
}

}  // namespace slipway::hub::domain
