#include "runtime/trace.hpp"

#include <algorithm>
#include <cstdint>
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

/// One execution of a kernel.
struct KernelSpan {
  std::uint32_t kernel = 0;
  double begin_us = 0;
  double duration_us = 0;
};

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

base::Result<Trace> read_trace(const std::filesystem::path& path) {
  SLIPWAY_ASSIGN(std::string text, base::read_file(path, kTraceLimitBytes));
  text = base::valid_utf8(text);  // ONNX Runtime writes names as they are in the file
  Trace trace;
  std::vector<Span> runs;
  std::vector<KernelSpan> spans;
  std::map<std::pair<std::string, std::string>, std::uint32_t> place_of;  // node index and name -> kernel
  const auto add_event = [&](const json& event) {
    const double begin = event.value("ts", 0.0), duration = event.value("dur", 0.0);
    std::string name = text_at(event, "name");
    if (name == "model_run") runs.push_back({begin, begin + duration});
    if (text_at(event, "cat") != "Node" || !event.contains("args") || !name.ends_with(kKernelSuffix)) return;
    name.resize(name.size() - kKernelSuffix.size());
    const json& arguments = event["args"];
    const auto [place, is_new] = place_of.try_emplace({text_at(arguments, "node_index"), name},
                                                      static_cast<std::uint32_t>(trace.kernels.size()));
    if (is_new) {
      const std::string provider = text_at(arguments, "provider");
      trace.kernels.push_back({{name, text_at(arguments, "op_name"), provider, unit_of_provider(provider)}, {}});
    }
    spans.push_back({place->second, begin, duration});
  };
  // Event by event: a trace of a million of them would take gigabytes as one document.
  const auto events = json::parse(
      text,
      [&](int depth, json::parse_event_t kind, json& parsed) {
        if (depth != 1 || kind != json::parse_event_t::object_end) return true;
        add_event(parsed);
        return false;
      },
      false);
  if (!events.is_array()) {
    return base::fail(base::Code::kInvalidArgument, "{}: not a trace of ONNX Runtime: expected a JSON array",
                      path.string());
  }
  std::ranges::sort(runs, {}, &Span::begin_us);
  trace.runs = static_cast<int>(runs.size());
  for (KernelTimes& kernel : trace.kernels) kernel.times_us.assign(runs.size(), 0.0);
  for (const KernelSpan& span : spans) {
    const auto run = std::ranges::upper_bound(runs, span.begin_us, {}, &Span::begin_us);
    if (run == runs.begin()) continue;
    trace.kernels[span.kernel].times_us[static_cast<std::size_t>(run - runs.begin()) - 1] += span.duration_us;
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
