#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/frame_progress.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/live_stats.hpp"
#include "apps/cli/notes.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/samurai_detect.hpp"
#include "apps/cli/samurai_outputs.hpp"
#include "apps/cli/samurai_prompts.hpp"
#include "apps/cli/samurai_validate.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/source_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "media/camera.hpp"
#include "media/input_stream.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/samurai/tracker.hpp"
#include "runtime/process_memory.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
namespace samurai = pipelines::samurai;
using nlohmann::ordered_json;

constexpr std::uint64_t kTraceLimitBytes = std::uint64_t{64} << 20;

struct SamuraiArguments {
  std::string video;
  fs::path model;
  SessionArguments session;
  SourceArguments source;
  PromptArguments prompts;
  DetectArguments detect;
  SamuraiOutputs::Paths outputs;
  std::int64_t frames = 0;
  std::vector<std::string> in_float32;
  std::optional<bool> overlap;  ///< what was asked for; otherwise settled by encodes_ahead()
  bool bench = false;
};

/// One frame on its way through the loop.
struct Slot {
  pipelines::SourceFrame source;
  std::unique_ptr<samurai::Features> features;
  samurai::FrameResult result;
};

/// Frames of videos come stretched as the original's reader stretches them, from the video's own colours.
base::Result<void> encode(samurai::SamuraiTracker& tracker, Slot& slot) {
  const media::VideoFrame& frame = slot.source.frame;
  if (frame.square.view().empty()) return tracker.encode(frame.image.view(), *slot.features);
  return tracker.encode(frame.square.view(), frame.image.width(), frame.image.height(), *slot.features);
}

/// Microseconds of the newest frames, by stage: a stream without end must not fill memory.
struct StageSamples {
  static constexpr std::array<const char*, 8> kNames = {"prepare",          "image encoder",        "loading attention",
                                                        "memory attention", "mask decoder",         "memory encoder",
                                                        "rules and mask",   "all after the encoder"};
  static constexpr std::size_t kNewest = 10'000;
  std::array<std::vector<double>, kNames.size()> samples;
  std::size_t next = 0;

  void add(const samurai::FrameResult::Times& times) {
    const std::array<double, kNames.size()> values = {times.prepare, times.encode,   times.load,   times.attention,
                                                      times.decode,  times.remember, times.finish, times.track};
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (samples[i].size() < kNewest) {
        samples[i].push_back(values[i]);
      } else {
        samples[i][next] = values[i];
      }
    }
    next = (next + 1) % kNewest;
  }

  [[nodiscard]] std::string table(const runtime::TimeOrigin& networks) const {
    Table table({{"stage"},
                 {"frames", Align::kRight},
                 {"median", Align::kRight},
                 {"min", Align::kRight},
                 {"p90", Align::kRight},
                 {"max", Align::kRight}});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const runtime::Statistics all = runtime::statistics_of(samples[i]);
      table.add({kNames[i], fmt::format("{}", all.count), time_text({all.median_us, networks}),
                 time_text({all.min_us, networks}), time_text({all.p90_us, networks}),
                 time_text({all.max_us, networks})});
    }
    return table.text();
  }

  [[nodiscard]] ordered_json json(const runtime::TimeOrigin& networks) const {
    ordered_json json;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      json[kNames[i]] = json_of(runtime::MeasuredStatistics{runtime::statistics_of(samples[i]), networks});
    }
    return json;
  }
};

ordered_json json_of_object(std::size_t number, const samurai::ObjectResult& object) {
  const pipelines::Box& box = object.mask.box;
  ordered_json json = {{"id", number}, {"visible", object.is_visible}, {"bbox", nullptr}, {"bounds", nullptr}};
  if (object.mask.area > 0) {
    json["bbox"] = {box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1};
    json["bounds"] = {box.x1, box.y1, box.x2, box.y2};
  }
  json["area"] = object.mask.area;
  json["predicted_iou"] = object.predicted_iou;
  json["object_score"] = object.trace.object_score;
  const auto& motion = object.decision.choice.motion_score;
  json["motion_score"] = motion ? ordered_json(*motion) : ordered_json();
  return json;
}

