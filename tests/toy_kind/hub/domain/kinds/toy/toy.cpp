#include "hub/domain/kinds/toy/toy.hpp"

#include "hub/domain/job.hpp"

namespace slipway::hub::domain::kinds {

base::Result<ExecutionPlan> Toy::plan(const Toy& /*payload*/, const JobFacts& /*facts*/) {
  return ExecutionPlan{.target = CompileTarget::kQnnContextBinary};
}

base::Result<Verdict> Toy::judge(const Toy& payload, const JobFacts& facts) {
  SLIPWAY_TRY(plan(payload, facts));
  if (facts.devices.empty()) return base::fail(base::Code::kInvalidArgument, "the job names no device");
  Verdict verdict;
  verdict.device = facts.devices.front();
  return verdict;
}

base::Result<void> Toy::complete(const Job& /*job*/, const Toy& /*payload*/, const Result& result,
                                 const ResultFiles& files, Products& products) {
  SLIPWAY_ASSIGN(products.target->content, file_of(files, result.target_file, "the joined model"));
  products.target->upload = UploadState::kComplete;
  return {};
}

Origin Toy::origin(const Job& job, const Toy& payload) {
  return {.job_id = job.id,
          .source_model_id = payload.model_ids.front(),
          .target = CompileTarget::kQnnContextBinary,
          .device = job.device};
}

}  // namespace slipway::hub::domain::kinds
