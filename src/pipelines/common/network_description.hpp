#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/session.hpp"

namespace slipway::pipelines {

/// What the file of a network says of itself in its metadata, as Ultralytics writes it.
struct NetworkDescription {
  std::string task;                ///< "detect", "segment", "pose", "obb", "classify"; empty: not said
  std::vector<std::string> names;  ///< of the classes, in order; empty: not said, or not in a form that is known
};

[[nodiscard]] NetworkDescription describe(const runtime::Session& session);

/// Names of classes out of `{0: 'person', 1: "bird's nest"}`, `{"0": "person"}` or `["person"]`. Empty for anything
/// else, numbers with a gap among it.
[[nodiscard]] std::vector<std::string> class_names_of(std::string_view text);

}  // namespace slipway::pipelines
