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
struct RunPlace {
  std::string machine;  ///< "AMD EPYC, 2 threads"
  std::string provider;
  bool is_emulated = false;
};
/// Times and memory of a run, by phase.
struct RunFigures {
  PhaseProfile compile, cold_load, warm_load, inference;
  std::uint64_t inference_median_us = 0;
  bool stable = false;
};

/// The evidence of a profile or inference run. It knows where the run was: what an emulator took is not kept, whoever
/// hands it in, so that nothing can store, send or show it.
class ProfileEvidence {
 public:
  ProfileEvidence() = default;
  explicit ProfileEvidence(RunPlace place) : place_(std::move(place)) {}

  [[nodiscard]] const RunPlace& place() const { return place_; }

  void set_figures(RunFigures figures) { figures_ = place_.is_emulated ? RunFigures{} : std::move(figures); }
  /// Empty when the run was emulated.
  [[nodiscard]] const RunFigures& figures() const { return figures_; }

  void set_layers(std::vector<LayerProfile> layers) {
    layers_ = std::move(layers);
    if (!place_.is_emulated) return;
    for (LayerProfile& layer : layers_) layer.time_us.reset();
  }
  /// Slowest first.
  [[nodiscard]] const std::vector<LayerProfile>& layers() const { return layers_; }

  std::string placement;  ///< "65 of 65 nodes on the NPU in 1 partition (HTP emulator)"
  std::vector<std::pair<std::string, std::string>> runtime_config;

 private:
  RunPlace place_;
  RunFigures figures_;
  std::vector<LayerProfile> layers_;
};

}  // namespace slipway::hub::domain
