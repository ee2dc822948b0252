#pragma once

#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/frame_report.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/mediapipe_arguments.hpp"
#include "apps/cli/overlay_output.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/timing.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;

/// One frame on its way through the loop.
template <typename Verb>
struct MediapipeSlot {
  pipelines::SourceFrame source;
  typename Verb::Detections found;
  std::optional<pipelines::BenchReport> bench;
};

/// What one run over all inputs does with its frames.
/// @tparam Verb  the pipeline of a verb: types Pipeline and Detections, kSchema, kPlural, and objects(), json_of(),
///               text_of(), draw()
template <typename Verb>
class MediapipeRun {
 public:
  MediapipeRun(const MediapipeArguments& arguments, typename Verb::Pipeline& pipeline, OverlayOutput& overlay,
               Context& context, std::string rules)
      : arguments_(arguments), pipeline_(pipeline), overlay_(overlay), context_(context), rules_(std::move(rules)) {
    const auto add = [&](const char* name, runtime::Session* session) {
      if (session == nullptr) return;
      is_emulated_ = is_emulated_ || session->placement().is_emulated;
      placement_[name] = cli::json_of(session->placement());
      placement_text_ += fmt::format("{}: {}\n", name, session->placement().summary());
    };
    add("detector", &pipeline.detector_session());
    add("landmark", pipeline.landmark_session());
  }

  using Slot = MediapipeSlot<Verb>;

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
    SLIPWAY_ASSIGN(slot.bench, pipelines::run_bench(1, arguments_.bench_runs, once));
    return {};
  }

  base::Result<void> present(Slot& slot) {
    if (slot.source.error) {
      ++failures_;
      fmt::print(stderr, "slipway: {}\n", slot.source.error->message);
      return context_.emit(Verb::kSchema, failure_json(slot.source));
    }
    ++frames_;
    object_count_ += static_cast<std::int64_t>(Verb::objects(slot.found).size());
    context_.print(text_of(slot));
    SLIPWAY_TRY(context_.emit(Verb::kSchema, json_of_frame(slot)));
    if (!overlay_.is_wanted()) return {};
    Verb::draw(slot.source.frame.image, Verb::objects(slot.found));
    return overlay_.write(slot.source);
  }

  base::Result<void> finish() {
    SLIPWAY_TRY(overlay_.finish());
    context_.print(fmt::format("\n{} {} in {} pictures\n{}{}", object_count_, Verb::kPlural, frames_, placement_text_,
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
    json[Verb::kPlural] = ordered_json::array();
    for (const auto& found : Verb::objects(slot.found)) json[Verb::kPlural].push_back(Verb::json_of(found));
    json["rules"] = rules_;
    json["runs"] = {{"detector", slot.found.detector_ran ? 1 : 0}, {"landmark", slot.found.landmark_runs}};
    json["provider"] = arguments_.session.provider;
    json["placement"] = placement_;
    json["timing_ms"] = stage_json(slot.found.times, is_emulated_);
    if (slot.bench) json["bench"] = stage_json(*slot.bench, is_emulated_);
    return json;
  }

  std::string text_of(const Slot& slot) const {
    const auto inference_text = [&](double microseconds) { return is_emulated_ ? "-" : time_text(microseconds); };
    const pipelines::StageTimes& times = slot.found.times;
    std::string text = fmt::format(
        "{}{}: {} {}; before {}, inference {} ({}{} landmark runs), after {}\n", slot.source.path.string(),
        slot.source.is_video ? fmt::format(" frame {}", slot.source.frame.index) : "", Verb::objects(slot.found).size(),
        Verb::kPlural, time_text(times.pre_us), inference_text(times.inference_us),
        slot.found.detector_ran ? "detector, " : "", slot.found.landmark_runs, time_text(times.post_us));
    if (slot.source.is_video) return text;
    for (const auto& found : Verb::objects(slot.found)) text += Verb::text_of(found);
    if (!slot.bench) return text;
    return text + table_of(*slot.bench, is_emulated_);
  }

  const MediapipeArguments& arguments_;
  typename Verb::Pipeline& pipeline_;
  OverlayOutput& overlay_;
  Context& context_;
  std::string rules_;
  std::filesystem::path sequence_;
  ordered_json placement_;
  std::string placement_text_;
  bool is_emulated_ = false;
  std::int64_t frames_ = 0, object_count_ = 0, failures_ = 0;
};

/// Reads the inputs, runs the pipeline over them, and reports.
template <typename Verb>
base::Result<void> run_mediapipe(const MediapipeArguments& arguments, const runtime::SessionOptions& options,
                                 const typename Verb::Config& config, const std::string& rules, Context& context) {
  context.keep_standard_output_for_results();
  SLIPWAY_ASSIGN(pipelines::FrameSource source,
                 pipelines::FrameSource::open(arguments.inputs, {.max_pixels = arguments.max_pixels}));
  SLIPWAY_ASSIGN(OverlayOutput overlay, OverlayOutput::open(arguments.output, source.files().size()));
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  SLIPWAY_ASSIGN(const std::unique_ptr<typename Verb::Pipeline> pipeline,
                 Verb::Pipeline::load(environment, arguments.models(), options, config));
  for (const runtime::Session* session : {&pipeline->detector_session(), pipeline->landmark_session()}) {
    if (session == nullptr) continue;
    for (const std::string& line : session->log_lines()) fmt::print(stderr, "{}\n", line);
  }

  keep_first_interrupt();
  MediapipeRun<Verb> run(arguments, *pipeline, overlay, context, rules);
  using Slot = MediapipeSlot<Verb>;
  std::vector<Slot> slots(3);
  SLIPWAY_TRY(pipelines::run_frame_loop(
      slots,
      [&](Slot& slot) -> base::Result<bool> {
        slot.bench.reset();
        return !was_interrupted() && source.next(slot.source);
      },
      [&](Slot& slot) { return run.infer(slot); }, [&](Slot& slot) { return run.present(slot); }));
  return run.finish();
}

}  // namespace slipway::cli
