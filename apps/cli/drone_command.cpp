#include <algorithm>
#include <mutex>
#include <set>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/border_quantization.hpp"
#include "apps/cli/drone_report.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/frame_run.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/source_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/two_providers.hpp"
#include "apps/cli/verbs.hpp"
#include "pipelines/common/model_folder.hpp"
#include "pipelines/drone/overlay.hpp"
#include "pipelines/drone/pipeline.hpp"
#include "pipelines/segmentation/labels.hpp"
#include "pipelines/yolov8/labels.hpp"
#include "runtime/automatic_choice.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace drone = pipelines::drone;
using base::Code;
using nlohmann::ordered_json;
using runtime::MeasuredStatistics;
using runtime::TimeOrigin;

constexpr int kWarmupRuns = 2;

struct DroneArguments {
  ModelArgument detector, segmenter;
  std::string provider = runtime::ProviderRequest().name;  ///< of both networks, or detector=NAME,segmenter=NAME
  SessionArguments session;                                ///< what both networks share; its provider is not used
  bool no_standby = false;
  std::vector<std::string> inputs;
  fs::path output;
  std::string padding = "black";
  std::string normalize;
  std::vector<std::string> classes;
  float score_min = pipelines::yolov8::kAppScoreMin;
  double iou_max = pipelines::yolov8::kAppIouMax;
  double budget_ms = 0;
  double field_of_view_deg = drone::kDefaultFieldOfView;
  int sectors = drone::kDefaultSectors;
  int batch = 1;
  int bench_runs = 10;
  CLI::Option* bench = nullptr;
  SourceArguments source;
};

/// What repeated runs over one image took.
struct Bench {
  pipelines::BenchReport detector;
  runtime::Statistics total;
};

struct Batch : FrameBatch<drone::Scene, Bench> {
  std::size_t fallback_count = 0;  ///< of all that happened up to these frames
};

/// A model folder with its description, or the file that the user named.
base::Result<fs::path> described_or_file(const ModelArgument& model) {
  SLIPWAY_ASSIGN(const fs::path file, model.file());
  return fs::exists(model.path / "model.yaml") ? model.path : file;
}

base::Result<pipelines::StandbyOptions> run_options(const DroneArguments& arguments, const std::string& provider) {
  SessionArguments session = arguments.session;
  session.provider = provider;
  if (!runtime::provider_has(provider, &runtime::ProviderRow::accepts_htp)) session.soc = session.htp_arch = 0;
  pipelines::StandbyOptions options;
  SLIPWAY_ASSIGN(options.primary, session.session_options());
  // Threads of one network that wait by spinning take the cores from the other one.
  options.primary.allow_spinning = arguments.segmenter.path.empty();
  if (runtime::provider_has(provider, &runtime::ProviderRow::is_fallback) || arguments.no_standby) return options;
  options.standby.emplace();
  options.standby->intra_op_threads = options.primary.intra_op_threads;
  options.standby->allow_spinning = options.primary.allow_spinning;
  return options;
}

base::Result<drone::Config> config_of(const DroneArguments& arguments, const TwoProviders& providers) {
  drone::Config config;
  SLIPWAY_ASSIGN(config.detector_run, run_options(arguments, providers.detector));
  SLIPWAY_ASSIGN(config.detector_model, described_or_file(arguments.detector));
  SLIPWAY_ASSIGN(const fs::path detector_file, arguments.detector.file());
  config.detector.quantization = border_quantization(detector_file);
  config.detector.score_min = arguments.score_min;
  config.detector.iou_max = arguments.iou_max;
  if (arguments.padding == "grey") config.detector.padding = pipelines::yolov8::kUltralyticsPadding;
  config.budget_ms = arguments.budget_ms;
  config.batch = arguments.batch;
  config.field_of_view_deg = arguments.field_of_view_deg;
  config.sectors = arguments.sectors;
  if (arguments.segmenter.path.empty()) return config;
  SLIPWAY_ASSIGN(config.segmenter_run, run_options(arguments, providers.segmenter));
  SLIPWAY_ASSIGN(config.segmenter_model, described_or_file(arguments.segmenter));
  SLIPWAY_ASSIGN(const fs::path segmenter_file, arguments.segmenter.file());
  config.segmenter.quantization = border_quantization(segmenter_file);
  if (arguments.normalize == "imagenet") {
    config.segmenter.mean = media::kImageNetMean;
    config.segmenter.deviation = media::kImageNetDeviation;
  } else if (arguments.normalize == "none") {
    config.segmenter.mean = {0, 0, 0};
    config.segmenter.deviation = {1, 1, 1};
  }
  return config;
}

