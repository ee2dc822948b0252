#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/border_quantization.hpp"
#include "apps/cli/context.hpp"
#include "apps/cli/frame_batch.hpp"
#include "apps/cli/frame_progress.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/overlay_output.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/source_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/face_det_lite/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace face = pipelines::face_det_lite;
using nlohmann::ordered_json;

struct Arguments {
  ModelArgument model;
  SessionArguments session;
  std::vector<std::string> inputs;
  fs::path output;
  std::string channel = "luma";
  std::string fit = "letterbox";
  float score_min = face::kAppScoreMin;
  double iou_max = face::kEvaluatorIouMax;
  CLI::Option* nms = nullptr;
  int batch = 1;
  int bench_runs = 10;
  CLI::Option* bench = nullptr;
  SourceArguments source;

  [[nodiscard]] std::optional<int> measured_runs() const {
    return bench->count() > 0 ? std::optional(bench_runs) : std::nullopt;
  }
};

using Slot = FrameBatch<face::Detections>;
using Bench = std::optional<pipelines::BenchReport>;

face::Config config_of(const Arguments& arguments, const fs::path& model) {
  face::Config config;
  config.channels = arguments.channel == "blue" ? media::Channels::kBlue : media::Channels::kLuma;
  config.fit = arguments.fit == "stretch" ? media::Fit::kStretch : media::Fit::kLetterbox;
  config.score_min = arguments.score_min;
  if (arguments.nms->count() > 0) config.iou_max = arguments.iou_max;
  // A bare file may say the scales of its border in its own nodes.
  config.batch = arguments.batch;
  config.quantization = border_quantization(model);
  return config;
}

ordered_json json_of(const face::Face& found) {
  ordered_json landmarks = ordered_json::array();
  for (const media::Point& point : found.landmarks) landmarks.push_back({point.x, point.y});
  return {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}},
          {"x", found.pixels.x},
          {"y", found.pixels.y},
          {"w", found.pixels.w},
          {"h", found.pixels.h},
          {"score", found.score},
          {"landmarks", landmarks}};
}

/// What one run over all inputs does with its frames.
class Run {
 public:
  Run(const Arguments& arguments, face::FaceDetLite& pipeline, OverlayOutput& overlay, Context& context,
      const std::vector<fs::path>& files)
      : arguments_(arguments),
        pipeline_(pipeline),
        overlay_(overlay),
        context_(context),
        progress_(files, "finding faces") {}

  base::Result<void> infer(Slot& slot) { return slot.run(pipeline_, arguments_.measured_runs()); }

  base::Result<void> present(Slot& slot) {
    return slot.for_each([&](pipelines::SourceFrame& source,
                             const face::Detections& found) { return present(source, found, slot.bench); },
                         [&](const pipelines::SourceFrame& source) { return present_failure(source); });
  }

  base::Result<void> finish() {
    SLIPWAY_TRY(overlay_.finish());
    const runtime::PlacementReport& placement = pipeline_.session().placement();
    context_.print(fmt::format("\n{} in {}; {}\n{}", counted(face_count_, "face"), counted(frames_, "picture"),
                               placement.summary(), placement.is_emulated ? kEmulatorNote : ""));
    if (failures_ == 0) return {};
    return base::fail(base::Code::kDataLoss, "{} could not be read, or not to the end", counted(failures_, "input"));
  }

 private:
  base::Result<void> present_failure(const pipelines::SourceFrame& source) {
    ++failures_;
    progress_.advance();
    ProgressBar::wipe();
    fmt::print(stderr, "slipway: {}\n", source.error->message);
    return context_.emit("face-det-lite/1", failure_json(source));
  }

  base::Result<void> present(pipelines::SourceFrame& source, const face::Detections& found, const Bench& bench) {
    ++frames_;
    face_count_ += static_cast<std::int64_t>(found.faces.size());
    context_.print(text_of(source, found, bench));
    SLIPWAY_TRY(context_.emit("face-det-lite/1", json_of_frame(source, found, bench)));
    if (overlay_.is_wanted()) {
      face::draw_faces(source.frame.image, found.faces);
      SLIPWAY_TRY(overlay_.write(source));
    }
    progress_.advance();
    return {};
  }

  ordered_json json_of_frame(const pipelines::SourceFrame& source, const face::Detections& detections,
                             const Bench& bench) const {
    const runtime::PlacementReport& placement = pipeline_.session().placement();
    ordered_json json = frame_json(source, overlay_.target(source));
    json["faces"] = ordered_json::array();
    for (const face::Face& found : detections.faces) json["faces"].push_back(json_of(found));
    json["provider"] = arguments_.session.provider;
    json["placement"] = cli::json_of(placement);
    json["timing_ms"] = stage_json(detections.times, origin());
    if (bench) json["bench"] = stage_json(*bench, origin());
    return json;
  }