/// What one run over a video does with its frames.
class Run {
 public:
  Run(const SamuraiArguments& arguments, samurai::SamuraiTracker& tracker, SamuraiOutputs& outputs, Context& context,
      const std::vector<fs::path>& files, bool is_ahead)
      : arguments_(arguments),
        tracker_(tracker),
        outputs_(outputs),
        context_(context),
        is_ahead_(is_ahead),
        progress_(files, "tracking", arguments.frames) {
    for (const auto& [name, placement] : tracker.network().placements()) is_emulated_ |= placement.is_emulated;
    if (arguments.source.stats) stats_ = std::make_unique<LiveStats>(context, origin());
  }

  base::Result<void> infer(Slot& slot) {
    if (slot.source.error) {
      if (tracked_ > 0) return {};
      return std::unexpected(slot.source.error->with("the first frame, on which the object was shown, cannot be read"));
    }
    if (!is_ahead_) SLIPWAY_TRY(encode(tracker_, slot));
    ++tracked_;
    return tracker_.track(*slot.features, slot.result);
  }

  base::Result<void> present(Slot& slot) {
    if (slot.source.error) {
      ++failures_;
      ProgressBar::wipe();
      fmt::print(stderr, "slipway: {}\n", slot.source.error->message);
      return context_.emit(
          "samurai/1",
          {{"input", slot.source.path.string()},
           {"source", slot.source.path.string()},
           {"error", {{"code", base::code_name(slot.source.error->code)}, {"message", slot.source.error->message}}}});
    }
    const media::Image& image = slot.source.frame.image;
    if (width_ != 0 && (width_ != image.width() || height_ != image.height())) {
      ProgressBar::wipe();
      fmt::print(stderr,
                 "slipway: warning: frame {} is {}x{}, the one before {}x{}; mask and box are in its own pixels\n",
                 slot.result.frame, image.width(), image.height(), width_, height_);
    }
    width_ = image.width();
    height_ = image.height();
    ++frames_;
    objects_ = slot.result.objects.size();
    for (const samurai::ObjectResult& object : slot.result.objects) hidden_ += object.mask.area == 0 ? 1 : 0;
    samples_.add(slot.result.times);
    SLIPWAY_TRY(context_.emit("samurai/1", json_of_frame(slot)));
    SLIPWAY_TRY(outputs_.write(slot.source, slot.result));
    progress_.advance();
    if (stats_) stats_->add(slot.source);
    return {};
  }

  /// No frame comes any more.
  void end_stats() {
    if (stats_) stats_->finish();
  }

  base::Result<void> finish(double seconds) {
    SLIPWAY_TRY(outputs_.finish());
    if (frames_ == 0) return base::fail(base::Code::kDataLoss, "{}: no frame could be read", arguments_.video);
    const std::size_t count = objects_;
    const double peak = static_cast<double>(runtime::resident_set().peak_bytes);
    std::string text =
        fmt::format("{} followed over {}, without a mask on {}", counted(static_cast<std::int64_t>(count), "object"),
                    counted(frames_, "frame"), hidden_);
    ordered_json json = {{"input", arguments_.video},
                         {"video", arguments_.video},
                         {"model", arguments_.model.string()},
                         {"objects", count},
                         {"frames", frames_},
                         {"frames_without_mask", hidden_},
                         {"unreadable", failures_},
                         {"provider", arguments_.session.provider},
                         {"is_emulated", is_emulated_}};
    for (const auto& [name, placement] : tracker_.network().placements()) json["placement"][name] = json_of(placement);
    const runtime::MeasuredValue<double> measured(seconds, origin());
    if (measured.value()) {
      const double whole = *measured.value();
      text += fmt::format("; {:.2f} s a frame ({:.2f} s in all)", whole / static_cast<double>(frames_), whole);
      json["seconds"] = whole;
      json["peak_bytes"] = peak;
      json["stages"] = samples_.json(origin());
    }
    text += "\n";
    if (arguments_.bench && !is_emulated_) {
      text += samples_.table(origin()) +
              fmt::format("largest resident set {}\n", bytes_text(static_cast<std::uint64_t>(peak)));
    }
    for (const auto& [name, placement] : tracker_.network().placements()) {
      text += fmt::format("  {:<26}{}\n", name, placement.summary());
    }
    if (is_emulated_) text += kEmulatorNote;
    context_.print(text);
    SLIPWAY_TRY(context_.emit("samurai-summary/1", json));
    if (failures_ == 0) return {};
    return base::fail(base::Code::kDataLoss, "{} could not be read", counted(failures_, "frame"));
  }

 private:
  runtime::TimeOrigin origin() const { return runtime::TimeOrigin::of(arguments_.session.provider, is_emulated_); }

