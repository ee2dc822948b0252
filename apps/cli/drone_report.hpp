#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "pipelines/drone/pipeline.hpp"
#include "runtime/measured_time.hpp"

namespace slipway::cli {

// What `slipway drone` says of a frame, as JSON and as text.

/// @param detector, segmenter  where that network's times are taken
[[nodiscard]] nlohmann::ordered_json json_of(const pipelines::drone::Scene& scene,
                                             const std::vector<std::string>& labels,
                                             const runtime::TimeOrigin& detector, const runtime::TimeOrigin& segmenter);
[[nodiscard]] nlohmann::ordered_json json_of(const pipelines::drone::Fallback& fallback);
[[nodiscard]] std::string text_of(const pipelines::drone::Fallback& fallback);

/// One line an object.
[[nodiscard]] std::string text_of(const pipelines::drone::Scene& scene, const std::vector<std::string>& labels);

}  // namespace slipway::cli
