#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/session.hpp"

namespace slipway::cli {

/// How a verb runs a model: provider, fallback, chip, threads.
struct SessionArguments {
  std::string provider = runtime::ProviderRequest().name;
  bool fallback = false;
  int soc = 0;
  int htp_arch = 0;
  int threads = 0;
  std::string precision = "float32";
  std::vector<std::string> provider_options;  ///< "key=value"

  void add_to(CLI::App& verb);

  /// @error kInvalidArgument: half a chip, or an option without '='
  [[nodiscard]] base::Result<runtime::SessionOptions> session_options() const;
};

/// Finds and opens the build of ONNX Runtime that carries the provider. A process opens one.
/// @error kUnavailable: it is not here (exit status 3)
[[nodiscard]] base::Result<runtime::LibraryPaths> find_libraries(std::string_view provider);
[[nodiscard]] base::Result<std::shared_ptr<runtime::Environment>> open_environment(
    std::string_view provider = runtime::ProviderRequest().name);

}  // namespace slipway::cli
