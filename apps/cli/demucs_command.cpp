#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/demucs/plot.hpp"
#include "pipelines/demucs/raw_chunks.hpp"
#include "pipelines/demucs/separate.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace demucs = pipelines::demucs;
using base::Code;
using nlohmann::ordered_json;

/// What `demucs`, `demucs preprocess` and `demucs postprocess` take; each uses its part.
struct DemucsArguments {
  fs::path song;
  fs::path model;
  fs::path output;
  SessionArguments session;
  double overlap = -1;
  int shifts = 0;
  std::uint64_t seed = 0;
  std::string mode = "sequential";
  int batch = 50;
  int parallel = 1;
  std::string two_stems;
  std::string format = "wav";
  std::string bits;
  std::int64_t segment_samples = 0;
  fs::path chunks;
  fs::path raw_file;
  fs::path spectrogram_file;
  bool plot = false;

  void add_encoding_to(CLI::App& verb) {
    verb.add_option("--two-stems", two_stems, "Write this stem and the sum of all others, no_STEM");
    verb.add_option("--format", format, "Of the stems")->check(CLI::IsMember({"wav", "flac"}))->capture_default_str();
    verb.add_option("--bits", bits, "Bits of a sample: 16, 24, float (WAV's default); FLAC's default is 24")
        ->check(CLI::IsMember({"16", "24", "float"}));
    verb.add_flag("--plot", plot, "Draw each stem's waveform and spectrogram into STEM.png");
  }

  [[nodiscard]] base::Result<media::AudioEncoding> encoding() const {
    if (format == "flac") {
      if (bits == "float")
        return base::fail(Code::kInvalidArgument, "--bits float: FLAC holds 16 or 24 bits; use --format wav");
      return bits == "16" ? media::AudioEncoding::kFlac16 : media::AudioEncoding::kFlac24;
    }
    if (bits == "16") return media::AudioEncoding::kWav16;
    return bits == "24" ? media::AudioEncoding::kWav24 : media::AudioEncoding::kWavFloat;
  }
};

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& each : warnings) fmt::print(stderr, "warning: {}\n", each);
}

ordered_json stems_json(const std::vector<demucs::WrittenStem>& stems) {
  ordered_json list = ordered_json::array();
  for (const auto& stem : stems) {
    list.push_back({{"name", stem.name}, {"file", stem.file.string()}, {"samples_over_full_scale", stem.samples_over}});
    if (!stem.image.empty()) list.back()["picture"] = stem.image.string();
  }
  return list;
}

std::string table_of_stems(const std::vector<demucs::WrittenStem>& stems, bool is_clamped) {
  Table table({{"stem"}, {"file"}, {is_clamped ? "clamped" : "over full scale", Align::kRight}});
  for (const auto& stem : stems) {
    table.add({stem.name, stem.file.string(), count_text(stem.samples_over)});
    if (!stem.image.empty()) table.add({"", stem.image.string(), ""});
  }
  return table.text();
}

base::Result<std::unique_ptr<demucs::Network>> load_network(const fs::path& model, const DemucsArguments& arguments,
                                                            const runtime::SessionOptions& session) {
  SLIPWAY_ASSIGN(const auto folder, pipelines::ModelFolder::open(model));
  SLIPWAY_ASSIGN(const auto environment, open_environment(session.provider.name));
  demucs::NetworkOptions options;
  options.session = session;
  options.threads = arguments.session.threads;
  options.parallel_segments = arguments.parallel;
  return demucs::Network::load(environment, folder, options);
}

PlannedOutput folder_of_stems(const DemucsArguments& arguments) {
  return {.option = "--output", .path = arguments.output, .is_folder = true};
}

/// The folder, and a file and perhaps an image for each stem.
std::vector<PlannedOutput> planned_stems(const DemucsArguments& arguments, const std::vector<std::string>& names,
                                         media::AudioEncoding encoding) {
  std::vector<PlannedOutput> planned = {folder_of_stems(arguments)};
  for (const std::string& name : names) {
    const fs::path stem = arguments.output / name;
    planned.push_back(
        {.option = "--output", .path = fs::path(stem) += media::audio_extension(encoding), .is_named = false});
    if (arguments.plot) {
      planned.push_back({.option = "--output", .path = fs::path(stem) += ".png", .is_named = false});
    }
  }
  return planned;
}

double song_seconds_of(const demucs::SeparationReport& report) {
  return static_cast<double>(report.frames) / report.sample_rate;
}

