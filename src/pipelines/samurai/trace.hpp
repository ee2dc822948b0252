#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"
#include "pipelines/samurai/track_rules.hpp"

namespace slipway::pipelines::samurai {

/// What the network said of one frame: all that the rules look at.
struct TraceFrame {
  std::int64_t frame = 0;             ///< 0 is the prompt's
  std::vector<Candidate> candidates;  ///< three, or one on the frame of a box prompt
  double object_score = 0;            ///< logit; above -1 the object is shown, above 0 its frame may be remembered
};

/// Reads `{"frames": [{"frame", "boxes": [[x0, y0, x1, y1] …], "ious": […], "object_score"} …]}`. Other keys are left
/// alone, so what `samurai --trace` wrote can be read. Frames follow one another and begin with 0 or 1.
/// @param name  what messages call it, e.g. the path
/// @error kInvalidArgument: anything else; the message names the frame and the key
/// @thread pure function
[[nodiscard]] base::Result<std::vector<TraceFrame>> read_trace(std::string_view text, std::string_view name);

/// Runs the rules alone over a trace. A trace that begins with frame 1 has a prompt on frame 0 that started no filter.
[[nodiscard]] std::vector<Decision> replay(const std::vector<TraceFrame>& frames, double motion_weight = kMotionWeight);

/// A frame's inputs and decisions: `frame`, `boxes`, `ious`, `object_score`.
[[nodiscard]] nlohmann::ordered_json json_of(const TraceFrame& frame);
/// `choice`, `kf_score`, `stable`, `mean`, `cov_diag`, `memory` [[slot, frame] …], `pointers` [[distance, frame] …];
/// null where there is no filter or motion took no part.
[[nodiscard]] nlohmann::ordered_json json_of(const Decision& decision);

}  // namespace slipway::pipelines::samurai
