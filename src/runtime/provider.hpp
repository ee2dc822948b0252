#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace slipway::runtime {

/// The unit of a chip that runs a node.
enum class ComputeUnit { kCpu, kGpu, kNpu };
[[nodiscard]] std::string_view compute_unit_name(ComputeUnit unit);  ///< "CPU", "GPU", "NPU"

/// Whether nodes that the chosen provider refuses may run on the CPU. Never a surprise: it is asked for.
enum class Fallback { kForbid, kAllow };

/// A Hexagon chip that the QNN provider compiles for.
struct HtpTarget {
  int soc_model = 0;  ///< Qualcomm's id, e.g. 57 for SM8650
  int htp_arch = 0;   ///< 68, 69, 73, 75, 79, 81 …
  friend bool operator==(const HtpTarget&, const HtpTarget&) = default;
};

/// What a float32 model is computed in. Inputs and outputs stay float32.
enum class Precision {
  kFloat32,
  kBfloat16,  ///< openvino only: about three digits, half the time
};

/// What a session is asked to run on.
struct ProviderRequest {
  std::string name = "cpu";                    ///< a row of provider_table()
  std::map<std::string, std::string> options;  ///< the provider's own option names
  std::optional<HtpTarget> htp;                ///< qnn only; without it the provider's own default
  Precision precision = Precision::kFloat32;
};

/// One row of the table of providers.
struct ProviderRow {
  std::string_view name;                ///< the word users type
  std::string_view execution_provider;  ///< ONNX Runtime's name
  ComputeUnit unit;                     ///< where its nodes run
  bool is_plugin;                       ///< registered from a library by path
  std::string_view needs;               ///< what to install when it is missing
};
[[nodiscard]] const std::vector<ProviderRow>& provider_table();

/// A provider as found on this machine.
struct ProviderStatus {
  ProviderRow row;
  bool available = false;
  bool is_emulator = false;  ///< qnn on x86: Qualcomm's HTP emulator, not a chip
  std::string detail;        ///< library and version, or what is missing and how to get it
};

}  // namespace slipway::runtime
