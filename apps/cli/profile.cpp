#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/profile_arguments.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using runtime::LayerTime;
using runtime::PhaseMeasurement;
using runtime::ProfileReport;

constexpr std::size_t kLayersShown = 15;

ordered_json json_of_report(const ProfileReport& report, const ProfileArguments& arguments, const fs::path& trace) {
  ordered_json layers = ordered_json::array();
  for (const LayerTime& layer : report.layers) {
    ordered_json row = {{"name", layer.placement.name},
                        {"type", layer.placement.op_type},
                        {"provider", layer.placement.provider},
                        {"unit", runtime::compute_unit_name(layer.placement.unit)}};
    if (layer.median_us) row["median_us"] = *layer.median_us;
    if (layer.lowest_us) row["lowest_us"] = *layer.lowest_us;
    layers.push_back(std::move(row));
  }
  ordered_json made = json_of_files(arguments);
  made["output"] = trace.empty() ? ordered_json() : ordered_json(trace.string());
  made.update({{"machine", report.machine},
               {"provider", report.provider},
               {"is_emulated", report.is_emulated},
               {"onnxruntime_version", report.onnxruntime_version},
               {"placement", json_of(report.placement)}});
  if (!report.is_emulated) {
    made["cold_load"] = json_of(report.cold_load);
    made["warm_load"] = json_of(report.warm_load);
    made["inference"] = json_of(report.inference);
    made["statistics"] = json_of(runtime::MeasuredStatistics{report.inference_statistics, origin_of(report)});
    made["stable"] = report.stable;
  }
  made["layers"] = layers;
  made["chrome_trace"] = trace.string();
  made["warnings"] = report.warnings;
  if (!report.missing.empty()) {
    ordered_json& missing = made["missing"] = ordered_json::array();
    for (const runtime::MissingPhase& phase : report.missing) {
      missing.push_back({{"phase", phase.name}, {"reason", phase.reason.message}});
    }
  }
  return made;
}

std::string phases_table(const ProfileReport& report) {
  Table table({{"phase"}, {"median", Align::kRight}, {"memory grows by", Align::kRight}, {"peak", Align::kRight}});
  const auto add = [&](const char* name, const PhaseMeasurement& phase) {
    if (phase.times_us.empty()) return table.add({name, "-", "-", "-"});
    table.add({name, time_text({runtime::statistics_of(phase.times_us).median_us, origin_of(report)}),
               bytes_text(phase.increase.upper_bytes), bytes_text(phase.peak.upper_bytes)});
  };
  add("cold load", report.cold_load);
  add("warm load", report.warm_load);
  add("inference", report.inference);
  return table.text();
}

std::string layers_table(const ProfileReport& report) {
  double total = 0;
  for (const LayerTime& layer : report.layers) total += layer.median_us.value_or(0);
  Table table({{"layer"}, {"type"}, {"unit"}, {"median", Align::kRight}, {"share", Align::kRight}});
  for (std::size_t i = 0; i < std::min(report.layers.size(), kLayersShown); ++i) {
    const LayerTime& layer = report.layers[i];
    table.add({layer.placement.name, layer.placement.op_type,
               std::string(runtime::compute_unit_name(layer.placement.unit)),
               layer.median_us ? time_text({*layer.median_us, origin_of(report)}) : "-",
               layer.median_us && total > 0 ? fmt::format("{:.1f} %", *layer.median_us / total * 100) : "-"});
  }
  std::string text = table.text();
  if (report.layers.size() > kLayersShown)
    text += fmt::format("… and {} more (--json has all)\n", report.layers.size() - kLayersShown);
  return text;
}

std::string text_of(const ProfileReport& report, const fs::path& trace) {
  std::string out = fmt::format("{}\n{} on {}, ONNX Runtime {}\n{}\n", heading("Placement"), report.provider,
                                report.machine, report.onnxruntime_version, report.placement.summary());
  if (report.is_emulated) {
    out += kEmulatorNote;
  } else {
    out +=
        fmt::format("\n{}\n{}\n{}\n{}{}\n", heading("Phases, each in a process of its own"), phases_table(report),
                    heading("Inference"), statistics_table({report.inference_statistics, origin_of(report)}),
                    report.stable ? "stable: median within 1 %" : "not stable: the median may move by more than 1 %");
  }
  out += fmt::format("\n{}\n{}", heading(report.is_emulated ? "Layers" : "Slowest layers"), layers_table(report));
  if (!trace.empty())
    out += fmt::format("\ntrace written to {} (open it in a Chromium browser's about:tracing)\n", trace.string());
  return out;
}

/// Puts the trace where the user wants it.
base::Result<fs::path> store_trace(const ProfileReport& report, const fs::path& wanted) {
  if (wanted.empty() || report.chrome_trace.empty()) return fs::path();
  SLIPWAY_TRY(base::move_into_place(report.chrome_trace, wanted));
  return wanted;
}

base::Result<void> profile(const ProfileArguments& arguments, const runtime::SessionOptions& options,
                           const fs::path& trace, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_TRY(context.check_outputs({arguments.model.path, arguments.inputs}, {{.option = "--output", .path = trace}}));
  SLIPWAY_ASSIGN(const base::TemporaryFolder folder, base::TemporaryFolder::create("slipway-profile"));
  SLIPWAY_ASSIGN(const SeekableInput inputs, SeekableInput::of(arguments.inputs));
  ProfileArguments seekable = arguments;
  seekable.inputs = inputs.path();
  SLIPWAY_ASSIGN(const LoadableModel model, model_of(arguments));
  SLIPWAY_ASSIGN(const ProfileReport report, measure(seekable, model, options, false, folder.path()));
  SLIPWAY_ASSIGN(const fs::path stored, store_trace(report, trace));
  context.print(text_of(report, stored));
  say_what_is_missing(report, context);
  ordered_json made = json_of_report(report, arguments, stored);
  model.add_to(made);
  return context.emit("profile/1", made);
}

}  // namespace

void add_profile(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("profile", "Measure load, inference, memory and layers of a model");
  auto arguments = std::make_shared<ProfileArguments>();
  auto trace = std::make_shared<fs::path>();
  arguments->add_to(*verb);
  verb->add_option("-o,--output,--trace", *trace, "Keep the chrome trace in this file");
  context.add_output_options(*verb);
  verb->callback([arguments, trace, &context] {
    const auto options = arguments->session.settled_options(arguments->model, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(profile(*arguments, *options, *trace, context));
  });
}

}  // namespace slipway::cli
