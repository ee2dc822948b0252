#pragma once

#include <optional>

#include "runtime/onnxruntime.hpp"
#include "runtime/placement.hpp"

namespace slipway::runtime {

/// Session config entry that makes ONNX Runtime remember which provider took which node.
inline constexpr const char* kRecordAssignment = "session.record_ep_graph_assignment_info";

/// The domain of nodes that ONNX Runtime rewrote for a provider's layout.
inline constexpr std::string_view kLayoutDomain = "com.ms.internal.nhwc";

/// True when the opened library can tell node by node (ONNX Runtime 1.24 and later).
[[nodiscard]] bool can_read_assignment(const OrtApiBase& base);

/// Which provider took which node, as ONNX Runtime itself recorded it when it split the graph: after its basic
/// optimisations (so folded constants are gone, and Transposes it inserted for a provider's layout are there), before
/// kernels are fused. Nodes that were renamed for a layout carry their names of the model.
/// @error kInternal: ONNX Runtime's own message
/// @pre can_read_assignment, and the session was made with kRecordAssignment
[[nodiscard]] base::Result<PlacementReport> read_assignment(const OrtApiBase& base, const Ort::Session& session);

/// The unit that a provider's nodes run on; an unknown one counts as the CPU.
[[nodiscard]] ComputeUnit unit_of_provider(std::string_view execution_provider);

/// Whether it is ONNX Runtime's own provider, which runs what the others refuse.
[[nodiscard]] bool is_fallback(std::string_view execution_provider);

/// "conv_token_1" -> "conv": ONNX Runtime's suffix for nodes it rewrote for a layout.
[[nodiscard]] std::string name_in_model(std::string_view name, std::string_view domain);

}  // namespace slipway::runtime
