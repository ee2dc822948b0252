#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "pipelines/drone/pipeline.hpp"

namespace slipway::cli {

// What `slipway drone` says of a frame, as JSON and as text.

/// @param hides_detector, hides_segmenter  that network runs on an emulator, whose time is no device's
[[nodiscard]] nlohmann::ordered_json json_of(const pipelines::drone::Scene& scene,
                                             const std::vector<std::string>& labels, bool hides_detector,
                                             bool hides_segmenter);
[[nodiscard]] nlohmann::ordered_json json_of(const pipelines::drone::Fallback& fallback);
[[nodiscard]] std::string text_of(const pipelines::drone::Fallback& fallback);

/// One line an object.
[[nodiscard]] std::string text_of(const pipelines::drone::Scene& scene, const std::vector<std::string>& labels);

}  // namespace slipway::cli
