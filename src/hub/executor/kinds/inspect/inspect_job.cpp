#include "base/files.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/kinds/inspect/inspect.hpp"

namespace slipway::hub::executor {

using domain::kinds::Inspect;

void execute_kind(KindExecutor<Inspect> /*kind*/, const JobContext& job, const Inspect& /*payload*/,
                  domain::JobOutcome& outcome, Inspect::Result& result) {
  const auto& spec = job.spec;
  result.inspection = spec.models.empty() ? inspect_dataset(job.in(spec.dataset_file))
                                          : inspect_model(job.in(job.model().file), job.model().model.type, job.work());
  const domain::Inspection& found = *result.inspection;
  // On a full disk a finding says nothing about the upload.
  const base::Reason obstacle = base::obstacle_to_writing(job.work());
  if (!found.error.empty() && obstacle != base::Reason::kNone) {
    return fail_with(outcome,
                     failure_of(base::Error{base::code_of(obstacle), found.error, obstacle}, Step::kReadModel));
  }
  job.log(found.error.empty() ? fmt::format("found: {}", found.format)
                              : fmt::format("cannot be used: {}", found.error));
  outcome.succeeded = true;  // the finding is the result, a bad one too
}

}  // namespace slipway::hub::executor
