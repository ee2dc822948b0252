#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "runtime/provider.hpp"

namespace slipway::runtime {

/// Where the libraries are. Found by locate_libraries(); tests and workers may set them by hand.
struct LibraryPaths {
  std::filesystem::path onnxruntime;  ///< libonnxruntime.so.*, opened at run time
  std::filesystem::path qnn_folder;   ///< holds libonnxruntime_providers_qnn.so and libQnnHtp.so; may be empty
};

/// Finds the build of ONNX Runtime that carries the provider: a process opens one build, so it is chosen first.
///
/// First hit: $SLIPWAY_ONNXRUNTIME (a library or its folder) and $SLIPWAY_QNN (a folder), then the folder that the
/// build was configured with, then the places next to the executable (../lib/slipway). For openvino, which comes as a
/// build of its own, $SLIPWAY_OPENVINO before all of them, and .deps/openvino or ../lib/slipway/openvino.
/// @param provider  a row of provider_table()
/// @error kNotFound: no libonnxruntime anywhere; the message lists where it looked and says how to install it
[[nodiscard]] base::Result<LibraryPaths> locate_libraries(std::string_view provider = "cpu");

/// The one owner of ONNX Runtime in this process: opens the library, registers plug-in providers on first use, and
/// outlives every session (sessions hold a reference).
/// @thread all members are safe to call from any thread
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  /// @error kNotFound, kUnavailable: the library cannot be opened, or is older than ONNX Runtime 1.22
  [[nodiscard]] static base::Result<std::shared_ptr<Environment>> open(const LibraryPaths& paths);
  ~Environment();

  [[nodiscard]] std::string onnxruntime_version() const;  ///< "1.31.1", as the library says
  [[nodiscard]] std::optional<std::string> qairt_version()
      const;  ///< "2.50.40…", read from libQnnHtp; nothing without it
  [[nodiscard]] std::vector<ProviderStatus> providers() const;  ///< every row of the table, found at run time
  [[nodiscard]] const LibraryPaths& paths() const;

  struct State;  ///< ONNX Runtime's types, seen inside runtime/ only
  [[nodiscard]] State& state() const { return *state_; }

 private:
  explicit Environment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::runtime
