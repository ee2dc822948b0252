#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/frame_report.hpp"
#include "apps/cli/frame_run.hpp"
#include "apps/cli/mediapipe_arguments.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/table.hpp"
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
  using Detections = typename Verb::Pipeline::Detections;
  using Batch = FrameBatch<Detections>;

  MediapipeRun(const MediapipeArguments& arguments, typename Verb::Pipeline& pipeline, FrameRun& run, std::string rules)
      : arguments_(arguments),
        pipeline_(pipeline),
        run_(run),
        rules_(std::move(rules)),
        networks_{.provider = arguments.session.provider, .placement = {}} {
    const auto add = [&](const char* name, runtime::Session* session) {
      if (session == nullptr) return;
      networks_.is_emulated |= session->placement().is_emulated;
      networks_.placement[name] = cli::json_of(session->placement());
      placement_text_ += fmt::format("{}: {}\n", name, session->placement().summary());
    };
    add("detector", &pipeline.detector_session());
    add("landmark", pipeline.landmark_session());
  }

  base::Result<void> execute(Context& context) {
    SLIPWAY_TRY(run_.run<Batch>(
        arguments_.batch, fmt::format("finding {}", Verb::kPlural), networks_.origin(),
        [&](Batch& batch) { return infer(batch); },
        [&](Batch& batch) {
          return run_.present(
              batch,
              [&](const pipelines::SourceFrame& source, const Detections& found) {
                object_count_ += std::ssize(found.objects);
                return FrameReport{text_of(source, found, batch.bench), json_of(source, found, batch.bench)};
              },
              [](media::Image& image, const Detections& found) { Verb::draw(image, found.objects); });
        }));
    context.print(fmt::format("\n{} in {}\n{}{}", counted(object_count_, Verb::kSingular, Verb::kPlural),
                              counted(run_.frames(), "picture"), placement_text_,
                              networks_.is_emulated ? kEmulatorNote : ""));
    return run_.outcome();
  }

 private:
  using Bench = std::optional<pipelines::BenchReport>;

  base::Result<void> infer(Batch& batch) {
    if (arguments_.is_still) return batch.run(pipeline_, arguments_.measured_runs());
    const auto filled = std::span(batch.frames).first(batch.count);
    const auto video = std::ranges::find(filled, true, &pipelines::SourceFrame::is_video);
    if (video == filled.end()) return batch.run(pipeline_, arguments_.measured_runs());
    if (arguments_.batch > 1) {
      return base::fail(base::Code::kInvalidArgument,
                        "{}: frames of a video are followed one after the other, which --batch {} cannot do: give "
                        "--still to take each by itself, or leave --batch out",
                        video->path.string(), arguments_.batch);
    }
    if (batch.images.empty()) return {};
    if (video->starts_sequence) pipeline_.reset();
    return pipeline_.track(batch.images[0], video->frame.time_s, batch.found[0]);
  }

  ordered_json json_of(const pipelines::SourceFrame& source, const Detections& found, const Bench& bench) const {
    ordered_json json = run_.json_of(source);
    json[Verb::kPlural] = ordered_json::array();
    for (const auto& object : found.objects) json[Verb::kPlural].push_back(json_of_object(object));
    json["rules"] = rules_;
    json["runs"] = {{"detector", found.detector_ran ? 1 : 0}, {"landmark", found.landmark_runs}};
    networks_.add_to(json, found.times, bench);
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
    std::string text =
        fmt::format("{}: {}; {}\n", name_of(source), counted(std::ssize(found.objects), Verb::kSingular, Verb::kPlural),
                    networks_.text_of(found.times, fmt::format(" ({}{})", found.detector_ran ? "detector, " : "",
                                                               counted(found.landmark_runs, "landmark run"))));
    if (source.is_video) return text;
    for (const auto& object : found.objects) text += text_of_object(object);
    return bench ? text + table_of(*bench, networks_.origin()) : text;
  }

  template <typename Object>
  static std::string text_of_object(const Object& found) {
    return fmt::format("  score {:.3f}  at ({:.1f}, {:.1f})  size {:.1f} x {:.1f}{}\n", found.score, found.box.x1,
                       found.box.y1, found.box.x2 - found.box.x1, found.box.y2 - found.box.y1,
                       found.has_landmarks ? fmt::format("  {}{} landmarks, presence {:.3f}", Verb::text_before(found),
                                                         found.landmarks.size(), found.presence)
                                           : "");
  }

  const MediapipeArguments& arguments_;
  typename Verb::Pipeline& pipeline_;
  FrameRun& run_;
  std::string rules_;
  NetworkReport networks_;
  std::string placement_text_;
  std::int64_t object_count_ = 0;
};

/// Reads the inputs, runs the pipeline over them, and reports.
template <typename Verb>
base::Result<void> run_mediapipe(typename Verb::Arguments& arguments, const runtime::SessionOptions& options,
                                 Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(FrameRun run,
                 FrameRun::open(context, arguments.source, arguments.inputs,
                                {arguments.model, arguments.landmark_model}, arguments.output, Verb::kSchema));
  SLIPWAY_ASSIGN(const SeekableInput model, SeekableInput::of(arguments.model, ".onnx"));
  SLIPWAY_ASSIGN(const SeekableInput landmark_model, SeekableInput::of(arguments.landmark_model, ".onnx"));
  arguments.model = model.path();
  arguments.landmark_model = landmark_model.path();
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  typename Verb::Pipeline::Config config = Verb::config_of(arguments);
  arguments.fill(config);
  SLIPWAY_ASSIGN(const std::unique_ptr<typename Verb::Pipeline> pipeline,
                 Verb::Pipeline::load(environment, arguments.models(), options, config));
  for (const runtime::Session* session : {&pipeline->detector_session(), pipeline->landmark_session()}) {
    if (session == nullptr) continue;
    for (const std::string& line : session->log_lines()) fmt::print(stderr, "{}\n", line);
  }
  return MediapipeRun<Verb>(arguments, *pipeline, run, Verb::rules(arguments)).execute(context);
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
    const auto options = arguments->session.settled_options(
        std::vector<std::filesystem::path>{arguments->model, arguments->landmark_model}, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(run_mediapipe<Verb>(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
