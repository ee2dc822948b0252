#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/profile_arguments.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"

namespace slipway::cli {
namespace {

base::Result<void> bench(const ProfileArguments& arguments, const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_TRY(context.check_outputs({arguments.model.path, arguments.inputs}, {}));
  SLIPWAY_ASSIGN(const base::TemporaryFolder folder, base::TemporaryFolder::create("slipway-bench"));
  SLIPWAY_ASSIGN(const SeekableInput inputs, SeekableInput::of(arguments.inputs));
  ProfileArguments seekable = arguments;
  seekable.inputs = inputs.path();
  SLIPWAY_ASSIGN(const LoadableModel model, model_of(arguments));
  SLIPWAY_ASSIGN(const runtime::ProfileReport report, measure(seekable, model, options, true, folder.path()));
  if (report.is_emulated) {
    return base::fail(base::Code::kUnavailable,
                      "{} runs here on Qualcomm's HTP emulator ({}): its times are no device's, so there is nothing to "
                      "measure. Bench on a machine with the chip",
                      report.provider, report.placement.summary());
  }
  const runtime::MeasuredStatistics statistics(report.inference_statistics, origin_of(report));
  context.print(
      statistics_table(statistics) +
      fmt::format("\n{} on {}, ONNX Runtime {}; {}\n", report.provider, report.machine, report.onnxruntime_version,
                  report.stable ? "stable: median within 1 %" : "not stable: the median may move by more than 1 %"));
  say_what_is_missing(report, context);
  nlohmann::ordered_json made = json_of_files(arguments);
  made.update({{"machine", report.machine},
               {"provider", report.provider},
               {"onnxruntime_version", report.onnxruntime_version},
               {"placement", json_of(report.placement)},
               {"stable", report.stable},
               {"statistics", json_of(statistics)},
               {"times_us", report.inference.times_us}});
  model.add_to(made);
  return context.emit("bench/1", made);
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("bench", "Measure inference: statistics only");
  auto arguments = std::make_shared<ProfileArguments>();
  arguments->add_to(*verb);
  context.add_output_options(*verb);
  verb->callback([arguments, &context] {
    const auto options = arguments->session.settled_options(arguments->model, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(bench(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