/// What one run over all inputs does with its frames.
class Run {
 public:
  Run(const DroneArguments& arguments, drone::Drone& pipeline, FrameRun& run, Context& context)
      : arguments_(arguments),
        pipeline_(pipeline),
        run_(run),
        context_(context),
        hides_detector_(pipeline.detector().network().session().placement().is_emulated) {
    if (const auto* segmenter = pipeline.segmenter()) {
      hides_segmenter_ = segmenter->network().session().placement().is_emulated;
      colours_ = pipelines::segmentation::colours_of(segmenter->labels());
    }
  }

  base::Result<void> execute() {
    SLIPWAY_TRY(run_.run<Batch>(
        arguments_.batch, "watching", networks(), [&](Batch& batch) { return infer(batch); },
        [&](Batch& batch) { return present(batch); }));
    pipeline_.reset();  // waits for a segmentation under way
    return report();
  }

 private:
  base::Result<void> infer(Batch& batch) {
    const auto frames = std::span(batch.frames).first(batch.count);
    std::size_t submitted = 0;  // of the frames that could be read
    for (std::size_t first = 0, end = 0; first < frames.size(); first = end) {
      // A run's frames are images, or of one video.
      std::size_t count = 0;
      for (; end < frames.size() && belong_together(frames[first], frames[end]); ++end) count += !frames[end].error;
      if (count == 0) continue;
      SLIPWAY_TRY(infer(frames[first], std::span(batch.images).subspan(submitted, count),
                        std::span(batch.found).subspan(submitted, count), batch.bench));
      submitted += count;
    }
    batch.fallback_count = pipeline_.fallbacks().size();
    // The loop's other thread reads them.
    const std::scoped_lock lock(mutex_);
    fallbacks_ = pipeline_.fallbacks();
    return {};
  }

  base::Result<void> present(Batch& batch) {
    SLIPWAY_TRY(tell_fallbacks(batch.fallback_count));
    return run_.present(
        batch,
        [&](const pipelines::SourceFrame& source, const drone::Scene& scene) {
          object_count_ += std::ssize(scene.objects);
          detected_frames_ += scene.did_detect ? 1 : 0;
          if (scene.map_age == 0) ++segmented_frames_;
          return FrameReport{text_of_frame(source, scene, batch.bench), json_of_frame(source, scene, batch.bench)};
        },
        [&](media::Image& image, const drone::Scene& scene) {
          drone::draw_scene(image, scene, pipeline_.detector().labels(), colours_);
        });
  }

  base::Result<void> report() {
    ordered_json report = {{"frames", run_.frames()},
                           {"frames_with_detection", detected_frames_},
                           {"frames_with_own_segmentation", segmented_frames_},
                           {"objects", object_count_},
                           {"fallbacks", ordered_json::array()}};
    for (const drone::Fallback& fallback : pipeline_.fallbacks()) report["fallbacks"].push_back(json_of(fallback));
    std::string text = fmt::format("\n{} in {}, {} with detection, {} with segmentation of their own\n",
                                   counted(object_count_, "object"), counted(run_.frames(), "frame"), detected_frames_,
                                   segmented_frames_);
    const auto add = [&](const char* name, const pipelines::StandbyRun& network) {
      const runtime::PlacementReport& placement = network.session().placement();
      report[name] = {{"provider", network.provider()}, {"placement", cli::json_of(placement)}};
      text += fmt::format("{} on {}: {}\n", name, network.provider(), placement.summary());
    };
    add("detector", pipeline_.detector().network());
    if (pipeline_.segmenter() != nullptr) add("segmenter", pipeline_.segmenter()->network());
    if (hides_detector_ || hides_segmenter_) text += kEmulatorNote;
    context_.print(text);
    SLIPWAY_TRY(context_.emit("drone-report/1", report));
    return run_.outcome();
  }

  /// Says on standard error what happened up to a frame, once.
  base::Result<void> tell_fallbacks(std::size_t count) {
    std::vector<drone::Fallback> fallbacks;
    {
      const std::scoped_lock lock(mutex_);
      fallbacks = fallbacks_;
    }
    for (; told_fallbacks_ < count && told_fallbacks_ < fallbacks.size(); ++told_fallbacks_) {
      const drone::Fallback& fallback = fallbacks[told_fallbacks_];
      ProgressBar::wipe();
      fmt::print(stderr, "warning: {}\n", text_of(fallback));
      SLIPWAY_TRY(context_.emit("drone-fallback/1", json_of(fallback)));
    }
    return {};
  }

  TimeOrigin detector() const { return TimeOrigin::of(pipeline_.detector().network().provider(), hides_detector_); }
  /// Of both networks together; the segmenter's provider has a share in the time.
  TimeOrigin networks() const { return detector().with(TimeOrigin::of("", hides_segmenter_)); }

