#include "hub/protocol/datasets.hpp"

#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol {

namespace api = internal::api;

std::string encode_dataset(const DatasetView& view) {
  api::Dataset message;
  internal::fill_dataset(view.dataset, view.owner, message);
  return message.SerializeAsString();
}

std::string encode_datasets(const std::vector<DatasetView>& views, std::uint64_t total) {
  api::DatasetList list;
  for (const DatasetView& view : views) internal::fill_dataset(view.dataset, view.owner, *list.add_datasets());
  list.set_total_query_count(total);
  return list.SerializeAsString();
}

base::Result<domain::NewDataset> decode_new_dataset(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Dataset>(bytes, "Dataset"));
  return domain::NewDataset{
      .name = message.name(), .permanent = message.permanent(), .project_id = message.project_id()};
}

base::Result<bool> decode_upload_finished(std::string_view bytes) {
  SLIPWAY_ASSIGN(const auto message, internal::parse<api::Dataset>(bytes, "Dataset"));
  return message.file_upload_complete();
}

}  // namespace slipway::hub::protocol
