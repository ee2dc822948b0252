#include "apps/cli/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/table.hpp"

namespace slipway::cli {

using nlohmann::ordered_json;

ordered_json json_of(const std::vector<tensor::TensorSpec>& specs) {
  ordered_json list = ordered_json::array();
  for (const tensor::TensorSpec& spec : specs) {
    const ordered_json shape = spec.has_rank ? ordered_json(spec.shape) : ordered_json(nullptr);  // null: unknown
    list.push_back({{"name", spec.name}, {"dtype", tensor::dtype_name(spec.dtype)}, {"shape", shape}});
  }
  return list;
}

ordered_json json_of(const runtime::PlacementReport& placement) {
  return {{"nodes", placement.node_count()},
          {"nodes_per_provider", placement.nodes_per_provider},
          {"partitions", placement.partitions},
          {"is_emulated", placement.is_emulated},
          {"summary", placement.summary()}};
}

runtime::TimeOrigin origin_of(const runtime::ProfileReport& report) {
  runtime::TimeOrigin origin = runtime::TimeOrigin::of(report.provider, report.is_emulated);
  origin.machine = report.machine;
  return origin;
}

ordered_json json_of(const runtime::MeasuredStatistics& measured) {
  if (!measured.value()) return nullptr;
  const runtime::Statistics& statistics = *measured.value();
  return {{"count", statistics.count},     {"min_us", statistics.min_us}, {"median_us", statistics.median_us},
          {"mean_us", statistics.mean_us}, {"p90_us", statistics.p90_us}, {"p95_us", statistics.p95_us},
          {"p99_us", statistics.p99_us},   {"max_us", statistics.max_us}, {"stddev_us", statistics.stddev_us}};
}

ordered_json json_of(const runtime::PhaseMeasurement& phase) {
  return {{"times_us", phase.times_us},
          {"increase_bytes", {{"at_end", phase.increase.lower_bytes}, {"at_peak", phase.increase.upper_bytes}}},
          {"resident_bytes", {{"at_end", phase.peak.lower_bytes}, {"at_peak", phase.peak.upper_bytes}}}};
}

std::string signature_table(const std::vector<tensor::TensorSpec>& inputs,
                            const std::vector<tensor::TensorSpec>& outputs) {
  Table table({{.title = ""}, {.title = "name"}, {.title = "type"}});
  for (const tensor::TensorSpec& spec : inputs) table.add({"input", spec.name, tensor::to_string(spec)});
  for (const tensor::TensorSpec& spec : outputs) table.add({"output", spec.name, tensor::to_string(spec)});
  return table.text();
}

std::string statistics_table(const runtime::MeasuredStatistics& measured) {
  Table table({{"runs", Align::kRight},
               {"median", Align::kRight},
               {"mean", Align::kRight},
               {"min", Align::kRight},
               {"p90", Align::kRight},
               {"p99", Align::kRight},
               {"max", Align::kRight},
               {"std dev", Align::kRight}});
  if (measured.value()) {
    const runtime::Statistics& all = *measured.value();
    std::vector<std::string> row = {fmt::format("{}", all.count)};
    for (const double us :
         {all.median_us, all.mean_us, all.min_us, all.p90_us, all.p99_us, all.max_us, all.stddev_us}) {
      row.push_back(time_text({us, measured.origin()}));
    }
    table.add(std::move(row));
  }
  return table.text();
}

}  // namespace slipway::cli
