#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/provider.hpp"

namespace slipway::runtime {

/// Where one node of the graph ran, or will run.
struct LayerPlacement {
  std::string name;
  std::string op_type;
  std::string provider;  ///< ONNX Runtime's name, e.g. QNNExecutionProvider
  ComputeUnit unit = ComputeUnit::kCpu;
};

/// e.g. 1382 of 1633 nodes on the NPU in 27 partitions.
struct PlacementReport {
  std::vector<LayerPlacement> layers;  ///< in graph order where known
  std::map<std::string, int> nodes_per_provider;
  int partitions = 0;        ///< subgraphs handed to the non-CPU provider
  bool is_emulated = false;  ///< the NPU nodes run on the HTP emulator

  [[nodiscard]] int node_count() const;
  [[nodiscard]] int nodes_on(ComputeUnit unit) const;
  /// "65 of 65 nodes on the NPU in 1 partition (HTP emulator)"
  [[nodiscard]] std::string summary() const;
};

}  // namespace slipway::runtime
