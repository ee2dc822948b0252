#include "hub/domain/job_rules.hpp"

namespace slipway::hub::domain {
namespace {

using base::Code;
using base::Result;

Result<void> check_number_of_inputs(const KindEntry& kind, const JobFacts& facts) {
  if (facts.models.size() < kind.fewest_models || facts.models.size() > kind.most_models) {
    return base::fail(Code::kInvalidArgument, "{} jobs take {} model(s), {} are given", kind.name,
                      kind.fewest_models == kind.most_models
                          ? fmt::format("{}", kind.most_models)
                          : fmt::format("{} to {}", kind.fewest_models, kind.most_models),
                      facts.models.size());
  }
  if (kind.dataset_input == DatasetInput::kNone && facts.dataset) {
    return base::fail(Code::kInvalidArgument, "{} jobs take no data", kind.name);
  }
  if (kind.dataset_input == DatasetInput::kRequired && !facts.dataset) {
    return base::fail(Code::kInvalidArgument, "{} jobs need a dataset", kind.name);
  }
  return {};
}

}  // namespace

Result<Verdict> judge(const JobPayload& payload, const JobFacts& facts) {
  SLIPWAY_TRY(check_number_of_inputs(entry_of(payload), facts));
  SLIPWAY_TRY(check_inputs(facts));
  SLIPWAY_TRY(check_qairt_version(facts));
  return std::visit(
      [&]<typename Kind>(const Kind& alternative) -> Result<Verdict> {
        if constexpr (Submitted<Kind>) return Kind::judge(alternative, facts);
        return base::fail(Code::kInvalidArgument, "{} jobs are the hub's own", Kind::kEntry.name);
      },
      payload);
}

Result<std::optional<ExecutionPlan>> plan(const JobPayload& payload, const JobFacts& facts) {
  return std::visit(
      [&]<typename Kind>(const Kind& alternative) -> Result<std::optional<ExecutionPlan>> {
        if constexpr (Submitted<Kind>) {
          SLIPWAY_TRY(check_inputs(facts));
          return Kind::plan(alternative, facts);
        }
        return std::nullopt;
      },
      payload);
}

}  // namespace slipway::hub::domain
