#include "apps/cli/frame_report.hpp"

#include <fmt/format.h>

#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;

ordered_json stage_json(const pipelines::StageTimes& times, bool is_emulated) {
  ordered_json json = {{"pre", times.pre_us / 1000}, {"inference", nullptr}, {"post", times.post_us / 1000}};
  if (!is_emulated) json["inference"] = times.inference_us / 1000;
  return json;
}

ordered_json stage_json(const pipelines::BenchReport& bench, bool is_emulated) {
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

std::string table_of(const pipelines::BenchReport& bench, bool is_emulated) {
  Table table({{"stage"},
               {"runs", Align::kRight},
               {"median", Align::kRight},
               {"min", Align::kRight},
               {"p90", Align::kRight},
               {"p99", Align::kRight},
               {"max", Align::kRight}});
  for (const auto& [stage, statistics] :
       {std::pair{"before", &bench.pre}, std::pair{"inference", &bench.inference}, std::pair{"after", &bench.post}}) {
    const bool is_hidden = is_emulated && statistics == &bench.inference;
    const auto cell = [&](double microseconds) { return is_hidden ? "-" : time_text(microseconds); };
    table.add({stage, fmt::format("{}", statistics->count), cell(statistics->median_us), cell(statistics->min_us),
               cell(statistics->p90_us), cell(statistics->p99_us), cell(statistics->max_us)});
  }
  return table.text();
}

ordered_json frame_json(const pipelines::SourceFrame& source) {
  ordered_json json = {{"image", source.path.string()}};
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

ordered_json failure_json(const pipelines::SourceFrame& source) {
  return {{"image", source.path.string()},
          {"error", {{"code", base::code_name(source.error->code)}, {"message", source.error->message}}}};
}

}  // namespace slipway::cli
