#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "runtime/placement.hpp"

namespace slipway::hub::executor {

/// The companion under which a model compiled for an NPU keeps its placement.
inline constexpr const char* kPlacementCompanion = "placement";

/// Where the compiler placed each node, as JSON ("slipway-placement/1"). A compiled graph is one opaque node to ONNX
/// Runtime, so this is the only account of its layers.
[[nodiscard]] std::string placement_document(const runtime::PlacementReport& placement);

/// @error kInvalidArgument: not such a document
[[nodiscard]] base::Result<runtime::PlacementReport> placement_from_document(std::string_view text);

}  // namespace slipway::hub::executor