  ordered_json json_of_frame(const Slot& slot) const {
    ordered_json json = {{"input", slot.source.path.string()}, {"source", slot.source.path.string()}};
    if (!arguments_.outputs.video.empty()) json["output"] = arguments_.outputs.video.string();
    if (!arguments_.outputs.masks.empty()) json["masks"] = arguments_.outputs.masks.string();
    json["frame"] = slot.result.frame;
    if (slot.source.is_video) json["time_s"] = slot.source.frame.time_s;
    json["width"] = slot.source.frame.image.width();
    json["height"] = slot.source.frame.image.height();
    json["objects"] = ordered_json::array();
    for (std::size_t i = 0; i < slot.result.objects.size(); ++i) {
      json["objects"].push_back(json_of_object(i + 1, slot.result.objects[i]));
    }
    if (is_emulated_) return json;
    const samurai::FrameResult::Times& times = slot.result.times;
    json["timing_ms"] = {{"prepare", times.prepare / 1000},
                         {"image_encoder", times.encode / 1000},
                         {"memory_attention", times.attention / 1000},
                         {"mask_decoder", times.decode / 1000},
                         {"memory_encoder", times.remember / 1000},
                         {"after_encoder", times.track / 1000}};
    return json;
  }

  const SamuraiArguments& arguments_;
  samurai::SamuraiTracker& tracker_;
  SamuraiOutputs& outputs_;
  Context& context_;
  bool is_ahead_;  ///< frames come encoded
  bool is_emulated_ = false;
  FrameProgress progress_;
  std::unique_ptr<LiveStats> stats_;
  StageSamples samples_;
  std::int64_t tracked_ = 0;  // of infer(), the others of present()
  std::int64_t frames_ = 0, hidden_ = 0, failures_ = 0;
  std::size_t objects_ = 0;
  int width_ = 0, height_ = 0;
};

/// Whether the next frame is encoded while this one is tracked. Left to itself it is, where the two do not take the
/// same cores: both at once on the same ones are slower than one after the other.
bool encodes_ahead(const SamuraiArguments& arguments, const runtime::SessionOptions& options) {
  if (arguments.overlap) return *arguments.overlap;
  const auto row = runtime::find_provider(options.provider.name);
  if (row && (*row)->unit != runtime::ComputeUnit::kCpu) return true;
  return options.intra_op_threads > 0 &&
         2 * static_cast<unsigned>(options.intra_op_threads) <= std::thread::hardware_concurrency();
}

/// Frames of the whole input, as far as it matters to the tracker: exact below 16, nothing for streams and cameras.
std::optional<std::int64_t> frames_of_short_video(const pipelines::FrameSource& source) {
  const auto& files = source.files();
  if (std::ranges::any_of(files,
                          [](const fs::path& file) { return media::is_camera_path(file) || media::is_stream(file); })) {
    return {};
  }
  if (files.size() > 1 || !media::has_video_ending(files.front())) return static_cast<std::int64_t>(files.size());
  auto video = media::VideoReader::open(files.front());
  if (!video || video->info().duration_s * video->info().frames_per_second() > 2 * samurai::kPointers) return {};
  media::VideoFrame frame;
  std::int64_t frames = 0;
  while (frames < samurai::kPointers) {
    const auto has_frame = video->next(frame);
    if (!has_frame || !*has_frame) break;
    ++frames;
  }
  return frames;
}

