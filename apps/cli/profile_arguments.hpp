#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/input_spec.hpp"
#include "apps/cli/loadable_model.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/session_arguments.hpp"
#include "runtime/profiling.hpp"

namespace slipway::cli {

/// What `profile` and `bench` share.
struct ProfileArguments {
  ModelArgument model;
  SessionArguments session;
  std::filesystem::path inputs;
  std::vector<std::string> input_specs;
  int iterations = 100;
  int warmup = 3;
  double seconds = 600;
  bool every_iteration = false;

  void add_to(CLI::App& verb);
};

/// What a line says of the files that were read: "model", and "input" (null: random ones).
[[nodiscard]] nlohmann::ordered_json json_of_files(const ProfileArguments& arguments);

/// The model to measure, converted where it must be.
[[nodiscard]] base::Result<LoadableModel> model_of(const ProfileArguments& arguments);

/// Measures, with a progress bar. Traces land in `work_folder`.
[[nodiscard]] base::Result<runtime::ProfileReport> measure(const ProfileArguments& arguments,
                                                           const LoadableModel& model,
                                                           const runtime::SessionOptions& session, bool statistics_only,
                                                           const std::filesystem::path& work_folder);

/// Prints warnings and missing phases to standard error. What is not whole is a partial result, with its exit status.
void say_what_is_missing(const runtime::ProfileReport& report, Context& context);

}  // namespace slipway::cli
