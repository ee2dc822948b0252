#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/overlay_output.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "compile/onnx_graph/model.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_face/draw.hpp"
#include "pipelines/mediapipe_face/pipeline.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace face = pipelines::mediapipe_face;
using nlohmann::ordered_json;

constexpr int kWarmupRuns = 1;

struct Arguments {
  fs::path model, landmark_model;
  SessionArguments session;
  std::vector<std::string> inputs;
  fs::path output;
  std::string rules = "mediapipe";
  float score_min = 0.5F;
  CLI::Option* score = nullptr;
  float presence_min = 0.5F;
  int max_faces = 1;
  CLI::Option* most = nullptr;
  bool detector_only = false, is_still = false, smooth = false;
  int bench_runs = 10;
  CLI::Option* bench = nullptr;
  std::int64_t max_pixels = media::ImageLimits{}.max_pixels;
};

/// One frame on its way through the loop.
struct Slot {
  pipelines::SourceFrame source;
  face::Detections found;
  std::optional<pipelines::BenchReport> bench;
};

/// Scales that a file says in its own nodes. What cannot be read here, the session will refuse.
face::Quantizations scales_in(const fs::path& model, const std::string& graph) {
  face::Quantizations scales;
  const auto file = pipelines::find_model(model, graph);
  if (!file) return scales;
  if (const auto read = compile::onnx_graph::Model::read(file->path)) {
    const auto summary = read->summary();
    for (const auto* specs : {&summary.inputs, &summary.outputs}) {
      for (const tensor::TensorSpec& spec : *specs) {
        if (spec.quantization) scales[spec.name] = *spec.quantization;
      }
    }
  }
  return scales;
}

face::Config config_of(const Arguments& arguments) {
  face::Config config;
  config.rules = arguments.rules == "qai_hub" ? face::Rules::kQaiHub : face::Rules::kMediapipe;
  if (arguments.score->count() > 0) config.score_min = arguments.score_min;
  config.presence_min = arguments.presence_min;
  if (arguments.most->count() > 0) config.max_faces = arguments.max_faces;
  config.find_landmarks = !arguments.detector_only;
  config.smooth = arguments.smooth;
  config.detector_quantization = scales_in(arguments.model, "detector");
  config.landmark_quantization = arguments.landmark_model.empty() ? scales_in(arguments.model, "landmark")
                                                                  : scales_in(arguments.landmark_model, "landmark");
  return config;
}

/// An emulator's time is no device's: it is not shown.
ordered_json json_of(const pipelines::StageTimes& times, bool is_emulated) {
  ordered_json json = {{"pre", times.pre_us / 1000}, {"inference", nullptr}, {"post", times.post_us / 1000}};
  if (!is_emulated) json["inference"] = times.inference_us / 1000;
  return json;
}

ordered_json json_of(const pipelines::BenchReport& bench, bool is_emulated) {
  ordered_json json = {{"warmup_runs", bench.warmup_runs},
                       {"pre", cli::json_of(bench.pre)},
                       {"inference", nullptr},
                       {"post", cli::json_of(bench.post)},
                       {"total", nullptr}};
  if (!is_emulated) {
    json["inference"] = cli::json_of(bench.inference);
    json["total"] = cli::json_of(bench.total);
  }
  return json;
}

ordered_json json_of(const face::Face& found) {
  ordered_json keypoints = ordered_json::array(), landmarks = ordered_json::array();
  if (found.has_keypoints) {
    for (const media::Point& point : found.keypoints) keypoints.push_back({point.x, point.y});
  }
  ordered_json json = {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}}, {"score", found.score}};
  if (found.track_id >= 0) json["track"] = found.track_id;
  json["keypoints"] = keypoints;
  if (found.has_landmarks) {
    json["presence"] = found.presence;
    for (const face::Landmark& point : found.landmarks) landmarks.push_back({point.x, point.y, point.z});
  }
  json["landmarks"] = landmarks;
  return json;
}

/// What one run over all inputs does with its frames.
class Run {
 public:
  Run(const Arguments& arguments, face::MediapipeFace& pipeline, OverlayOutput& overlay, Context& context)
      : arguments_(arguments), pipeline_(pipeline), overlay_(overlay), context_(context) {
    const auto add = [&](const char* name, runtime::Session* session) {
      if (session == nullptr) return;
      is_emulated_ = is_emulated_ || session->placement().is_emulated;
      placement_[name] = cli::json_of(session->placement());
      placement_text_ += fmt::format("{}: {}\n", name, session->placement().summary());
    };
    add("detector", &pipeline.detector_session());
    add("landmark", pipeline.landmark_session());
  }

