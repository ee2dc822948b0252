#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/placement.hpp"

namespace slipway::runtime {

/// One kernel of the executed graph, from ONNX Runtime's chrome trace. Kernels may be fusions of several nodes, and a
/// subgraph handed to a provider is one kernel.
struct KernelTimes {
  LayerPlacement placement;
  std::vector<double> times_us;  ///< one a run: the sum when a loop ran the kernel several times
};

struct Trace {
  std::vector<KernelTimes> kernels;  ///< in order of first execution
  int runs = 0;
};

/// Reads the trace that Session::end_profiling() wrote.
/// @error kNotFound, kInvalidArgument: no file, or not ONNX Runtime's trace
[[nodiscard]] base::Result<Trace> read_trace(const std::filesystem::path& path);

/// Placement as far as the executed kernels tell it.
[[nodiscard]] PlacementReport placement_of(const Trace& trace);

}  // namespace slipway::runtime
