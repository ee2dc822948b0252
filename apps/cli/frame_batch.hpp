#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/machine_memory.hpp"
#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/timing.hpp"

namespace slipway::cli {

/// Images or frames that go through the loop, and through the networks, together.
/// @tparam Detections  what a pipeline finds in one of them; has `times` for run()
/// @tparam Bench       what was measured of a batch
template <typename Detections, typename Bench = pipelines::BenchReport>
struct FrameBatch {
  std::vector<pipelines::SourceFrame> frames;
  std::vector<Detections> found;         ///< of the frames that could be read, in order
  std::vector<media::ImageView> images;  ///< of the same frames
  std::optional<Bench> bench;            ///< times are an image's share
  std::size_t count = 0;                 ///< of frames that are filled; the last batch may be incomplete
  std::uint64_t held_bytes = 0;          ///< by the pixels of `frames`, whose memory is used again

  void resize(int batch) {
    frames.resize(static_cast<std::size_t>(batch));
    found.resize(frames.size());
  }

  /// @param may_go_on   bool(), asked before each frame
  /// @param held_beside  bytes that other batches hold
  /// @return whether there is one
  /// @error kResourceExhausted: the batches are more than the machine's memory
  template <typename MayGoOn>
  base::Result<bool> fill(pipelines::FrameSource& source, const MayGoOn& may_go_on, std::uint64_t held_beside) {
    count = 0;
    bench.reset();
    images.clear();
    while (count < frames.size() && may_go_on()) {
      const std::uint64_t before = bytes_of(frames[count].frame.image);
      if (!source.next(frames[count])) break;
      const media::Image& image = frames[count].frame.image;
      held_bytes += bytes_of(image) - before;
      SLIPWAY_TRY(base::check_memory(held_beside + held_bytes, [&] {
        return fmt::format("--batch {}: pictures like this one, of {}x{} pixels, three batches at a time",
                           frames.size(), image.width(), image.height());
      }));
      if (!frames[count].error) images.push_back(image.view());
      ++count;
    }
    return count > 0;
  }

  /// Runs the pipeline on what could be read, or measures it.
  /// @param bench_runs  nothing: once
  template <typename Pipeline>
  base::Result<void> run(Pipeline& pipeline, std::optional<int> bench_runs) {
    constexpr int kWarmupRuns = 1;
    if (images.empty()) return {};
    const auto once = [&]() -> base::Result<pipelines::StageTimes> {
      const auto filled = std::span(found).first(images.size());
      SLIPWAY_TRY(pipeline.run(std::span<const media::ImageView>(images), filled));
      pipelines::StageTimes mean;
      const auto share = static_cast<double>(filled.size());
      for (const Detections& each : filled) {
        mean.pre_us += each.times.pre_us / share;
        mean.inference_us += each.times.inference_us / share;
        mean.post_us += each.times.post_us / share;
      }
      return mean;
    };
    if (!bench_runs || frames[0].is_video) {
      SLIPWAY_TRY(once());
      return {};
    }
    SLIPWAY_ASSIGN(bench, pipelines::run_bench(kWarmupRuns, *bench_runs, once));
    return {};
  }

  /// @param present          Result<void>(SourceFrame&, const Detections&)
  /// @param present_failure  Result<void>(const SourceFrame&), for what could not be read
  template <typename Present, typename PresentFailure>
  base::Result<void> for_each(const Present& present, const PresentFailure& present_failure) {
    std::size_t next = 0;
    for (pipelines::SourceFrame& frame : std::span(frames).first(count)) {
      SLIPWAY_TRY(frame.error ? present_failure(frame) : present(frame, found[next++]));
    }
    return {};
  }

 private:
  static std::uint64_t bytes_of(const media::Image& image) {
    return static_cast<std::uint64_t>(image.stride_bytes()) * static_cast<std::uint64_t>(image.height());
  }
};

}  // namespace slipway::cli
