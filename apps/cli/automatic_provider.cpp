#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/progress_bar.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "base/files.hpp"
#include "runtime/automatic_choice.hpp"
#include "runtime/measured_time.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// The files that are measured: of a folder all its graphs.
base::Result<std::vector<fs::path>> graphs_of(const std::vector<fs::path>& models) {
  std::vector<fs::path> graphs;
  for (const fs::path& model : models) {
    if (model.empty()) continue;
    std::error_code error;
    if (!fs::exists(model, error)) {
      return base::fail(base::Code::kNotFound, "{}: there is no such model", model.string());
    }
    std::vector<fs::path> found;
    if (fs::is_directory(model, error)) {
      for (const auto& entry : fs::directory_iterator(model, error)) {
        if (entry.path().extension() == ".onnx") found.push_back(entry.path());
      }
      std::ranges::sort(found);
    } else if (model.extension() == ".onnx") {
      found = {model};
    }
    if (found.empty()) {
      return base::fail(base::Code::kInvalidArgument,
                        "--provider auto measures .onnx files and folders of them; {} is neither: convert it first, or "
                        "name a provider",
                        model.string());
    }
    graphs.insert(graphs.end(), found.begin(), found.end());
  }
  return graphs;
}

std::string words_of(const runtime::Candidate& candidate) {
  return candidate.threads == 0 ? candidate.provider
                                : fmt::format("{}, {}", candidate.provider, counted(candidate.threads, "thread"));
}

std::string text_of(const runtime::AutomaticChoice& choice) {
  std::vector<std::string> parts;
  for (const runtime::CandidateMeasurement& each : choice.candidates) {
    const runtime::TimeOrigin origin = runtime::TimeOrigin::of(each.candidate.provider, false);
    const std::string time =
        each.median_us ? time_text(runtime::MeasuredTime(*each.median_us, origin)) : std::string("not run");
    parts.push_back(fmt::format("{} {}{}", words_of(each.candidate), time,
                                each.median_us && !each.refusal.empty() ? " (" + each.refusal + ")" : ""));
  }
  return fmt::format("provider auto: {}; {} {} of {}, outputs within {:g} of the CPU's{}{}", words_of(choice.chosen),
                     choice.was_kept ? "kept of" : "measured", choice.measured_at, fmt::join(parts, "; "),
                     choice.tolerance, choice.file.empty() ? "" : "; in " + choice.file.string(),
                     choice.note.empty() ? "" : "; " + choice.note);
}

ordered_json json_of(const runtime::AutomaticChoice& choice) {
  ordered_json candidates = ordered_json::array();
  for (const runtime::CandidateMeasurement& each : choice.candidates) {
    candidates.push_back({{"provider", each.candidate.provider},
                          {"threads", each.candidate.threads},
                          {"median_us", each.median_us ? ordered_json(*each.median_us) : ordered_json()},
                          {"difference", each.difference ? ordered_json(*each.difference) : ordered_json()},
                          {"refusal", each.refusal.empty() ? ordered_json() : ordered_json(each.refusal)}});
  }
  return {{"provider", choice.chosen.provider},
          {"threads", choice.chosen.threads},
          {"was_kept", choice.was_kept},
          {"measured_at", choice.measured_at},
          {"tolerance", choice.tolerance},
          {"file", choice.file.empty() ? ordered_json() : ordered_json(choice.file.string())},
          {"note", choice.note.empty() ? ordered_json() : ordered_json(choice.note)},
          {"candidates", candidates}};
}

}  // namespace

base::Result<void> SessionArguments::settle(const std::vector<fs::path>& models, Context& context) {
  if (provider != runtime::kAutomatic) return {};
  runtime::AutomaticRequest request;
  SLIPWAY_ASSIGN(request.models, graphs_of(models));
  // All but the provider, which is not known yet: bf16 is asked of those that have it.
  SessionArguments rest = *this;
  rest.provider = runtime::ProviderRequest().name;
  rest.precision = "float32";
  SLIPWAY_ASSIGN(request.session, rest.session_options());
  if (precision == "bf16") request.session.provider.precision = runtime::Precision::kBfloat16;
  request.cache_folder = runtime::default_choice_folder();
  request.program_version = SLIPWAY_VERSION;
  std::optional<ProgressBar> bar;
  std::int64_t done = 0;
  if (!context.is_quiet()) bar.emplace();
  request.progress = [&bar, &done](const runtime::Candidate& candidate) {
    if (bar) bar->update(fmt::format("measuring {}", words_of(candidate)), done++, 0);
  };
  SLIPWAY_ASSIGN(const base::TemporaryFolder folder, base::TemporaryFolder::create("slipway-auto"));
  SLIPWAY_ASSIGN(const runtime::AutomaticChoice choice,
                 runtime::choose_provider(request, runtime::measure_in_process(request, folder.path())));
  bar.reset();
  provider = choice.chosen.provider;
  threads = choice.chosen.threads;
  if (!context.is_quiet() || !choice.note.empty()) fmt::print(stderr, "{}\n", text_of(choice));
  context.add_to_first_result("provider_choice", json_of(choice));
  return {};
}

base::Result<runtime::SessionOptions> SessionArguments::settled_options(const std::vector<fs::path>& models,
                                                                        Context& context) {
  SLIPWAY_TRY(settle(models, context));
  return session_options();
}

base::Result<runtime::SessionOptions> SessionArguments::settled_options(const ModelArgument& model, Context& context) {
  if (provider == runtime::kAutomatic) {
    SLIPWAY_ASSIGN(const fs::path file, model.file());
    SLIPWAY_TRY(settle({file}, context));
  }
  return session_options();
}

void finish_refused(Context& context, const base::Error& error) {
  if (error.code == base::Code::kInvalidArgument) return context.finish_wrong_use(error);
  context.finish(std::unexpected(error));
}

}  // namespace slipway::cli
