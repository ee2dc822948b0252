#include "runtime/trace.hpp"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/utf8.hpp"
#include "runtime/assignment.hpp"

namespace slipway::runtime {
namespace {

using nlohmann::json;

constexpr std::uint64_t kTraceLimitBytes = std::uint64_t{1} << 30U;
constexpr std::string_view kKernelSuffix = "_kernel_time";

struct Span {
  double begin_us = 0;
  double end_us = 0;
};

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

base::Result<Trace> read_trace(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(const std::string text, base::read_file(path, kTraceLimitBytes));
  // ONNX Runtime writes names as they are in the file.
  const json events = json::parse(base::valid_utf8(text), nullptr, false);
  if (!events.is_array()) {
    return base::fail(base::Code::kInvalidArgument, "{}: not a trace of ONNX Runtime: expected a JSON array",
                      path.string());
  }
  std::vector<Span> runs;
  for (const json& event : events) {
    if (event.is_object() && text_at(event, "name") == "model_run") {
      const double begin = event.value("ts", 0.0);
      runs.push_back({begin, begin + event.value("dur", 0.0)});
    }
  }
  std::ranges::sort(runs, {}, &Span::begin_us);

  Trace trace;
  trace.runs = static_cast<int>(runs.size());
  std::map<std::pair<std::string, std::string>, std::size_t> place_of;  // node index and name -> kernel
  for (const json& event : events) {
    if (!event.is_object() || text_at(event, "cat") != "Node" || !event.contains("args")) continue;
    std::string name = text_at(event, "name");
    if (!name.ends_with(kKernelSuffix)) continue;
    name.resize(name.size() - kKernelSuffix.size());
    const json& arguments = event["args"];
    const double begin = event.value("ts", 0.0);
    const auto run = std::ranges::upper_bound(runs, begin, {}, &Span::begin_us);
    if (run == runs.begin()) continue;
    const auto run_index = static_cast<std::size_t>(run - runs.begin()) - 1;

    const auto [place, is_new] = place_of.try_emplace({text_at(arguments, "node_index"), name}, trace.kernels.size());
    if (is_new) {
      const std::string provider = text_at(arguments, "provider");
      trace.kernels.push_back({{name, text_at(arguments, "op_name"), provider, unit_of_provider(provider)},
                               std::vector<double>(runs.size(), 0.0)});
    }
    trace.kernels[place->second].times_us[run_index] += event.value("dur", 0.0);
  }
  return trace;
}

PlacementReport placement_of(const Trace& trace) {
  PlacementReport report;
  for (const KernelTimes& kernel : trace.kernels) {
    report.layers.push_back(kernel.placement);
    ++report.nodes_per_provider[kernel.placement.provider];
    // A subgraph that a provider took whole runs as one kernel named after the provider.
    if (kernel.placement.op_type.starts_with(kernel.placement.provider)) ++report.partitions;
  }
  return report;
}

}  // namespace slipway::runtime
