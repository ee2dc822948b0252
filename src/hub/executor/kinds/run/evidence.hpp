#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hub/domain/job.hpp"
#include "runtime/profiling.hpp"

namespace slipway::hub::executor {

/// The memory of this process at a moment, from /proc.
struct MemoryBefore {
  MemoryBefore();
  std::uint64_t resident_bytes = 0;
};

/// A measurement as the hub keeps it. An emulated one carries no times.
[[nodiscard]] domain::ProfileEvidence evidence_of(const runtime::ProfileReport& report);

/// Puts the layers of a compiled graph in place of the one node that ONNX Runtime sees. They carry no times of their
/// own.
void show_compiled_layers(const runtime::PlacementReport& compiled, domain::ProfileEvidence& evidence);

/// A plain run without a profile: the time of each sample and the memory of this process.
/// @param plan  an emulated run carries no times, whatever the plan says
[[nodiscard]] domain::ProfileEvidence evidence_of_run(const runtime::PlacementReport& placement,
                                                      const std::string& provider, domain::Figures plan,
                                                      const std::vector<std::uint64_t>& times_us,
                                                      const MemoryBefore& before);

}  // namespace slipway::hub::executor