base::Result<void> follow(const SamuraiArguments& arguments, std::vector<samurai::Prompt> prompts,
                          const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(pipelines::FrameSource source,
                 arguments.source.open({arguments.video}, !arguments.outputs.video.empty()));
  const std::size_t objects = prompts.size() + arguments.detect.classes.size();
  std::vector<std::string> read = arguments.prompts.masks;
  read.push_back(arguments.video);
  SLIPWAY_TRY(context.check_outputs(files_read({arguments.model, arguments.detect.model}, read),
                                    SamuraiOutputs::planned(arguments.outputs, objects)));
  auto opened = SamuraiOutputs::open(arguments.outputs, objects);
  // A full disk is no fault of the words.
  if (!opened && opened.error().code != base::Code::kInvalidArgument) return std::unexpected(opened.error());
  if (!opened) return context.wrong_use(std::move(opened).error());
  SamuraiOutputs& outputs = *opened;
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  const std::set<std::string> in_float32(arguments.in_float32.begin(), arguments.in_float32.end());
  SLIPWAY_ASSIGN(const auto tracker, samurai::SamuraiTracker::load(environment, arguments.model, options, in_float32));
  for (const std::string& line : tracker->network().log_lines()) fmt::print(stderr, "{}\n", line);
  source.also_stretch_videos_to(tracker->network().constants().image_size);
  const std::optional<std::int64_t> frames_of_video = frames_of_short_video(source);
  std::optional<PromptDetector> detector;
  if (prompts.empty()) {
    SLIPWAY_ASSIGN(detector, PromptDetector::load(environment, arguments.detect, options));
  } else {
    SLIPWAY_TRY(tracker->start(std::move(prompts), frames_of_video));
  }

  // Three slots when the encoder works on the next frame meanwhile: one in each stage.
  const bool is_ahead = encodes_ahead(arguments, options);
  std::vector<Slot> slots(is_ahead ? 3 : 2);
  for (Slot& slot : slots) {
    SLIPWAY_ASSIGN(slot.features, tracker->make_features());
  }
  catch_first_interrupt();
  const auto started = std::chrono::steady_clock::now();
  Run run(arguments, *tracker, outputs, context, source.files(), is_ahead);
  std::int64_t captured = 0, passed_over = 0;
  const auto capture = [&](Slot& slot) -> base::Result<bool> {
    if (arguments.frames > 0 && captured == arguments.frames) return false;
    if (was_interrupted() || !source.next(slot.source)) return false;
    // Frames are passed over until all that is to be followed is on one.
    while (detector && !slot.source.error) {
      SLIPWAY_ASSIGN(auto shown, detector->find(slot.source.frame.image.view()));
      if (!shown.empty()) {
        note(fmt::format("found on frame {}: {}", passed_over, detector->found()));
        SLIPWAY_TRY(tracker->start(std::move(shown), frames_of_video));
        detector.reset();
        break;
      }
      ++passed_over;
      const bool has_next = !was_interrupted() && source.next(slot.source);
      if (was_interrupted()) return false;
      if (!has_next) {
        return base::fail(base::Code::kNotFound, "{}: no {} with a score of {:g} or more on any of its {} frames",
                          arguments.video, detector->wanted(), arguments.detect.score_min, passed_over);
      }
    }
    if (slot.source.error) return true;
    ++captured;
    if (is_ahead) SLIPWAY_TRY(encode(*tracker, slot));
    return true;
  };
  const auto outcome = pipelines::run_frame_loop(
      slots, capture, [&](Slot& slot) { return run.infer(slot); }, [&](Slot& slot) { return run.present(slot); });
  run.end_stats();
  SLIPWAY_TRY(unless_interrupted(outcome));
  if (was_interrupted()) {
    for (const fs::path& file : outputs.under_way()) context.note_cut_short(file);
  }
  return run.finish(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
}

base::Result<void> replay(const fs::path& file, double motion_weight, Context& context) {
  SLIPWAY_TRY(context.check_outputs({file}, {}));
  SLIPWAY_ASSIGN(const SeekableInput input, SeekableInput::of(file));
  SLIPWAY_ASSIGN(const std::string text, base::read_file(input.path(), kTraceLimitBytes));
  SLIPWAY_ASSIGN(const auto frames, samurai::read_trace(text, file.string()));
  const std::vector<samurai::Decision> decisions = samurai::replay(frames, motion_weight);
  ordered_json rows = ordered_json::array();
  Table table({{"frame", Align::kRight},
               {"mask", Align::kRight},
               {"motion score", Align::kRight},
               {"stable", Align::kRight},
               {"frames in memory"}});
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    ordered_json row = {{"frame", frames[i].frame}};
    row.update(samurai::json_of(decisions[i]));
    std::vector<int> remembered;
    for (const auto& slot : row["memory"]) remembered.push_back(slot[1].get<int>());
    table.add({row["frame"].dump(), row["choice"].dump(),
               row["kf_score"].is_number() ? fmt::format("{:.3f}", row["kf_score"].get<double>()) : "-",
               row["stable"].dump(), fmt::format("{}", fmt::join(remembered, " "))});
    rows.push_back(std::move(row));
  }
  context.print(table.text());
  return context.emit("samurai-replay/1", {{"input", file.string()}, {"frames", rows}});
}