  static bool belong_together(const pipelines::SourceFrame& one, const pipelines::SourceFrame& other) {
    return one.is_video == other.is_video && (!one.is_video || one.input == other.input);
  }

  /// One run of the pipeline, or many with --bench.
  base::Result<void> infer(const pipelines::SourceFrame& source, std::span<const media::ImageView> images,
                           std::span<drone::Scene> scenes, std::optional<Bench>& bench) {
    if (source.is_video && source.starts_sequence) pipeline_.reset();
    if (arguments_.bench->count() == 0 || source.is_video) return pipeline_.run(images, source.is_video, scenes);
    SLIPWAY_ASSIGN(bench, infer_often(images, scenes));
    return {};
  }

  std::string text_of_frame(const pipelines::SourceFrame& source, const drone::Scene& scene,
                            const std::optional<Bench>& bench) const {
    std::string text = heading_of(source, scene);
    if (source.is_video) return text;
    text += text_of(scene, pipeline_.detector().labels());
    if (bench && !hides_detector_ && !hides_segmenter_) text += statistics_table({bench->total, networks()});
    return text;
  }

  base::Result<Bench> infer_often(std::span<const media::ImageView> images, std::span<drone::Scene> scenes) {
    std::vector<double> totals;
    const auto once = [&]() -> base::Result<pipelines::StageTimes> {
      SLIPWAY_TRY(pipeline_.run(images, false, scenes));
      totals.push_back(scenes.front().total_us);
      return scenes.front().detector;
    };
    SLIPWAY_ASSIGN(const pipelines::BenchReport detector,
                   pipelines::run_bench(kWarmupRuns, arguments_.bench_runs, once));
    totals.erase(totals.begin(), totals.begin() + kWarmupRuns);
    return Bench{detector, runtime::statistics_of(totals)};
  }

  ordered_json json_of_frame(const pipelines::SourceFrame& source, const drone::Scene& scene,
                             const std::optional<Bench>& bench) const {
    ordered_json json = run_.json_of(source);
    json.update(json_of(scene, pipeline_.detector().labels(), detector(), TimeOrigin::of("", hides_segmenter_)));
    if (bench && !source.is_video) {
      json["bench"] = {{"warmup_runs", bench->detector.warmup_runs},
                       {"pre", cli::json_of(MeasuredStatistics{bench->detector.pre, TimeOrigin::own_work()})},
                       {"inference", cli::json_of(MeasuredStatistics{bench->detector.inference, detector()})},
                       {"post", cli::json_of(MeasuredStatistics{bench->detector.post, TimeOrigin::own_work()})},
                       {"total", cli::json_of(MeasuredStatistics{bench->total, networks()})}};
    }
    return json;
  }

  std::string heading_of(const pipelines::SourceFrame& source, const drone::Scene& scene) const {
    std::string text = fmt::format("{}: {}", name_of(source), counted(std::ssize(scene.objects), "object"));
    if (scene.map_age >= 0) {
      text +=
          scene.heading ? fmt::format(", free heading {:+.0f} degrees", scene.heading->degrees) : ", no free heading";
    }
    if (!hides_detector_ && !hides_segmenter_) text += fmt::format("; {}", time_text({scene.total_us, networks()}));
    return text + "\n";
  }

  const DroneArguments& arguments_;
  drone::Drone& pipeline_;
  FrameRun& run_;
  Context& context_;
  const bool hides_detector_;
  bool hides_segmenter_ = false;
  std::vector<media::Colour> colours_;
  std::mutex mutex_;
  std::vector<drone::Fallback> fallbacks_;
  std::size_t told_fallbacks_ = 0;
  std::int64_t object_count_ = 0, detected_frames_ = 0, segmented_frames_ = 0;
};

base::Result<void> watch(const DroneArguments& arguments, const TwoProviders& providers, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(const drone::Config config, config_of(arguments, providers));
  SLIPWAY_ASSIGN(FrameRun run,
                 FrameRun::open(context, arguments.source, arguments.inputs,
                                {arguments.detector.path, arguments.segmenter.path}, arguments.output, "drone/1"));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(providers.of_build()));
  SLIPWAY_ASSIGN(const std::unique_ptr<drone::Drone> pipeline, drone::Drone::load(environment, config));
  if (const auto chosen = pipeline->choose_classes(arguments.classes); !chosen) {
    return context.wrong_use(chosen.error().with("--classes"));
  }
  std::set<std::string> log(pipeline->detector().network().session().log_lines().begin(),
                            pipeline->detector().network().session().log_lines().end());
  if (const auto* segmenter = pipeline->segmenter()) {
    log.insert(segmenter->network().session().log_lines().begin(), segmenter->network().session().log_lines().end());
  }
  for (const std::string& line : log) fmt::print(stderr, "{}\n", line);
  return Run(arguments, *pipeline, run, context).execute();
}

