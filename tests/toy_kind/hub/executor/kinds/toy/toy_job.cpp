#include "base/files.hpp"
#include "hub/executor/internal/job.hpp"

namespace slipway::hub::executor {

using domain::kinds::Toy;

void execute_kind(KindExecutor<Toy> /*kind*/, const JobContext& job, const Toy& /*payload*/,
                  domain::JobOutcome& outcome, Toy::Result& result) {
  std::string joined;
  for (const auto& input : job.spec.models) {
    const auto bytes = base::read_file(job.in(input.file), 1 << 20);
    if (!bytes) return fail_with(outcome, failure_of(bytes.error(), Step::kReadModel));
    joined += *bytes;
  }
  result.target_file = "joined.bin";
  result.byte_count = joined.size();
  const auto written = base::write_file_durably(job.out() / result.target_file, joined);
  if (!written) return fail_with(outcome, failure_of(written.error(), Step::kWrite));
  outcome.succeeded = true;
}

}  // namespace slipway::hub::executor
