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

class Environment;
struct ProviderSetup;  ///< a session in the making; seen inside runtime/ only

/// One row of the table of providers: what it is called, what it needs, what it promises, and how a session gets it.
struct ProviderRow {
  std::string_view name;                ///< the word users type
  std::string_view execution_provider;  ///< ONNX Runtime's name
  ComputeUnit unit;                     ///< where its nodes run
  std::string_view needs;               ///< what to install when it is missing
  /// Appends it to the options of a session.
  /// @error kInvalidArgument: a wrong request; kUnavailable: it is not on this machine
  base::Result<void> (*configure)(const ProviderSetup& setup);
  /// What is here of it: library and version; registers a plug-in.
  /// @error kUnavailable: what is missing and how to get it
  base::Result<std::string> (*find)(const Environment& environment, const ProviderRow& row);
  bool is_fallback = false;    ///< ONNX Runtime's own, which runs what the others refuse
  bool has_own_build = false;  ///< is in a build of ONNX Runtime that is not the others', hence in a process of its own
  bool is_plugin = false;      ///< registered from a library by path
  bool is_emulator = false;    ///< on this machine its nodes run on an emulator of the unit
  bool accepts_htp = false;    ///< compiles for the Hexagon chip that a request names
  bool accepts_bfloat16 = false;      ///< computes in Precision::kBfloat16 on request
  bool refuses_when_verbose = false;  ///< says why it refuses a node in its verbose lines only
};
[[nodiscard]] const std::vector<ProviderRow>& provider_table();

/// @error kInvalidArgument: no such provider; the message lists those that there are
[[nodiscard]] base::Result<const ProviderRow*> find_provider(std::string_view name);

/// Whether the provider's row says so: `provider_has("qnn", &ProviderRow::accepts_htp)`. False for a name that no
/// provider has.
[[nodiscard]] bool provider_has(std::string_view provider, bool ProviderRow::*property);

/// Whether what runs on this provider runs on an emulator, here.
[[nodiscard]] inline bool is_emulated(std::string_view provider) {
  return provider_has(provider, &ProviderRow::is_emulator);
}

/// The provider that compiles for Hexagon chips.
[[nodiscard]] const ProviderRow& htp_provider();

/// A provider as found on this machine.
struct ProviderStatus {
  ProviderRow row;
  bool available = false;
  std::string detail;  ///< library and version, or what is missing and how to get it
};

}  // namespace slipway::runtime
