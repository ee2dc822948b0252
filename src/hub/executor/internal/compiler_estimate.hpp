#pragma once

#include "compile/compile.hpp"
#include "hub/executor/internal/job.hpp"

namespace slipway::hub::executor {

/// Puts what Qualcomm's compiler says of its own result (latency estimate with bounds, memory traffic) into the outcome
/// and into an artifact, labelled as the compiler's estimate. It never becomes an execution time.
void add_compiler_estimate(const JobContext& job, const compile::CompileResult& result,
                           domain::CompilerAccount& account, domain::JobOutcome& outcome);

}  // namespace slipway::hub::executor
