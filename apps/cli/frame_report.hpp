#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "pipelines/common/frame_source.hpp"
#include "pipelines/common/timing.hpp"
#include "runtime/measured_time.hpp"

// What every verb that takes images says of one.
namespace slipway::cli {

/// Stages in milliseconds. An emulator's time is no device's: it is not shown.
/// @param networks  where inference was timed
[[nodiscard]] nlohmann::ordered_json stage_json(const pipelines::StageTimes& times,
                                                const runtime::TimeOrigin& networks);
[[nodiscard]] nlohmann::ordered_json stage_json(const pipelines::BenchReport& bench,
                                                const runtime::TimeOrigin& networks);
[[nodiscard]] std::string table_of(const pipelines::BenchReport& bench, const runtime::TimeOrigin& networks);

/// Which image it is: its file, its place in a video, its size.
/// @param output  where it is drawn over; empty: nowhere
[[nodiscard]] nlohmann::ordered_json frame_json(const pipelines::SourceFrame& source,
                                                const std::filesystem::path& output = {});
/// "clip.mp4 frame 12"
[[nodiscard]] std::string name_of(const pipelines::SourceFrame& source);

/// Where the networks of a pipeline ran, as a frame's report says it.
struct NetworkReport {
  std::string provider;  ///< as the user named it
  nlohmann::ordered_json placement;
  bool is_emulated = false;

  /// Adds the keys provider, placement, timing_ms and, if measured, bench.
  void add_to(nlohmann::ordered_json& frame, const pipelines::StageTimes& times,
              const std::optional<pipelines::BenchReport>& bench) const;
  /// "before 1 ms, inference 2 ms, after 0.1 ms"
  /// @param details  of inference, before the comma
  [[nodiscard]] std::string text_of(const pipelines::StageTimes& times, const std::string& details = "") const;
  [[nodiscard]] runtime::TimeOrigin origin() const { return runtime::TimeOrigin::of(provider, is_emulated); }
};

/// An image that could not be read. @pre source.error is set
[[nodiscard]] nlohmann::ordered_json failure_json(const pipelines::SourceFrame& source);

}  // namespace slipway::cli
