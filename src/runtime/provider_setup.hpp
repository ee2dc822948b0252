#pragma once

#include "runtime/environment_state.hpp"
#include "runtime/onnxruntime.hpp"
#include "runtime/provider.hpp"

namespace slipway::runtime {

/// A session in the making, as a provider's row sees it.
struct ProviderSetup {
  const ProviderRow& row;
  Environment::State& environment;
  const ProviderRequest& request;
  int threads;  ///< 0: the provider's choice
  Ort::SessionOptions& session_options;
};

/// True where Qualcomm's HTP library is the emulator: everywhere but on the chip's own architecture.
#if defined(__aarch64__)
inline constexpr bool kHtpIsEmulated = false;
#else
inline constexpr bool kHtpIsEmulated = true;
#endif

/// Whether this build of ONNX Runtime has the provider inside.
/// @error kUnavailable: it has not; the message says what is needed
[[nodiscard]] base::Result<void> check_available(const Environment::State& environment, const ProviderRow& row);

// Rows with more to say than their name: qnn.cpp, openvino.cpp.
[[nodiscard]] base::Result<void> configure_qnn(const ProviderSetup& setup);
[[nodiscard]] base::Result<std::string> find_qnn(const Environment& environment, const ProviderRow& row);
[[nodiscard]] base::Result<void> configure_openvino(const ProviderSetup& setup);

}  // namespace slipway::runtime