void add_session_options(CLI::App& verb, DroneArguments& arguments) {
  verb.add_option("-p,--provider", arguments.provider,
                  "Where both networks run, or each of them: detector=NAME,segmenter=NAME. They run at the same time. "
                  "auto: measures once what this machine has, and keeps the fastest for both")
      ->join(',')
      ->capture_default_str();
  SessionArguments& session = arguments.session;
  verb.add_flag("--no-standby", arguments.no_standby,
                "End with an error when a provider does not load, fails or stalls. Without it the CPU stands by, takes "
                "over within the frame, and the report says when and why");
  verb.add_flag("--fallback", session.fallback, "Let the CPU run the nodes that a provider refuses");
  verb.add_option("--soc", session.soc, "qnn: Qualcomm's number of the chip, e.g. 57 for SM8650")
      ->check(CLI::PositiveNumber);
  verb.add_option("--htp-arch", session.htp_arch, "qnn: version of the chip's HTP, e.g. 75")
      ->check(CLI::PositiveNumber);
  verb.add_option("--threads", session.threads, "Threads of each network on the CPU; 0: ONNX Runtime's choice")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_drone(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand(
      "drone", "Find objects and surfaces in one view: what is where, how far, and which way is free");
  auto arguments = std::make_shared<DroneArguments>();
  verb->add_option("inputs", arguments->inputs,
                   "Pictures, folders of them, videos, cameras (/dev/video0), or - for a stream on standard input")
      ->required();
  verb->add_option("-m,--model,--detector", arguments->detector.path,
                   "The detector, of the YOLOv8 family (also -seg): an .onnx file or a model folder")
      ->required();
  verb->add_option("--segmenter", arguments->segmenter.path,
                   "A network of Cityscapes' classes, e.g. FFNet-40S: an .onnx file or a model folder. Without it only "
                   "objects are found");
  verb->add_option("-o,--output", arguments->output,
                   "Where drawn-over pictures and videos go: a folder, or a file for one input");
  verb->add_option("--budget-ms", arguments->budget_ms,
                   "Mean time of a video's frame: segmentation runs less often to keep it, and only then detection")
      ->check(CLI::PositiveNumber);
  verb->add_option("--batch", arguments->batch,
                   "Pictures or frames of a video a run of each network, which must have that batch or a free one; "
                   "times are a picture's share. Not with --budget-ms")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--score-min", arguments->score_min, "Lowest score of an object")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--iou-max", arguments->iou_max,
                   "Drop objects that overlap a better one of their class by more (IoU)")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--classes", arguments->classes,
                   "Only these objects: names of the model's classes (COCO's) or numbers, separated by commas")
      ->delimiter(',');
  verb->add_option("--padding", arguments->padding, "Of the detector's letterbox; Ultralytics pads with grey (114)")
      ->check(CLI::IsMember({"black", "grey"}))
      ->capture_default_str();
  verb->add_option("--normalize", arguments->normalize,
                   "What the segmenter's input wants: nothing, or ImageNet's mean and deviation; default: what its "
                   "model.yaml says")
      ->check(CLI::IsMember({"none", "imagenet"}));
  verb->add_option("--fov", arguments->field_of_view_deg, "Degrees that the camera sees across the picture")
      ->check(CLI::Range(5.0, 170.0))
      ->capture_default_str();
  verb->add_option("--sectors", arguments->sectors, "Of the obstacle map")
      ->check(CLI::Range(1, 360))
      ->capture_default_str();
  arguments->bench = verb->add_option("--bench", arguments->bench_runs,
                                      "Run each picture so often after two warm-ups, and show percentiles")
                         ->check(CLI::Range(1, 1'000'000))
                         ->expected(0, 1)
                         ->default_str("10");
  arguments->source.add_to(*verb);
  add_session_options(*verb, *arguments);
  context.add_output_options(*verb);
  context.add_overwrite_option(*verb);
  verb->callback([arguments, &context] {
    // One provider for both networks: they are measured together.
    if (arguments->provider == runtime::kAutomatic) {
      arguments->session.provider = arguments->provider;
      if (const auto settled =
              arguments->session.settle({arguments->detector.path, arguments->segmenter.path}, context);
          !settled) {
        return finish_refused(context, settled.error());
      }
      arguments->provider = arguments->session.provider;
    }
    const auto providers = TwoProviders::of(arguments->provider, !arguments->segmenter.path.empty());
    if (!providers) return context.finish_wrong_use(providers.error());
    context.finish(watch(*arguments, *providers, context));
  });
}

}  // namespace slipway::cli
