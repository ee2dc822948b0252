#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/domain/contents.hpp"

namespace slipway::hub::protocol {

/// What a page shows around a model or dataset.
struct ContentSurroundings {
  domain::User owner;
  std::optional<domain::Job> producer;    ///< the job that makes or made it, if one does
  domain::Listed<domain::Job> consumers;  ///< jobs that take it, the newest
  std::string download_url;               ///< empty: there is nothing to fetch (any more)
  base::Time now;
};

/// A "slipway-model-report/1" or "slipway-dataset-report/1" JSON document: all that the page shows. "state" is a word
/// for people (waiting for its file, being made, being inspected, ready, unusable, not made, expired); "note" says why,
/// where there is something to say.
[[nodiscard]] std::string encode_model_report(const domain::Model& model, const ContentSurroundings& around);
[[nodiscard]] std::string encode_dataset_report(const domain::Dataset& dataset, const ContentSurroundings& around);

/// A model or dataset as a list shows it.
template <typename Content>
struct ContentLine {
  Content content;
  std::optional<domain::Job> producer;  ///< the job that makes or made it, if one does
};

/// A "slipway-recent-models/1" or "slipway-recent-datasets/1" JSON document, for the pages that list them; states are
/// those of the reports above.
[[nodiscard]] std::string encode_recent_models(const std::vector<ContentLine<domain::Model>>& models,
                                               std::uint64_t total);
/// @param now  datasets that expired by then say so
[[nodiscard]] std::string encode_recent_datasets(const std::vector<ContentLine<domain::Dataset>>& datasets,
                                                 std::uint64_t total, base::Time now);

}  // namespace slipway::hub::protocol