/// How fast a song was separated, for people.
std::string pace_of(const demucs::SeparationReport& report, double load_seconds) {
  const double song_seconds = song_seconds_of(report);
  return fmt::format(
      "{:.1f} s of sound in {:.2f} s ({:.3f} of real time): network {:.2f}, STFT and overlap-add "
      "{:.2f}, reading {:.2f}, writing {:.2f}; loading the model {:.2f}\n",
      song_seconds, report.total_seconds, report.total_seconds / song_seconds, report.network_seconds,
      report.stft_seconds + report.istft_seconds + report.overlap_add_seconds,
      report.measure_seconds + report.read_seconds, report.write_seconds, load_seconds);
}

base::Result<void> separate(const DemucsArguments& arguments, const runtime::SessionOptions& session,
                            media::AudioEncoding encoding, Context& context) {
  context.reserve_standard_output();
  // What the stems are called is known when the network is; the rest is looked at before it is opened.
  SLIPWAY_TRY(context.check_outputs({arguments.song, arguments.model}, {folder_of_stems(arguments)}));
  const auto started = std::chrono::steady_clock::now();
  SLIPWAY_ASSIGN(const SeekableInput model, SeekableInput::of(arguments.model, ".onnx"));
  SLIPWAY_ASSIGN(const auto network, load_network(model.path(), arguments, session));
  SLIPWAY_ASSIGN(const auto names, demucs::stem_names(network->form().sources, arguments.two_stems));
  SLIPWAY_TRY(context.check_outputs({arguments.song, arguments.model}, planned_stems(arguments, names, encoding)));
  const double load_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  catch_first_interrupt();
  runtime::CancelFlag cancel;
  const std::stop_callback cancel_when_stopped(interrupt_token(), [&] { cancel.cancel(); });
  demucs::SeparationOptions options;
  options.overlap = arguments.overlap;
  options.shifts = arguments.shifts;
  options.seed = arguments.seed;
  options.mode = arguments.mode == "batch"    ? demucs::Mode::kBatch
                 : arguments.mode == "single" ? demucs::Mode::kSingle
                                              : demucs::Mode::kSequential;
  options.batch = arguments.batch;
  options.two_stems = arguments.two_stems;
  options.encoding = encoding;
  options.cancel = &cancel;
  std::optional<ProgressBar> progress;
  options.progress = [&](std::int64_t done, std::int64_t total) {
    if (!progress) progress.emplace();
    progress->update("separating", done, total);
  };
  SLIPWAY_ASSIGN(const SeekableInput song, SeekableInput::of(arguments.song));
  auto outcome = demucs::separate(*network, song.path(), arguments.output, options);
  progress.reset();
  if (!outcome) return std::unexpected(outcome.error());
  demucs::SeparationReport& report = *outcome;
  if (arguments.plot) SLIPWAY_TRY(demucs::plot_stems(report.stems, report.sample_rate, report.frames));
  warn(report.warnings);
  const runtime::PlacementReport& placement = network->placement(0);
  const bool is_clamped = encoding != media::AudioEncoding::kWavFloat;
  const runtime::MeasuredValue<demucs::SeparationReport> measured(
      report, runtime::TimeOrigin::of(session.provider.name, placement.is_emulated));
  const std::string pace = measured.value() ? pace_of(*measured.value(), load_seconds) : std::string(kEmulatorNote);
  context.print(table_of_stems(report.stems, is_clamped) + "\n" + pace + placement.summary() + "\n");
  ordered_json result = {{"input", arguments.song.string()},
                         {"output", arguments.output.string()},
                         {"song", arguments.song.string()},
                         {"model", arguments.model.string()},
                         {"frames", report.frames},
                         {"sample_rate", report.sample_rate},
                         {"segments", report.segments},
                         {"segment_samples", network->form().segment_samples},
                         {"mode", arguments.mode},
                         {"shift_offsets", report.shift_offsets},
                         {"stems", stems_json(report.stems)},
                         {"warnings", report.warnings},
                         {"provider", session.provider.name},
                         {"precision", arguments.session.precision},
                         {"is_emulated", placement.is_emulated},
                         {"placement", json_of(placement)}};
  if (measured.value()) {
    const demucs::SeparationReport& timed = *measured.value();
    result["seconds"] = {{"load", load_seconds},
                         {"total", timed.total_seconds},
                         {"measure", timed.measure_seconds},
                         {"read", timed.read_seconds},
                         {"stft", timed.stft_seconds},
                         {"network", timed.network_seconds},
                         {"istft", timed.istft_seconds},
                         {"overlap_add", timed.overlap_add_seconds},
                         {"write", timed.write_seconds},
                         {"network_runs", timed.network_run_seconds}};
    result["real_time_factor"] = timed.total_seconds / song_seconds_of(timed);
  }
  return context.emit("demucs/1", result);
}

