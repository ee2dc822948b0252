#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/environment.hpp"
#include "runtime/onnxruntime.hpp"

namespace slipway::runtime {

/// What an Environment holds of ONNX Runtime. Internal to runtime/.
struct Environment::State {
  LibraryPaths paths;
  const OrtApiBase* base = nullptr;
  std::vector<std::string> carried;  ///< providers that this build of ONNX Runtime lists
  std::string qairt_version;         ///< empty without libQnnHtp

  std::mutex mutex;                                    ///< guards what follows
  std::optional<base::Result<void>> qnn_registration;  ///< outcome of the one attempt
  std::vector<std::string> log;                        ///< warnings outside any session, the latest kLogLimit

  static constexpr std::size_t kLogLimit = 100;

  Ort::Env env{nullptr};  ///< last, so that it goes first: it may log while it ends

  /// The devices that the QNN plug-in offers; registers it on first use.
  /// @error kUnavailable: no plug-in, or it does not load; the message says what to install
  [[nodiscard]] base::Result<std::vector<Ort::ConstEpDevice>> qnn_devices();
};

/// True where Qualcomm's HTP library is the emulator: everywhere but on the chip's own architecture.
[[nodiscard]] constexpr bool htp_is_emulated() {
#if defined(__aarch64__)
  return false;
#else
  return true;
#endif
}

inline constexpr std::string_view kQnnPlugin = "libonnxruntime_providers_qnn.so";
inline constexpr std::string_view kQnnHtpBackend = "libQnnHtp.so";

}  // namespace slipway::runtime
