#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/frame_batch.hpp"
#include "apps/cli/frame_progress.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/mediapipe_arguments.hpp"
#include "apps/cli/overlay_output.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/timing.hpp"
#include "pipelines/mediapipe_common/pipeline.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;

template <std::size_t count>
ordered_json json_of_points(const std::array<pipelines::mediapipe::Landmark, count>& points) {
  ordered_json json = ordered_json::array();
  for (const pipelines::mediapipe::Landmark& point : points) json.push_back({point.x, point.y, point.z});
  return json;
}

/// What one run over all inputs does with its frames.
/// @tparam Verb  types Pipeline (a pipelines::mediapipe::Pipeline) and Arguments; kName, kSchema, kSingular, kPlural;
///               config_of(), rules(), draw(), extend() of an object's JSON, text_before() its landmarks
template <typename Verb>
class MediapipeRun {
 public:
  MediapipeRun(const MediapipeArguments& arguments, typename Verb::Pipeline& pipeline, OverlayOutput& overlay,
               Context& context, std::string rules, const std::vector<std::filesystem::path>& files)
      : arguments_(arguments),
        pipeline_(pipeline),
        overlay_(overlay),
        context_(context),
        rules_(std::move(rules)),
        progress_(files, fmt::format("finding {}", Verb::kPlural)) {
    const auto add = [&](const char* name, runtime::Session* session) {
      if (session == nullptr) return;
      is_emulated_ = is_emulated_ || session->placement().is_emulated;
      placement_[name] = cli::json_of(session->placement());
      placement_text_ += fmt::format("{}: {}\n", name, session->placement().summary());
    };
    add("detector", &pipeline.detector_session());
    add("landmark", pipeline.landmark_session());
  }

  using Detections = typename Verb::Pipeline::Detections;
  using Slot = FrameBatch<Detections>;
  using Bench = std::optional<pipelines::BenchReport>;

  base::Result<void> infer(Slot& slot) {
    if (arguments_.is_still) return slot.run(pipeline_, arguments_.measured_runs());
    const auto filled = std::span(slot.frames).first(slot.count);
    const auto video = std::ranges::find(filled, true, &pipelines::SourceFrame::is_video);
    if (video == filled.end()) return slot.run(pipeline_, arguments_.measured_runs());
    if (arguments_.batch > 1) {
      return base::fail(base::Code::kInvalidArgument,
                        "{}: frames of a video are followed one after the other, which --batch {} cannot do: give "
                        "--still to take each by itself, or leave --batch out",
                        video->path.string(), arguments_.batch);
    }
    if (slot.images.empty()) return {};
    if (video->starts_sequence) pipeline_.reset();
    return pipeline_.track(slot.images[0], video->frame.time_s, slot.found[0]);
  }

  base::Result<void> present(Slot& slot) {
    return slot.for_each(
        [&](pipelines::SourceFrame& source, const Detections& found) { return present(source, found, slot.bench); },
        [&](const pipelines::SourceFrame& source) { return present_failure(source); });
  }

  base::Result<void> finish() {
    SLIPWAY_TRY(overlay_.finish());
    context_.print(fmt::format("\n{} in {}\n{}{}", counted(object_count_, Verb::kSingular, Verb::kPlural),
                               counted(frames_, "picture"), placement_text_, is_emulated_ ? kEmulatorNote : ""));
    if (failures_ == 0) return {};
    return base::fail(base::Code::kDataLoss, "{} could not be read, or not to the end", counted(failures_, "input"));
  }

 private:
  base::Result<void> present_failure(const pipelines::SourceFrame& source) {
    ++failures_;
    progress_.advance();
    ProgressBar::wipe();
    fmt::print(stderr, "slipway: {}\n", source.error->message);
    return context_.emit(Verb::kSchema, failure_json(source));
  }

  base::Result<void> present(pipelines::SourceFrame& source, const Detections& found, const Bench& bench) {
    ++frames_;
    object_count_ += static_cast<std::int64_t>(found.objects.size());
    context_.print(text_of(source, found, bench));
    SLIPWAY_TRY(context_.emit(Verb::kSchema, json_of_frame(source, found, bench)));
    if (overlay_.is_wanted()) {
      Verb::draw(source.frame.image, found.objects);
      SLIPWAY_TRY(overlay_.write(source));
    }
    progress_.advance();
    return {};
  }

  ordered_json json_of_frame(const pipelines::SourceFrame& source, const Detections& found, const Bench& bench) const {
    ordered_json json = frame_json(source, overlay_.target(source));
    json[Verb::kPlural] = ordered_json::array();
    for (const auto& object : found.objects) json[Verb::kPlural].push_back(json_of_object(object));
    json["rules"] = rules_;
    json["runs"] = {{"detector", found.detector_ran ? 1 : 0}, {"landmark", found.landmark_runs}};
    json["provider"] = arguments_.session.provider;
    json["placement"] = placement_;
    json["timing_ms"] = stage_json(found.times, origin());
    if (bench) json["bench"] = stage_json(*bench, origin());
    return json;
  }

