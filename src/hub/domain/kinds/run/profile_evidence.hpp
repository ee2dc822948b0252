#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace slipway::hub::domain {

struct MemoryRange {
  std::uint64_t lower_bytes = 0, upper_bytes = 0;
};
struct PhaseProfile {
  std::vector<std::uint64_t> times_us;  ///< empty: not measured
  MemoryRange increase, peak;
};
struct LayerProfile {
  std::string name, op_type, provider;
  std::string unit;                      ///< "CPU", "GPU", "NPU"
  std::optional<std::uint64_t> time_us;  ///< lowest; absent where nothing was measured on a device
};
/// The evidence of a profile or inference run. A run that did not happen on a device carries no times.
struct ProfileEvidence {
  std::string machine;  ///< where it ran, e.g. "AMD EPYC, 2 threads"
  std::string provider;
  bool is_emulated = false;
  PhaseProfile compile, cold_load, warm_load, inference;
  std::uint64_t inference_median_us = 0;
  std::vector<LayerProfile> layers;  ///< slowest first
  std::string placement;             ///< "65 of 65 nodes on the NPU in 1 partition (HTP emulator)"
  bool stable = false;
  std::vector<std::pair<std::string, std::string>> runtime_config;
};

}  // namespace slipway::hub::domain
