#include "apps/cli/frame_report.hpp"

#include <fmt/format.h>

#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;
using runtime::TimeOrigin;

ordered_json stage_json(const pipelines::StageTimes& times, const TimeOrigin& networks) {
  const runtime::MeasuredTime inference(times.inference_us, networks);
  return {{"pre", times.pre_us / 1000},
          {"inference", inference.value() ? ordered_json(*inference.value() / 1000) : ordered_json()},
          {"post", times.post_us / 1000}};
}

ordered_json stage_json(const pipelines::BenchReport& bench, const TimeOrigin& networks) {
  return {{"warmup_runs", bench.warmup_runs},
          {"pre", cli::json_of(runtime::MeasuredStatistics{bench.pre, TimeOrigin::own_work()})},
          {"inference", cli::json_of(runtime::MeasuredStatistics{bench.inference, networks})},
          {"post", cli::json_of(runtime::MeasuredStatistics{bench.post, TimeOrigin::own_work()})},
          {"total", cli::json_of(runtime::MeasuredStatistics{bench.total, TimeOrigin::own_work().with(networks)})}};
}

std::string table_of(const pipelines::BenchReport& bench, const TimeOrigin& networks) {
  Table table({{"stage"},
               {"runs", Align::kRight},
               {"median", Align::kRight},
               {"min", Align::kRight},
               {"p90", Align::kRight},
               {"p99", Align::kRight},
               {"max", Align::kRight}});
  const auto add = [&](const char* stage, const runtime::Statistics& all, const TimeOrigin& origin) {
    std::vector<std::string> row = {stage, fmt::format("{}", all.count)};
    for (const double us : {all.median_us, all.min_us, all.p90_us, all.p99_us, all.max_us}) {
      row.push_back(time_text({us, origin}));
    }
    table.add(std::move(row));
  };
  add("before", bench.pre, TimeOrigin::own_work());
  add("inference", bench.inference, networks);
  add("after", bench.post, TimeOrigin::own_work());
  return table.text();
}

ordered_json frame_json(const pipelines::SourceFrame& source, const std::filesystem::path& output) {
  ordered_json json = {{"input", source.path.string()}, {"image", source.path.string()}};
  if (!output.empty()) json["output"] = output.string();
  if (source.is_video) {
    json["frame"] = source.frame.index;
    json["time_s"] = source.frame.time_s;
  }
  json["width"] = source.frame.image.width();
  json["height"] = source.frame.image.height();
  return json;
}

std::string name_of(const pipelines::SourceFrame& source) {
  return source.path.string() + (source.is_video ? fmt::format(" frame {}", source.frame.index) : "");
}

void NetworkReport::add_to(ordered_json& frame, const pipelines::StageTimes& times,
                           const std::optional<pipelines::BenchReport>& bench) const {
  frame["provider"] = provider;
  frame["placement"] = placement;
  frame["timing_ms"] = stage_json(times, origin());
  if (bench) frame["bench"] = stage_json(*bench, origin());
}

std::string NetworkReport::text_of(const pipelines::StageTimes& times, const std::string& details) const {
  const TimeOrigin own = TimeOrigin::own_work();
  return fmt::format("before {}, inference {}{}, after {}", time_text({times.pre_us, own}),
                     time_text({times.inference_us, origin()}), details, time_text({times.post_us, own}));
}

ordered_json failure_json(const pipelines::SourceFrame& source) {
  return {{"input", source.path.string()},
          {"image", source.path.string()},
          {"error", {{"code", base::code_name(source.error->code)}, {"message", source.error->message}}}};
}

}  // namespace slipway::cli