void add_replay(CLI::App& verb, Context& context) {
  struct ReplayArguments {
    fs::path trace;
    double motion_weight = samurai::kMotionWeight;
  };
  CLI::App* part = verb.add_subcommand(
      "replay", "Run the rules alone over a trace: what is chosen and remembered. No model is needed");
  auto arguments = std::make_shared<ReplayArguments>();
  part->add_option("trace", arguments->trace,
                   "{\"frames\": [{\"frame\", \"boxes\": [[x0, y0, x1, y1] x 3], \"ious\": [3], \"object_score\"}]}")
      ->required();
  part->add_option("--motion-weight", arguments->motion_weight,
                   "Weight of motion against predicted IoU; the large model's configuration has 0.15")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  context.add_output_options(*part);
  part->callback(
      [arguments, &context] { context.finish(replay(arguments->trace, arguments->motion_weight, context)); });
}

}  // namespace

void add_samurai(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("samurai", "Follow objects through a video with SAM 2.1 and SAMURAI's rules");
  auto arguments = std::make_shared<SamuraiArguments>();
  verb->add_option(
      "video", arguments->video,
      "A video, a folder of pictures in the order of their names, a camera (/dev/video0), or - for a stream");
  verb->add_option("-m,--model", arguments->model, "Model folder, as python -m python.exporters.samurai writes it");
  verb->add_option("--box,--bbox", arguments->prompts.boxes,
                   "The object on the first frame: x,y,w,h in pixels; once for each object")
      ->allow_extra_args(false)
      ->take_all();
  verb->add_option("--point", arguments->prompts.points,
                   "A place on the first frame: x,y,1 on the object, x,y,0 beside it; may be repeated")
      ->allow_extra_args(false)
      ->take_all();
  verb->add_option("--mask", arguments->prompts.masks,
                   "A picture of the first frame's size, not 0 where the object is (a palette's index, alpha, any "
                   "value); once for each object")
      ->allow_extra_args(false)
      ->take_all();
  verb->add_option(
          "--detect", arguments->detect.classes,
          "Follow the best object of this class, e.g. person, from the first frame that has one; once for each "
          "object. Needs --detector")
      ->allow_extra_args(false)
      ->take_all();
  verb->add_option("--detector", arguments->detect.model,
                   "YOLOv8 network for --detect: a .onnx file or a model folder");
  verb->add_option("--detect-min", arguments->detect.score_min, "Least score of what --detect finds")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("-o,--output", arguments->outputs.video, "The video with masks and boxes drawn over it");
  verb->add_option("--masks", arguments->outputs.masks, "Folder of a black and white picture a frame");
  verb->add_option("--trace", arguments->outputs.trace,
                   "JSON of what the rules saw and decided; `slipway samurai replay` reads it");
  verb->add_option("--frames", arguments->frames, "Stop after so many frames")->check(CLI::PositiveNumber);
  verb->add_option(
          "--float32", arguments->in_float32,
          "A component that stays in float32 with --precision bf16: image_encoder, mask_decoder, memory_encoder or "
          "memory_attention (prompt_encoder always does); may be repeated")
      ->allow_extra_args(false)
      ->take_all();
  verb->add_flag("--overlap,!--no-overlap", arguments->overlap,
                 "Encode a frame while the one before is tracked, or after it. Left out: meanwhile, where encoder and "
                 "tracker do not share cores (another device than the CPU, or --threads of half the cores or less)");
  verb->add_flag("--bench", arguments->bench, "Show how long each stage took");
  arguments->source.add_to(*verb);
  arguments->session.add_to(*verb);
  context.add_output_options(*verb);
  context.add_overwrite_option(*verb);
  add_replay(*verb, context);
  add_samurai_validate(*verb, context);
  verb->require_subcommand(0, 1);
  verb->callback([verb, arguments, &context] {
    if (!verb->get_subcommands().empty()) return;
    if (arguments->video.empty() || arguments->model.empty()) {
      return context.finish_wrong_use({base::Code::kInvalidArgument, "samurai takes VIDEO --model DIR --box x,y,w,h"});
    }
    auto prompts = read_prompts(arguments->prompts, arguments->detect);
    if (!prompts) return context.finish_wrong_use(prompts.error());
    const auto options =
        arguments->session.settled_options(std::vector<std::filesystem::path>{arguments->model}, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(follow(*arguments, std::move(*prompts), *options, context));
  });
}

}  // namespace slipway::cli