/// The form that chunks are cut for: the model's, or the released one's with another segment.
base::Result<demucs::Form> chunk_form(const DemucsArguments& arguments) {
  demucs::Form form;
  form.segment_samples = 343980;
  if (!arguments.model.empty()) {
    SLIPWAY_ASSIGN(const auto folder, pipelines::ModelFolder::open(arguments.model));
    const pipelines::ModelGraph& graph = folder.graphs().front();
    if (folder.graphs().size() > 1) {
      return base::fail(Code::kInvalidArgument, "{}: a bag of {} models; cut chunks for one of them at a time",
                        arguments.model.string(), folder.graphs().size());
    }
    if (!graph.inputs.empty()) {
      SLIPWAY_ASSIGN(form, demucs::form_of(folder, graph.inputs, graph.outputs));
    } else {
      SLIPWAY_ASSIGN(const auto environment, open_environment());
      SLIPWAY_ASSIGN(const auto session, runtime::Session::load(environment, graph.file, {}));
      SLIPWAY_ASSIGN(form, demucs::form_of(folder, session->inputs(), session->outputs()));
    }
    if (arguments.segment_samples != 0 && arguments.segment_samples != form.segment_samples) {
      return base::fail(Code::kInvalidArgument, "--segment-samples {}: the model takes {}", arguments.segment_samples,
                        form.segment_samples);
    }
  }
  if (arguments.segment_samples != 0) form.segment_samples = arguments.segment_samples;
  if (arguments.overlap >= 0) form.overlap = arguments.overlap;
  return form;
}

base::Result<void> preprocess(const DemucsArguments& arguments, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(const demucs::Form form, chunk_form(arguments));
  std::vector<PlannedOutput> planned;
  for (const char* name : {"input.raw", "x.raw", "chunks.json"})
    planned.push_back({.option = "--output", .path = arguments.output / name, .is_named = false});
  planned.push_back({.option = "--output", .path = arguments.output, .is_folder = true});
  SLIPWAY_TRY(context.check_outputs({arguments.song, arguments.model}, planned));
  SLIPWAY_ASSIGN(const SeekableInput song, SeekableInput::of(arguments.song));
  std::optional<ProgressBar> progress(std::in_place);
  const auto outcome =
      demucs::preprocess(song.path(), form, arguments.output,
                         [&](std::int64_t done, std::int64_t total) { progress->update("cutting", done, total); });
  progress.reset();
  if (!outcome) return std::unexpected(outcome.error());
  warn(outcome->warnings);
  const std::int64_t frames = form.frames();
  context.print(
      fmt::format("{} of {} samples in {}\n  input.raw  float32[{},2,{}]\n  x.raw      float32[{},4,2048,{}]\n",
                  counted(outcome->count, "chunk"), form.segment_samples, arguments.output.string(), outcome->count,
                  form.segment_samples, outcome->count, frames));
  return context.emit("demucs-preprocess/1", {{"input", arguments.song.string()},
                                              {"output", arguments.output.string()},
                                              {"song", arguments.song.string()},
                                              {"folder", arguments.output.string()},
                                              {"chunks", outcome->count},
                                              {"segment_samples", form.segment_samples},
                                              {"input_shape", {outcome->count, 2, form.segment_samples}},
                                              {"x_shape", {outcome->count, 4, 2048, frames}},
                                              {"warnings", outcome->warnings}});
}

base::Result<void> postprocess(const DemucsArguments& arguments, media::AudioEncoding encoding, Context& context) {
  context.reserve_standard_output();
  demucs::PostprocessOptions options;
  options.raw_file = arguments.raw_file;
  options.spectrogram_file = arguments.spectrogram_file;
  options.two_stems = arguments.two_stems;
  options.encoding = encoding;
  SLIPWAY_ASSIGN(const demucs::ChunkManifest manifest, demucs::read_manifest(arguments.chunks));
  // Without names in the manifest, those of the largest model.
  const std::vector<std::string> sources =
      manifest.sources.empty() ? demucs::default_sources(demucs::kMostDefaultSources) : manifest.sources;
  SLIPWAY_ASSIGN(const auto names, demucs::stem_names(sources, arguments.two_stems));
  SLIPWAY_TRY(context.check_outputs({arguments.chunks, arguments.raw_file, arguments.spectrogram_file},
                                    planned_stems(arguments, names, encoding)));
  std::optional<ProgressBar> progress(std::in_place);
  options.progress = [&](std::int64_t done, std::int64_t total) { progress->update("joining", done, total); };
  auto outcome = demucs::postprocess(arguments.chunks, arguments.output, options);
  progress.reset();
  if (!outcome) return std::unexpected(outcome.error());
  if (arguments.plot) SLIPWAY_TRY(demucs::plot_stems(outcome->stems, outcome->sample_rate, outcome->frames));
  context.print(table_of_stems(outcome->stems, encoding != media::AudioEncoding::kWavFloat));
  return context.emit("demucs-postprocess/1", {{"input", arguments.chunks.string()},
                                               {"output", arguments.output.string()},
                                               {"chunks", outcome->segments},
                                               {"frames", outcome->frames},
                                               {"sample_rate", outcome->sample_rate},
                                               {"stems", stems_json(outcome->stems)}});
}