  base::Result<void> infer(Slot& slot) {
    if (slot.source.error) return {};
    const media::ImageView image = slot.source.frame.image.view();
    const bool is_sequence = slot.source.is_video && !arguments_.is_still;
    if (!is_sequence || slot.source.path != sequence_ || slot.source.frame.index == 0) pipeline_.reset();
    sequence_ = slot.source.path;
    if (is_sequence) return pipeline_.track(image, slot.source.frame.time_s, slot.found);
    if (arguments_.bench->count() == 0 || slot.source.is_video) return pipeline_.run(image, slot.found);
    const auto once = [&]() -> base::Result<pipelines::StageTimes> {
      SLIPWAY_TRY(pipeline_.run(image, slot.found));
      return slot.found.times;
    };
    SLIPWAY_ASSIGN(slot.bench, pipelines::run_bench(kWarmupRuns, arguments_.bench_runs, once));
    return {};
  }

  base::Result<void> present(Slot& slot) {
    if (slot.source.error) {
      ++failures_;
      fmt::print(stderr, "slipway: {}\n", slot.source.error->message);
      return context_.emit(
          "mediapipe-face/1",
          {{"image", slot.source.path.string()},
           {"error", {{"code", base::code_name(slot.source.error->code)}, {"message", slot.source.error->message}}}});
    }
    ++frames_;
    face_count_ += static_cast<std::int64_t>(slot.found.faces.size());
    context_.print(text_of(slot));
    SLIPWAY_TRY(context_.emit("mediapipe-face/1", json_of_frame(slot)));
    if (!overlay_.is_wanted()) return {};
    face::draw_faces(slot.source.frame.image, slot.found.faces);
    return overlay_.write(slot.source);
  }

  base::Result<void> finish() {
    SLIPWAY_TRY(overlay_.finish());
    context_.print(fmt::format("\n{} faces in {} pictures\n{}{}", face_count_, frames_, placement_text_,
                               is_emulated_ ? kEmulatorNote : ""));
    if (failures_ == 0) return {};
    return base::fail(base::Code::kDataLoss, "{} of the inputs could not be read, or not to their end", failures_);
  }

 private:
  ordered_json json_of_frame(const Slot& slot) const {
    ordered_json json = {{"image", slot.source.path.string()}};
    if (slot.source.is_video) {
      json["frame"] = slot.source.frame.index;
      json["time_s"] = slot.source.frame.time_s;
    }
    json["width"] = slot.source.frame.image.width();
    json["height"] = slot.source.frame.image.height();
    json["faces"] = ordered_json::array();
    for (const face::Face& found : slot.found.faces) json["faces"].push_back(json_of(found));
    json["rules"] = arguments_.rules;
    json["runs"] = {{"detector", slot.found.detector_ran ? 1 : 0}, {"landmark", slot.found.landmark_runs}};
    json["provider"] = arguments_.session.provider;
    json["placement"] = placement_;
    json["timing_ms"] = json_of(slot.found.times, is_emulated_);
    if (slot.bench) json["bench"] = json_of(*slot.bench, is_emulated_);
    return json;
  }

  std::string text_of(const Slot& slot) const {
    const auto inference_text = [&](double microseconds) { return is_emulated_ ? "-" : time_text(microseconds); };
    const pipelines::StageTimes& times = slot.found.times;
    std::string text = fmt::format(
        "{}{}: {} faces; before {}, inference {} ({}{} landmark runs), after {}\n", slot.source.path.string(),
        slot.source.is_video ? fmt::format(" frame {}", slot.source.frame.index) : "", slot.found.faces.size(),
        time_text(times.pre_us), inference_text(times.inference_us), slot.found.detector_ran ? "detector, " : "",
        slot.found.landmark_runs, time_text(times.post_us));
    if (slot.source.is_video) return text;
    for (const face::Face& found : slot.found.faces) {
      text += fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                          found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                          found.has_landmarks ? fmt::format("  468 landmarks, presence {:.3f}", found.presence) : "");
    }
    if (!slot.bench) return text;
    Table table({{"stage"},
                 {"runs", Align::kRight},
                 {"median", Align::kRight},
                 {"min", Align::kRight},
                 {"p90", Align::kRight},
                 {"p99", Align::kRight},
                 {"max", Align::kRight}});
    for (const auto& [stage, statistics] :
         {std::pair{"before", &slot.bench->pre}, std::pair{"inference", &slot.bench->inference},
          std::pair{"after", &slot.bench->post}}) {
      const bool is_hidden = is_emulated_ && statistics == &slot.bench->inference;
      const auto cell = [&](double microseconds) { return is_hidden ? "-" : time_text(microseconds); };
      table.add({stage, fmt::format("{}", statistics->count), cell(statistics->median_us), cell(statistics->min_us),
                 cell(statistics->p90_us), cell(statistics->p99_us), cell(statistics->max_us)});
    }
    return text + table.text();
  }

  const Arguments& arguments_;
  face::MediapipeFace& pipeline_;
  OverlayOutput& overlay_;
  Context& context_;
  fs::path sequence_;
  ordered_json placement_;
  std::string placement_text_;
  bool is_emulated_ = false;
  std::int64_t frames_ = 0, face_count_ = 0, failures_ = 0;
};

