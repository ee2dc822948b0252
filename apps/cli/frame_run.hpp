#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/frame_batch.hpp"
#include "apps/cli/frame_progress.hpp"
#include "apps/cli/interrupt.hpp"
#include "apps/cli/live_stats.hpp"
#include "apps/cli/overlay_output.hpp"
#include "apps/cli/source_arguments.hpp"
#include "pipelines/common/frame_loop.hpp"
#include "pipelines/common/frame_source.hpp"

namespace slipway::cli {

/// What a verb says of one frame.
struct FrameReport {
  std::string text;
  nlohmann::ordered_json json;
};

/// A run over images and videos, as every verb that draws over them does it: opens what is read and written, takes
/// frames through the loop in batches, and tells of each.
class FrameRun {
 public:
  /// @param models  that the verb reads as well
  /// @param output  empty: nothing is drawn
  /// @param schema  of what is said of a frame
  /// @error as SourceArguments::open, OverlayOutput::open and Context::check_outputs
  [[nodiscard]] static base::Result<FrameRun> open(Context& context, const SourceArguments& arguments,
                                                   const std::vector<std::string>& inputs,
                                                   const std::vector<std::filesystem::path>& models,
                                                   const std::filesystem::path& output, std::string schema);

  /// Takes all frames through, until the first interrupt.
  /// @tparam Batch   a FrameBatch
  /// @param doing    for the progress bar: "finding faces"
  /// @param networks  where they run
  /// @param infer    Result<void>(Batch&)
  /// @param present  Result<void>(Batch&), in another thread
  /// @error the first of any stage; that of the video that could not be ended
  template <typename Batch, typename Infer, typename Present>
  [[nodiscard]] base::Result<void> run(int batch, std::string doing, const runtime::TimeOrigin& networks,
                                       const Infer& infer, const Present& present) {
    catch_first_interrupt();
    if (wants_stats_) stats_ = std::make_unique<LiveStats>(*context_, networks);
    progress_ = std::make_unique<FrameProgress>(source_.files(), std::move(doing));
    std::vector<Batch> slots(3);
    for (Batch& slot : slots) slot.resize(batch);
    const auto outcome = pipelines::run_frame_loop(
        slots,
        [&](Batch& slot) {
          std::uint64_t beside = 0;
          for (const Batch& each : slots) beside += &each == &slot ? 0 : each.held_bytes;
          return slot.fill(
              source_, [] { return !was_interrupted(); }, beside);
        },
        infer, present);
    if (stats_) stats_->finish();
    SLIPWAY_TRY(unless_interrupted(outcome));
    return end_overlay();
  }

  /// Says what was found in each frame of a batch, or why it could not be read, and writes it drawn over.
  /// @param report  FrameReport(const SourceFrame&, const Detections&)
  /// @param draw    void(media::Image&, const Detections&)
  template <typename Batch, typename Report, typename Draw>
  [[nodiscard]] base::Result<void> present(Batch& batch, const Report& report, const Draw& draw) {
    return batch.for_each(
        [&](pipelines::SourceFrame& source, const auto& found) -> base::Result<void> {
          ++frames_;
          SLIPWAY_TRY(tell(report(source, found)));
          if (overlay_.is_wanted()) {
            draw(source.frame.image, found);
            SLIPWAY_TRY(overlay_.write(source));
          }
          progress_->advance();
          if (stats_) stats_->add(source);
          return {};
        },
        [&](const pipelines::SourceFrame& source) { return tell_failure(source); });
  }

  /// The first keys of a frame's JSON: which it is, and where it goes.
  [[nodiscard]] nlohmann::ordered_json json_of(const pipelines::SourceFrame& source) const;

  /// Those that were read.
  [[nodiscard]] std::int64_t frames() const { return frames_; }
  /// @error kDataLoss: inputs that could not be read, or not to the end
  [[nodiscard]] base::Result<void> outcome() const;

 private:
  FrameRun(Context& context, pipelines::FrameSource source, OverlayOutput overlay, std::string schema, bool wants_stats)
      : context_(&context),
        source_(std::move(source)),
        overlay_(std::move(overlay)),
        schema_(std::move(schema)),
        wants_stats_(wants_stats) {}

  [[nodiscard]] base::Result<void> tell(const FrameReport& report);
  [[nodiscard]] base::Result<void> tell_failure(const pipelines::SourceFrame& source);
  [[nodiscard]] base::Result<void> end_overlay();

  Context* context_;
  pipelines::FrameSource source_;
  OverlayOutput overlay_;
  std::string schema_;
  bool wants_stats_;
  std::unique_ptr<FrameProgress> progress_;
  std::unique_ptr<LiveStats> stats_;
  std::int64_t frames_ = 0, failures_ = 0;
};

}  // namespace slipway::cli