  std::string text_of(const pipelines::SourceFrame& source, const face::Detections& detections,
                      const Bench& bench) const {
    const auto own = runtime::TimeOrigin::own_work();
    const pipelines::StageTimes& times = detections.times;
    std::string text = fmt::format("{}: {}; before {}, inference {}, after {}\n", name_of(source),
                                   counted(std::ssize(detections.faces), "face"), time_text({times.pre_us, own}),
                                   time_text({times.inference_us, origin()}), time_text({times.post_us, own}));
    if (source.is_video) return text;
    for (const face::Face& found : detections.faces) {
      const face::PixelBox& box = found.pixels;
      text += fmt::format("  score {:.3f}  at ({}, {})  size {} x {}\n", found.score, box.x, box.y, box.w, box.h);
    }
    return bench ? text + table_of(*bench, origin()) : text;
  }

  runtime::TimeOrigin origin() const {
    return runtime::TimeOrigin::of(arguments_.session.provider, pipeline_.session().placement().is_emulated);
  }

  const Arguments& arguments_;
  face::FaceDetLite& pipeline_;
  OverlayOutput& overlay_;
  Context& context_;
  FrameProgress progress_;
  std::int64_t frames_ = 0, face_count_ = 0, failures_ = 0;
};

base::Result<void> detect(const Arguments& arguments, const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(const fs::path model, arguments.model.file());
  SLIPWAY_ASSIGN(pipelines::FrameSource source, arguments.source.open(arguments.inputs, !arguments.output.empty()));
  auto named = OverlayOutput::open(arguments.output, source.files());
  if (!named) return context.wrong_use(std::move(named).error());
  OverlayOutput& overlay = *named;
  SLIPWAY_TRY(context.check_outputs(files_read({arguments.model.path}, arguments.inputs), overlay.planned()));
  SLIPWAY_TRY(overlay.make_folder());
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  const bool has_description =
      fs::is_directory(arguments.model.path) && fs::exists(arguments.model.path / "model.yaml");
  SLIPWAY_ASSIGN(const std::unique_ptr<face::FaceDetLite> pipeline,
                 face::FaceDetLite::load(environment, has_description ? arguments.model.path : model, options,
                                         config_of(arguments, model)));
  for (const std::string& line : pipeline->session().log_lines()) fmt::print(stderr, "{}\n", line);

  catch_first_interrupt();
  Run run(arguments, *pipeline, overlay, context, source.files());
  std::vector<Slot> slots(3);
  for (Slot& slot : slots) slot.resize(arguments.batch);
  SLIPWAY_TRY(unless_interrupted(pipelines::run_frame_loop(
      slots, [&](Slot& slot) -> base::Result<bool> { return slot.fill(source, [] { return !was_interrupted(); }); },
      [&](Slot& slot) { return run.infer(slot); }, [&](Slot& slot) { return run.present(slot); })));
  if (const auto video = overlay.video_under_way(); video && was_interrupted()) context.note_cut_short(*video);
  return run.finish();
}

}  // namespace

void add_face_det_lite(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("face-det-lite", "Find faces with five landmarks in pictures and videos");
  auto arguments = std::make_shared<Arguments>();
  arguments->model.add_to(
      *verb, arguments->inputs,
      "pictures, folders of them, videos, a camera (/dev/video0), or - for a stream on standard input");
  verb->add_option("-o,--output", arguments->output,
                   "Where drawn-over pictures and videos go: a folder, or a file for one input");
  verb->add_option("--channel", arguments->channel,
                   "What the network sees of a colour picture; blue is the rule before 0.37")
      ->check(CLI::IsMember({"luma", "blue"}))
      ->capture_default_str();
  verb->add_option("--fit", arguments->fit, "How pictures of other sizes are brought to the network's")
      ->check(CLI::IsMember({"letterbox", "stretch"}))
      ->capture_default_str();
  verb->add_option("--score-min", arguments->score_min, "Lowest score of a face")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  arguments->nms =
      verb->add_option("--nms", arguments->iou_max,
                       "Drop faces that overlap a better one by more (IoU); the evaluator's value is 0.2, the app "
                       "drops none")
          ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--batch", arguments->batch, "Pictures or frames a run of the network; times are a picture's share")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  arguments->bench = verb->add_option("--bench", arguments->bench_runs,
                                      "Run each picture so often after one warm-up, and show "
                                      "percentiles")
                         ->check(CLI::Range(1, 1'000'000))
                         ->expected(0, 1)
                         ->default_str("10");
  arguments->source.add_to(*verb);
  arguments->session.add_to(*verb);
  context.add_output_options(*verb);
  context.add_overwrite_option(*verb);
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(detect(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
