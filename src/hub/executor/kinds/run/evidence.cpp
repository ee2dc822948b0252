#include "hub/executor/kinds/run/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace slipway::hub::executor {
namespace {

using domain::PhaseProfile;
using domain::ProfileEvidence;

std::uint64_t whole(double us) {
  return static_cast<std::uint64_t>(std::llround(std::max(0.0, us)));
}

PhaseProfile phase_of(const runtime::PhaseMeasurement& measurement) {
  PhaseProfile phase;
  for (const double time : measurement.times_us) phase.times_us.push_back(whole(time));
  phase.increase = {measurement.increase.lower_bytes, measurement.increase.upper_bytes};
  phase.peak = {measurement.peak.lower_bytes, measurement.peak.upper_bytes};
  return phase;
}

/// "VmRSS" or "VmHWM" of this process.
std::uint64_t memory_of_process(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key)) continue;
    std::string_view kilobytes = base::trimmed(std::string_view(line).substr(key.size() + 1));
    return 1024 * base::consume_number<std::uint64_t>(kilobytes).value_or(0);
  }
  return 0;
}

}  // namespace

MemoryBefore::MemoryBefore() : resident_bytes(memory_of_process("VmRSS")) {}

ProfileEvidence evidence_of(const runtime::ProfileReport& report) {
  ProfileEvidence evidence({report.machine, report.provider, report.is_emulated});
  evidence.placement = report.placement.summary();
  evidence.set_figures({.compile = {},
                        .cold_load = phase_of(report.cold_load),
                        .warm_load = phase_of(report.warm_load),
                        .inference = phase_of(report.inference),
                        .inference_median_us = whole(report.inference_statistics.median_us),
                        .stable = report.stable});
  std::vector<domain::LayerProfile> layers;
  for (const auto& layer : report.layers) {
    domain::LayerProfile row;
    row.name = layer.placement.name;
    row.op_type = layer.placement.op_type;
    row.provider = layer.placement.provider;
    row.unit = runtime::compute_unit_name(layer.placement.unit);
    if (layer.lowest_us) row.time_us = whole(*layer.lowest_us);
    layers.push_back(std::move(row));
  }
  evidence.set_layers(std::move(layers));
  return evidence;
}

void show_compiled_layers(const runtime::PlacementReport& compiled, ProfileEvidence& evidence) {
  evidence.placement = compiled.summary();
  std::vector<domain::LayerProfile> layers;
  for (const auto& layer : compiled.layers) {
    domain::LayerProfile row;
    row.name = layer.name;
    row.op_type = layer.op_type;
    row.provider = layer.provider;
    row.unit = runtime::compute_unit_name(layer.unit);
    layers.push_back(std::move(row));
  }
  evidence.set_layers(std::move(layers));
}

ProfileEvidence evidence_of_run(const runtime::PlacementReport& placement, const std::string& provider,
                                domain::Figures plan, const std::vector<std::uint64_t>& times_us,
                                const MemoryBefore& before) {
  ProfileEvidence evidence(
      {runtime::machine_name(), provider, placement.is_emulated || plan == domain::Figures::kEmulated});
  evidence.placement = placement.summary();
  domain::RunFigures figures;
  figures.inference.times_us = times_us;
  if (!times_us.empty()) {
    auto sorted = times_us;
    std::ranges::sort(sorted);
    const auto middle = sorted.size() / 2;
    figures.inference_median_us = sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
  const auto now = memory_of_process("VmRSS"), peak = memory_of_process("VmHWM");
  figures.inference.peak = {now, peak};
  figures.inference.increase = {now - std::min(now, before.resident_bytes),
                                peak - std::min(peak, before.resident_bytes)};
  evidence.set_figures(std::move(figures));
  return evidence;
}

}  // namespace slipway::hub::executor
