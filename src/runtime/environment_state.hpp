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
  std::vector<std::string> available;  ///< providers that this build of ONNX Runtime lists

  std::once_flag qairt_version_read;
  std::string qairt_version;  ///< empty without libQnnHtp; read by Environment::qairt_version()

  std::mutex mutex;                                    ///< guards what follows
  std::optional<base::Result<void>> qnn_registration;  ///< outcome of the one attempt
  std::vector<std::string> log;                        ///< warnings outside any session, the latest kLogLimit

  static constexpr std::size_t kLogLimit = 100;

  Ort::Env env{nullptr};  ///< last, so that it goes first: it may log while it ends
};

inline constexpr std::string_view kQnnPlugin = "libonnxruntime_providers_qnn.so";
inline constexpr std::string_view kQnnHtpBackend = "libQnnHtp.so";

}  // namespace slipway::runtime