  template <typename Object>
  static ordered_json json_of_object(const Object& found) {
    ordered_json json = {{"box", {found.box.x1, found.box.y1, found.box.x2, found.box.y2}}, {"score", found.score}};
    if (found.track_id >= 0) json["track"] = found.track_id;
    json["keypoints"] = ordered_json::array();
    if (found.has_keypoints) {
      for (const media::Point& point : found.keypoints) json["keypoints"].push_back({point.x, point.y});
    }
    if (found.has_landmarks) json["presence"] = found.presence;
    json["landmarks"] = found.has_landmarks ? json_of_points(found.landmarks) : ordered_json::array();
    if (found.has_landmarks) Verb::extend(json, found);
    return json;
  }

  std::string text_of(const pipelines::SourceFrame& source, const Detections& found, const Bench& bench) const {
    const auto own = runtime::TimeOrigin::own_work();
    const pipelines::StageTimes& times = found.times;
    std::string text =
        fmt::format("{}: {}; before {}, inference {} ({}{}), after {}\n", name_of(source),
                    counted(std::ssize(found.objects), Verb::kSingular, Verb::kPlural), time_text({times.pre_us, own}),
                    time_text({times.inference_us, origin()}), found.detector_ran ? "detector, " : "",
                    counted(found.landmark_runs, "landmark run"), time_text({times.post_us, own}));
    if (source.is_video) return text;
    for (const auto& object : found.objects) text += text_of_object(object);
    return bench ? text + table_of(*bench, origin()) : text;
  }

  template <typename Object>
  static std::string text_of_object(const Object& found) {
    return fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                       found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                       found.has_landmarks ? fmt::format("  {}{} landmarks, presence {:.3f}", Verb::text_before(found),
                                                         found.landmarks.size(), found.presence)
                                           : "");
  }

  runtime::TimeOrigin origin() const { return runtime::TimeOrigin::of(arguments_.session.provider, is_emulated_); }

  const MediapipeArguments& arguments_;
  typename Verb::Pipeline& pipeline_;
  OverlayOutput& overlay_;
  Context& context_;
  std::string rules_;
  FrameProgress progress_;
  ordered_json placement_;
  std::string placement_text_;
  bool is_emulated_ = false;
  std::int64_t frames_ = 0, object_count_ = 0, failures_ = 0;
};

/// Reads the inputs, runs the pipeline over them, and reports.
template <typename Verb>
base::Result<void> run_mediapipe(const typename Verb::Arguments& arguments, const runtime::SessionOptions& options,
                                 Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(pipelines::FrameSource source, arguments.source.open(arguments.inputs, !arguments.output.empty()));
  auto named = OverlayOutput::open(arguments.output, source.files());
  if (!named) return context.wrong_use(std::move(named).error());
  OverlayOutput& overlay = *named;
  SLIPWAY_TRY(context.check_outputs(files_read({arguments.model, arguments.landmark_model}, arguments.inputs),
                                    overlay.planned()));
  SLIPWAY_TRY(overlay.make_folder());
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  typename Verb::Pipeline::Config config = Verb::config_of(arguments);
  arguments.fill(config);
  SLIPWAY_ASSIGN(const std::unique_ptr<typename Verb::Pipeline> pipeline,
                 Verb::Pipeline::load(environment, arguments.models(), options, config));
  for (const runtime::Session* session : {&pipeline->detector_session(), pipeline->landmark_session()}) {
    if (session == nullptr) continue;
    for (const std::string& line : session->log_lines()) fmt::print(stderr, "{}\n", line);
  }

  catch_first_interrupt();
  MediapipeRun<Verb> run(arguments, *pipeline, overlay, context, Verb::rules(arguments), source.files());
  using Slot = typename MediapipeRun<Verb>::Slot;
  std::vector<Slot> slots(3);
  for (Slot& slot : slots) slot.resize(arguments.batch);
  SLIPWAY_TRY(unless_interrupted(pipelines::run_frame_loop(
      slots, [&](Slot& slot) -> base::Result<bool> { return slot.fill(source, [] { return !was_interrupted(); }); },
      [&](Slot& slot) { return run.infer(slot); }, [&](Slot& slot) { return run.present(slot); })));
  if (const auto video = overlay.video_under_way(); video && was_interrupted()) context.note_cut_short(*video);
  return run.finish();
}

/// Adds the verb to the command line.
template <typename Verb>
void add_mediapipe(CLI::App& app, Context& context, const char* description, const MediapipeArguments::Words& words) {
  CLI::App* verb = app.add_subcommand(Verb::kName, description);
  auto arguments = std::make_shared<typename Verb::Arguments>();
  arguments->add_to(*verb, words);
  context.add_output_options(*verb);
  context.add_overwrite_option(*verb);
  verb->callback([arguments, &context] {
    const auto options = arguments->session.session_options();
    if (!options) return context.finish_wrong_use(options.error());
    context.finish(run_mediapipe<Verb>(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
