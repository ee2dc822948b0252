#pragma once

#include <vector>

#include "hub/domain/job.hpp"

namespace slipway::hub::domain {

/// All content that a stored row speaks of, also within its outcome; derived from what is stored of it, so that a new
/// field needs no word here. Stores tell from it what may go.
[[nodiscard]] std::vector<Blob> content_of(const Model& model);
[[nodiscard]] std::vector<Blob> content_of(const Dataset& dataset);
[[nodiscard]] std::vector<Blob> content_of(const Job& job);
[[nodiscard]] std::vector<Blob> content_of(const JobOutcome& outcome);

}  // namespace slipway::hub::domain
