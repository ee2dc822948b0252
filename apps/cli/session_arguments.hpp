#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/model_argument.hpp"
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

  /// Measures which provider runs the models fastest where `auto` was asked for, or takes what was measured before, and
  /// puts it and its threads in place; says so on standard error and in the verb's first result. Nothing otherwise.
  /// @param models  .onnx files, or folders of them, that run together
  /// @error as runtime::choose_provider
  [[nodiscard]] base::Result<void> settle(const std::vector<std::filesystem::path>& models, Context& context);

  /// Both in one.
  [[nodiscard]] base::Result<runtime::SessionOptions> settled_options(const std::vector<std::filesystem::path>& models,
                                                                      Context& context);
  [[nodiscard]] base::Result<runtime::SessionOptions> settled_options(const ModelArgument& model, Context& context);

  /// @error kInvalidArgument: half a chip, or an option without '='
  [[nodiscard]] base::Result<runtime::SessionOptions> session_options() const;
};

/// Ends a verb whose options were refused: as wrong use, or where a provider could not be measured as any failure.
void finish_refused(Context& context, const base::Error& error);

/// Finds and opens the build of ONNX Runtime that carries the provider. A process opens one.
/// @error kUnavailable: it is not here (exit status 3)
[[nodiscard]] base::Result<runtime::LibraryPaths> find_libraries(std::string_view provider);
[[nodiscard]] base::Result<std::shared_ptr<runtime::Environment>> open_environment(
    std::string_view provider = runtime::ProviderRequest().name);

}  // namespace slipway::cli
