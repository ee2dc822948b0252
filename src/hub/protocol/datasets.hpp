#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/contents.hpp"

namespace slipway::hub::protocol {

/// A dataset with the user it belongs to, as the wire shows it.
struct DatasetView {
  domain::Dataset dataset;
  domain::User owner;
};

/// A Dataset message.
[[nodiscard]] std::string encode_dataset(const DatasetView& view);

/// A DatasetList message; `total` counts all, regardless of paging.
[[nodiscard]] std::string encode_datasets(const std::vector<DatasetView>& views, std::uint64_t total);

/// A Dataset message that asks for a new dataset. @error kInvalidArgument: not such a message
[[nodiscard]] base::Result<domain::NewDataset> decode_new_dataset(std::string_view bytes);

/// Whether a Dataset message says that the upload is finished. @error kInvalidArgument: not such a message
[[nodiscard]] base::Result<bool> decode_upload_finished(std::string_view bytes);

}  // namespace slipway::hub::protocol