base::Result<void> find_faces(const Arguments& arguments, const runtime::SessionOptions& options, Context& context) {
  context.keep_standard_output_for_results();
  SLIPWAY_ASSIGN(pipelines::FrameSource source,
                 pipelines::FrameSource::open(arguments.inputs, {.max_pixels = arguments.max_pixels}));
  SLIPWAY_ASSIGN(OverlayOutput overlay, OverlayOutput::open(arguments.output, source.files().size()));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment());
  SLIPWAY_ASSIGN(const std::unique_ptr<face::MediapipeFace> pipeline,
                 face::MediapipeFace::load(environment, {arguments.model, arguments.landmark_model}, options,
                                           config_of(arguments)));
  for (const runtime::Session* session : {&pipeline->detector_session(), pipeline->landmark_session()}) {
    if (session == nullptr) continue;
    for (const std::string& line : session->log_lines()) fmt::print(stderr, "{}\n", line);
  }

  Run run(arguments, *pipeline, overlay, context);
  std::vector<Slot> slots(3);
  SLIPWAY_TRY(pipelines::run_frame_loop(
      slots,
      [&](Slot& slot) -> base::Result<bool> {
        slot.bench.reset();
        return source.next(slot.source);
      },
      [&](Slot& slot) { return run.infer(slot); }, [&](Slot& slot) { return run.present(slot); }));
  return run.finish();
}

}  // namespace

void add_mediapipe_face(CLI::App& app, Context& context) {
  CLI::App* verb =
      app.add_subcommand("mediapipe-face", "Find faces with 468 landmarks in pictures, follow them in videos");
  auto arguments = std::make_shared<Arguments>();
  verb->add_option("model,--model", arguments->model,
                   "A model folder with the graphs detector and landmark, or a detector's .onnx file")
      ->required();
  verb->add_option("--landmark-model", arguments->landmark_model, "The landmark network, when it is not in the folder");
  verb->add_option("inputs", arguments->inputs,
                   "Pictures, folders of them, videos, or - for a stream on standard input")
      ->required();
  verb->add_option("-o,--output", arguments->output,
                   "Where drawn-over pictures and videos go: a folder, or a file for one input");
  verb->add_option("--rules", arguments->rules,
                   "Whose rules apply around the networks: MediaPipe's, or those of Qualcomm's package (qai_hub)")
      ->check(CLI::IsMember({"mediapipe", "qai_hub"}))
      ->capture_default_str();
  arguments->score = verb->add_option("--score-min", arguments->score_min,
                                      "Lowest score of a face; without it 0.5, full range 0.6, qai_hub 0.8")
                         ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--presence-min", arguments->presence_min,
                   "Lowest probability, by the landmark network, that it sees a face")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  arguments->most = verb->add_option("--max-faces", arguments->max_faces,
                                     "Most faces of a frame; without it all of a picture, one of a video, and one with "
                                     "qai_hub")
                        ->check(CLI::Range(1, 10'000));
  verb->add_flag("--detector-only", arguments->detector_only, "Boxes and six key points, no landmarks");
  verb->add_flag("--still", arguments->is_still, "Videos: take each frame by itself, with the detector, all faces");
  verb->add_flag("--smooth", arguments->smooth,
                 "Videos: smooth landmarks (One-Euro), as MediaPipe's FaceLandmarker does and its FaceMesh does not");
  arguments->bench = verb->add_option("--bench", arguments->bench_runs,
                                      "Run each picture so often after one warm-up, and show "
                                      "percentiles")
                         ->check(CLI::Range(1, 1'000'000))
                         ->expected(0, 1)
                         ->default_str("10");
  verb->add_option("--max-pixels", arguments->max_pixels, "Refuse larger pictures before they take memory")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  arguments->session.add_to(*verb);
  context.add_output_options(*verb);
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(find_faces(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
