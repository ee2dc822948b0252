#include "hub/protocol/transfers.hpp"

#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {

namespace api = internal::api;

std::string encode_part_plan(const PartPlan& plan, PlanForm form) {
  api::FileUploadResponse wrapper;
  api::FileMultipartUploadURL& message = *wrapper.mutable_multipart_url();
  for (const std::string& url : plan.urls) message.add_urls(wire_text(url));
  message.set_upload_id(wire_text(plan.upload_id));
  message.set_max_part_size(plan.max_part_size_bytes);
  return form == PlanForm::kWrapped ? wrapper.SerializeAsString() : message.SerializeAsString();
}

std::string encode_form_plan(std::string_view url, std::string_view file_field_name, PlanForm form) {
  api::FileUploadResponse wrapper;
  api::FileUploadURL& message = *wrapper.mutable_url();
  message.set_url(wire_text(url));
  message.set_file_field_name(wire_text(file_field_name));
  return form == PlanForm::kWrapped ? wrapper.SerializeAsString() : message.SerializeAsString();
}

std::string encode_download(const DownloadLink& link, PlanForm form) {
  api::FileDownloadResponse wrapper;
  api::FileDownloadURL& message = *wrapper.mutable_url();
  message.set_url(wire_text(link.url));
  message.set_filename(wire_text(link.filename));
  return form == PlanForm::kWrapped ? wrapper.SerializeAsString() : message.SerializeAsString();
}

std::string encode_artifacts(const std::vector<DownloadLink>& links) {
  api::NamedArtifactDownloadURLList list;
  for (const DownloadLink& link : links) {
    api::NamedArtifactDownloadURL& entry = *list.add_artifacts();
    entry.set_url(wire_text(link.url));
    entry.set_filename(wire_text(link.filename));
  }
  return list.SerializeAsString();
}

base::Result<UploadCompletion> decode_upload_completion(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message,
                 internal::parse<api::FileMultipartUploadComplete>(bytes, "FileMultipartUploadComplete"));
  UploadCompletion completion{.upload_id = message.upload_id(), .etags = {}};
  for (const std::string& etag : message.etags()) completion.etags.push_back(bare_etag(etag));
  return completion;
}

std::string bare_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::string encode_created(std::string_view id, std::optional<base::Time> created, std::optional<base::Time> expires) {
  api::CreateUpdateResponse message;
  message.set_id(wire_text(id));
  if (created) internal::fill_time(*created, *message.mutable_creation_time());
  if (expires) internal::fill_time(*expires, *message.mutable_expiration_time());
  return message.SerializeAsString();
}

}  // namespace slipway::hub::protocol
