#include "runtime/placement.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/assignment.hpp"

namespace slipway::runtime {

int PlacementReport::node_count() const {
  return static_cast<int>(layers.size());
}

int PlacementReport::nodes_on(ComputeUnit unit) const {
  return static_cast<int>(std::ranges::count(layers, unit, &LayerPlacement::unit));
}

std::string PlacementReport::summary() const {
  if (layers.empty()) return "placement not recorded";
  const int accelerated = node_count() - nodes_on(ComputeUnit::kCpu);
  if (accelerated == 0 && partitions == 0) return fmt::format("{0} of {0} nodes on the CPU", node_count());
  // One accelerator a session: the unit that is not the CPU, or a provider of the CPU that takes whole subgraphs.
  ComputeUnit unit = ComputeUnit::kCpu;
  if (accelerated == 0) {
    constexpr std::string_view kSuffix = "ExecutionProvider";
    const auto accelerator =
        std::ranges::find_if(nodes_per_provider, [&](const auto& row) { return !is_fallback(row.first); });
    if (accelerator != nodes_per_provider.end()) {
      std::string_view name = accelerator->first;
      if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
      return fmt::format("{} of {} nodes on the CPU by {} in {} partition{}", accelerator->second, node_count(), name,
                         partitions, partitions == 1 ? "" : "s");
    }
  }
  for (const ComputeUnit candidate : {ComputeUnit::kNpu, ComputeUnit::kGpu}) {
    if (nodes_on(candidate) > 0) unit = candidate;
  }
  return fmt::format("{} of {} nodes on the {} in {} partition{}{}", nodes_on(unit), node_count(),
                     compute_unit_name(unit), partitions, partitions == 1 ? "" : "s",
                     is_emulated ? " (HTP emulator)" : "");
}

}  // namespace slipway::runtime
