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
Standing standing_of(const Content& content, const ContentSurroundings& around) {
  if (content.upload == domain::UploadState::kComplete) {
    if (content.inspection && !content.inspection->error.empty()) {
      return {.state = "unusable", .note = content.inspection->error};
    }
    const bool is_looked_at = content.inspection.has_value() || !content.producer_job_id.empty();
    return {.state = is_looked_at ? "ready" : "being inspected", .note = {}};
  }
  if (content.producer_job_id.empty()) return {.state = "waiting for its file", .note = {}};
  if (around.producer && around.producer->state == domain::JobState::kFailed) {
    const std::string reason = around.producer->outcome ? around.producer->outcome->failure_reason : std::string();
    return {.state = "not made",
            .note = fmt::format("its job {} failed{}{}", content.producer_job_id, reason.empty() ? "" : ": ", reason)};
  }
  return {.state = "being made", .note = {}};
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
  return with_surroundings("slipway-model-report/1", standing_of(model, around), model_json(model, around.download_url),
                           model.created, around)
      .dump();
}

std::string encode_dataset_report(const domain::Dataset& dataset, const ContentSurroundings& around) {
  Standing standing = standing_of(dataset, around);
  if (dataset.expires && *dataset.expires <= around.now) {
    standing = {.state = "expired", .note = "it can no longer be fetched or used; upload the data again"};
  }
  return with_surroundings("slipway-dataset-report/1", standing, dataset_json(dataset, around.download_url),
                           dataset.created, around)
      .dump();
}

}  // namespace slipway::hub::protocol
