#pragma once

#include <optional>

#include "base/error.hpp"
#include "hub/domain/job.hpp"

namespace slipway::hub::domain {

/// Judges a submission by what holds for every kind and by the rules of its own.
/// @error kInvalidArgument, kFailedPrecondition, kUnimplemented: it is refused, in words
[[nodiscard]] base::Result<Verdict> judge(const JobPayload& payload, const JobFacts& facts);

/// What may run where, once the models of the job are there; nothing for the hub's own kinds.
/// @error kInvalidArgument, kUnimplemented: what is known now rules the job out, in words
[[nodiscard]] base::Result<std::optional<ExecutionPlan>> plan(const JobPayload& payload, const JobFacts& facts);

}  // namespace slipway::hub::domain
