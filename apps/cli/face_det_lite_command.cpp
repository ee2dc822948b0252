#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/border_quantization.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/frame_run.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/source_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/face_det_lite/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace face = pipelines::face_det_lite;
using nlohmann::ordered_json;

struct FaceArguments {
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

using FaceBatch = FrameBatch<face::Detections>;

face::Config config_of(const FaceArguments& arguments, const fs::path& model) {
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

FrameReport report_of(const pipelines::SourceFrame& source, const face::Detections& detections, const FaceBatch& batch,
                      const NetworkReport& network, ordered_json json) {
  json["faces"] = ordered_json::array();
  for (const face::Face& found : detections.faces) json["faces"].push_back(json_of(found));
  network.add_to(json, detections.times, batch.bench);
  std::string text = fmt::format("{}: {}; {}\n", name_of(source), counted(std::ssize(detections.faces), "face"),
                                 network.text_of(detections.times));
  if (source.is_video) return {std::move(text), std::move(json)};
  for (const face::Face& found : detections.faces) {
    const face::PixelBox& box = found.pixels;
    text += fmt::format("  score {:.3f}  at ({}, {})  size {} x {}\n", found.score, box.x, box.y, box.w, box.h);
  }
  if (batch.bench) text += table_of(*batch.bench, network.origin());
  return {std::move(text), std::move(json)};
}

base::Result<void> detect(const FaceArguments& arguments, const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(const fs::path model, arguments.model.file());
  SLIPWAY_ASSIGN(FrameRun run, FrameRun::open(context, arguments.source, arguments.inputs, {arguments.model.path},
                                              arguments.output, "face-det-lite/1"));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  const bool has_description =
      fs::is_directory(arguments.model.path) && fs::exists(arguments.model.path / "model.yaml");
  SLIPWAY_ASSIGN(const std::unique_ptr<face::FaceDetLite> pipeline,
                 face::FaceDetLite::load(environment, has_description ? arguments.model.path : model, options,
                                         config_of(arguments, model)));
  for (const std::string& line : pipeline->session().log_lines()) fmt::print(stderr, "{}\n", line);

  const runtime::PlacementReport& placement = pipeline->session().placement();
  const NetworkReport network{arguments.session.provider, cli::json_of(placement), placement.is_emulated};
  std::int64_t faces = 0;
  SLIPWAY_TRY(run.run<FaceBatch>(
      arguments.batch, "finding faces", network.origin(),
      [&](FaceBatch& batch) { return batch.run(*pipeline, arguments.measured_runs()); },
      [&](FaceBatch& batch) {
        return run.present(
            batch,
            [&](const pipelines::SourceFrame& source, const face::Detections& found) {
              faces += std::ssize(found.faces);
              return report_of(source, found, batch, network, run.json_of(source));
            },
            [](media::Image& image, const face::Detections& found) { face::draw_faces(image, found.faces); });
      }));
  context.print(fmt::format("\n{} in {}; {}\n{}", counted(faces, "face"), counted(run.frames(), "picture"),
                            placement.summary(), placement.is_emulated ? kEmulatorNote : ""));
  return run.outcome();
}

}  // namespace

void add_face_det_lite(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("face-det-lite", "Find faces with five landmarks in pictures and videos");
  auto arguments = std::make_shared<FaceArguments>();
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
    const auto options = arguments->session.settled_options(arguments->model, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(detect(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