void add_preprocess(CLI::App& verb, Context& context) {
  CLI::App* part =
      verb.add_subcommand("preprocess", "Cut a song into raw chunks for a tool that runs the network elsewhere");
  auto arguments = std::make_shared<DemucsArguments>();
  part->add_option("song", arguments->song, "MP3, WAV, FLAC, M4A …")->required();
  part->add_option("-o,--output", arguments->output, "Folder of input.raw, x.raw and chunks.json")->required();
  part->add_option("-m,--model", arguments->model, "Take segment length and stems from this model");
  part->add_option("--segment-samples", arguments->segment_samples, "Length of a chunk; 44100 is one second")
      ->check(CLI::PositiveNumber);
  part->add_option("--overlap", arguments->overlap, "Share of a chunk that the next one repeats")
      ->check(CLI::Range(0.0, 0.99));
  context.add_output_options(*part);
  context.add_overwrite_option(*part);
  part->callback([arguments, &context] { context.finish(preprocess(*arguments, context)); });
}

void add_postprocess(CLI::App& verb, Context& context) {
  CLI::App* part = verb.add_subcommand("postprocess", "Join what the network gave for the chunks into stems");
  auto arguments = std::make_shared<DemucsArguments>();
  part->add_option("chunks", arguments->chunks, "The folder that preprocess wrote")->required();
  part->add_option("--raw-file", arguments->raw_file, "add_67.raw: float32[chunks, stems, 2, samples]")->required();
  part->add_option("--spectrogram-file", arguments->spectrogram_file,
                   "output.raw of models that give the spectrogram branch apart (default: beside add_67.raw)");
  part->add_option("-o,--output", arguments->output, "Folder of the stems")->required();
  arguments->add_encoding_to(*part);
  context.add_output_options(*part);
  context.add_overwrite_option(*part);
  part->callback([arguments, &context] {
    const auto encoding = arguments->encoding();
    if (!encoding) return context.finish_wrong_use(encoding.error());
    context.finish(postprocess(*arguments, *encoding, context));
  });
}

}  // namespace

void add_demucs(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("demucs", "Separate a song into drums, bass, other and vocals");
  auto arguments = std::make_shared<DemucsArguments>();
  verb->add_option("song", arguments->song, "MP3, WAV, FLAC, M4A …");
  verb->add_option("-m,--model", arguments->model,
                   "Model folder, as python -m python.exporters.demucs writes it, or an .onnx file");
  verb->add_option("-o,--output", arguments->output, "Folder of the stems");
  verb->add_option("--overlap", arguments->overlap,
                   "Share of a segment that the next one repeats (default: the model's, 0.25)")
      ->check(CLI::Range(0.0, 0.99));
  verb->add_option("--shifts", arguments->shifts, "Average so many passes, each moved by a random time")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  verb->add_option("--seed", arguments->seed, "Of the random times")->capture_default_str();
  verb->add_option("--mode", arguments->mode, "sequential; batch: many segments a run; single: the first segment only")
      ->check(CLI::IsMember({"single", "sequential", "batch"}))
      ->capture_default_str();
  verb->add_option("--batch", arguments->batch, "Segments a run of --mode batch")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--parallel", arguments->parallel,
                   "Segments side by side, sharing the threads: for machines with many cores")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  arguments->add_encoding_to(*verb);
  arguments->session.add_to(*verb);
  context.add_output_options(*verb);
  context.add_overwrite_option(*verb);
  add_preprocess(*verb, context);
  add_postprocess(*verb, context);
  verb->require_subcommand(0, 1);
  verb->callback([verb, arguments, &context] {
    if (!verb->get_subcommands().empty()) return;
    if (arguments->song.empty() || arguments->model.empty() || arguments->output.empty()) {
      return context.finish_wrong_use({Code::kInvalidArgument, "demucs takes SONG --model MODEL --output DIR"});
    }
    const auto options =
        arguments->session.settled_options(std::vector<std::filesystem::path>{arguments->model}, context);
    if (!options) return finish_refused(context, options.error());
    const auto encoding = arguments->encoding();
    if (!encoding) return context.finish_wrong_use(encoding.error());
    context.finish(separate(*arguments, *options, *encoding, context));
  });
}

}  // namespace slipway::cli
