#include "apps/cli/profile_arguments.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/progress_bar.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {

void ProfileArguments::add_to(CLI::App& verb) {
  model.add_to(verb);
  verb.add_option("-i,--inputs", inputs, "An .npz with an array for every input; otherwise random ones");
  verb.add_option("-n,--iterations", iterations, "At most so many timed runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_option("--warmup", warmup, "Runs before the first timed one")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.add_option("--max-seconds", seconds,
                  "Time for all runs together, those that warm up and time layers too; loads come on top")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_flag("--all-iterations", every_iteration,
                "Do not stop early when the median is known within 1 % (95 % confidence)");
  add_input_spec_option(verb, input_specs);
  session.add_to(verb);
}

nlohmann::ordered_json json_of_files(const ProfileArguments& arguments) {
  using nlohmann::ordered_json;
  return {{"model", arguments.model.path.string()},
          {"input", arguments.inputs.empty() ? ordered_json() : ordered_json(arguments.inputs.string())}};
}

base::Result<LoadableModel> model_of(const ProfileArguments& arguments) {
  SLIPWAY_ASSIGN(const std::filesystem::path file, arguments.model.file());
  SLIPWAY_ASSIGN(const auto specs, parse_input_specs(arguments.input_specs));
  return LoadableModel::of(file, specs);
}

base::Result<runtime::ProfileReport> measure(const ProfileArguments& arguments, const LoadableModel& model,
                                             const runtime::SessionOptions& session, bool statistics_only,
                                             const std::filesystem::path& work_folder) {
  SLIPWAY_ASSIGN(const runtime::LibraryPaths libraries, find_libraries(session.provider.name));
  runtime::ProfileOptions options;
  options.session = session;
  options.max_iterations = arguments.iterations;
  options.warmup_iterations = arguments.warmup;
  options.max_time = std::chrono::milliseconds(std::llround(std::ceil(arguments.seconds * 1000)));
  options.stop_when_stable = !arguments.every_iteration;
  options.measure_phases = !statistics_only;
  options.profile_layers = !statistics_only;
  options.inputs_advice = "give some with --inputs FILE.npz";
  options.work_folder = work_folder;
  tensor::NamedTensors inputs;
  if (!arguments.inputs.empty()) {
    SLIPWAY_ASSIGN(inputs, tensor::read_npz(arguments.inputs));
  }
  ProgressBar bar;
  return runtime::profile(
      libraries, model.onnx(), arguments.inputs.empty() ? nullptr : &inputs, options,
      [&bar](std::string_view phase, std::int64_t done, std::int64_t total) { bar.update(phase, done, total); });
}

void say_what_is_missing(const runtime::ProfileReport& report, Context& context) {
  for (const std::string& warning : report.warnings) fmt::print(stderr, "{}\n", warning);
  for (const runtime::MissingPhase& phase : report.missing) {
    fmt::print(stderr, "partial: {} could not be measured: {}\n", phase.name, phase.reason.message);
  }
  if (!report.missing.empty()) context.set_exit_status(kFailed);
}

}  // namespace slipway::cli
