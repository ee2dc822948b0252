#include "hub/protocol/content_report.hpp"

#include <fmt/format.h>

#include "hub/domain/job_state.hpp"
#include "hub/protocol/internal/report_json.hpp"
#include "hub/protocol/wire_text.hpp"

namespace slipway::hub::protocol {
namespace {

using nlohmann::ordered_json;
using namespace internal;

struct Standing {
  std::string state, note;
};

/// Models and datasets come to be in the same ways.
template <typename Content>
Standing standing_of(const Content& content, const std::optional<domain::Job>& producer) {
  if (content.upload == domain::UploadState::kComplete) {
    if (content.inspection && !content.inspection->error.empty()) {
      return {.state = "unusable", .note = content.inspection->error};
    }
    const bool is_looked_at = content.inspection.has_value() || !content.producer_job_id.empty();
    return {.state = is_looked_at ? "ready" : "being inspected", .note = {}};
  }
  if (content.producer_job_id.empty()) return {.state = "waiting for its file", .note = {}};
  if (producer && producer->state == domain::JobState::kFailed) {
    const std::string reason = producer->outcome ? producer->outcome->failure_reason : std::string();
    return {.state = "not made",
            .note = fmt::format("its job {} failed{}{}", content.producer_job_id, reason.empty() ? "" : ": ", reason)};
  }
  return {.state = "being made", .note = {}};
}

Standing standing_of(const domain::Dataset& dataset, const std::optional<domain::Job>& producer, base::Time now) {
  if (!dataset.expires || *dataset.expires > now) return standing_of(dataset, producer);
  return {.state = "expired", .note = "it can no longer be fetched or used; upload the data again"};
}

ordered_json line_json(ordered_json content, const Standing& standing, base::Time created) {
  for (const char* detail : {"inputs", "outputs", "entries", "facts", "download_url"}) content.erase(detail);
  content["state"] = standing.state;
  content["created"] = base::iso8601(created);
  return content;
}

ordered_json with_surroundings(std::string_view schema, const Standing& standing, ordered_json content,
                               base::Time created, const ContentSurroundings& around) {
  content["owner"] = wire_text(around.owner.email);
  content["created"] = base::iso8601(created);
  return {{"schema", schema},
          {"state", standing.state},
          {"note", wire_text(standing.note)},
          {"content", std::move(content)},
          {"producer", around.producer ? job_json(*around.producer) : ordered_json(nullptr)},
          {"jobs", jobs_json(around.consumers.items)},
          {"jobs_total", around.consumers.total}};
}

}  // namespace

std::string encode_model_report(const domain::Model& model, const ContentSurroundings& around) {
  return with_surroundings("slipway-model-report/1", standing_of(model, around.producer),
                           model_json(model, around.download_url), model.created, around)
      .dump();
}

std::string encode_dataset_report(const domain::Dataset& dataset, const ContentSurroundings& around) {
  return with_surroundings("slipway-dataset-report/1", standing_of(dataset, around.producer, around.now),
                           dataset_json(dataset, around.download_url), dataset.created, around)
      .dump();
}

std::string encode_recent_models(const std::vector<ContentLine<domain::Model>>& models, std::uint64_t total) {
  ordered_json list = ordered_json::array();
  for (const auto& [model, producer] : models) {
    list.push_back(line_json(model_json(model, {}), standing_of(model, producer), model.created));
  }
  return ordered_json{{"schema", "slipway-recent-models/1"}, {"models", list}, {"total", total}}.dump();
}

std::string encode_recent_datasets(const std::vector<ContentLine<domain::Dataset>>& datasets, std::uint64_t total,
                                   base::Time now) {
  ordered_json list = ordered_json::array();
  for (const auto& [dataset, producer] : datasets) {
    list.push_back(line_json(dataset_json(dataset, {}), standing_of(dataset, producer, now), dataset.created));
  }
  return ordered_json{{"schema", "slipway-recent-datasets/1"}, {"datasets", list}, {"total", total}}.dump();
}

}  // namespace slipway::hub::protocol
