#include "hub/protocol/internal/profile.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace slipway::hub::protocol::internal {
namespace {

constexpr std::uint64_t kMajorVersion = 1;
constexpr std::uint64_t kMinorVersion = 7;

std::uint64_t first_of(const std::vector<std::uint64_t>& times) {
  return times.empty() ? 0 : times.front();
}

std::uint64_t median_of(std::vector<std::uint64_t> times) {
  if (times.empty()) return 0;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

/// Both ranges are set even when zero: the client unpacks the fields of a message that has any bytes, and an empty one
/// would read as "missing".
void fill_memory(const domain::PhaseProfile& phase, api::ProfileDetail::MemoryUsage& message) {
  message.mutable_increase()->set_lower(phase.increase.lower_bytes);
  message.mutable_increase()->set_upper(phase.increase.upper_bytes);
  message.mutable_peak()->set_lower(phase.peak.lower_bytes);
  message.mutable_peak()->set_upper(phase.peak.upper_bytes);
}

std::optional<api::ComputeUnit> compute_unit(std::string_view unit) {
  if (unit == "CPU") return api::COMPUTE_UNIT_CPU;
  if (unit == "GPU") return api::COMPUTE_UNIT_GPU;
  if (unit == "NPU") return api::COMPUTE_UNIT_NPU;
  return std::nullopt;
}

void fill_layers(const domain::ProfileEvidence& profile, api::ProfileDetail& message) {
  std::size_t index = 0;
  for (const domain::LayerProfile& layer : profile.layers()) {
    ++index;
    const auto unit = compute_unit(layer.unit);
    // The client's summary stops at a layer without a unit; such a layer stays in the report of the page.
    if (!unit) continue;
    api::LayerDetail& entry = *message.add_layer_details();
    entry.set_name(wire_text(layer.name));
    entry.set_compute_unit(*unit);
    entry.set_layer_type_name(wire_text(layer.op_type));
    entry.set_id(fmt::format("{}", index));
    entry.set_delegate_name(wire_text(layer.provider));
    if (layer.time_us) entry.set_execution_time(*layer.time_us);
  }
}

const domain::ProfileEvidence* evidence_of(const domain::Job& job) {
  if (!job.outcome) return nullptr;
  const auto* const result = domain::part<domain::kinds::RunResult>(job.outcome->result);
  return result != nullptr && result->profile ? &*result->profile : nullptr;
}

}  // namespace

bool is_emulated(const domain::Job& job) {
  const auto* const evidence = evidence_of(job);
  return evidence != nullptr && evidence->place().is_emulated;
}

std::optional<std::uint64_t> measured_time_us(const domain::Job& job) {
  const auto* const evidence = evidence_of(job);
  if (evidence == nullptr || evidence->figures().inference.times_us.empty()) return std::nullopt;
  return evidence->figures().inference_median_us;
}

std::optional<domain::MemoryRange> measured_peak(const domain::Job& job) {
  const auto* const evidence = evidence_of(job);
  if (evidence == nullptr || evidence->figures().inference.peak.upper_bytes == 0) return std::nullopt;
  return evidence->figures().inference.peak;
}

std::vector<std::string> remarks_of(const domain::Job& job) {
  if (!job.outcome) return {};
  std::vector<std::string> remarks = job.outcome->remarks;
  const bool says_so = std::ranges::any_of(
      remarks, [](const std::string& remark) { return remark.find("emulator") != std::string::npos; });
  if (is_emulated(job) && !says_so) {
    remarks.insert(remarks.begin(), "Run on the HTP emulator: nothing was measured on the device.");
  }
  return remarks;
}

void fill_profile(const domain::JobOutcome& outcome, const domain::kinds::RunResult& result,
                  api::ProfileDetail& message) {
  message.set_major_version(kMajorVersion);
  message.set_minor_version(kMinorVersion);
  for (const auto& [name, version] : outcome.tool_versions) {
    api::ToolVersion& entry = *message.add_tool_versions();
    entry.set_name(wire_text(name));
    entry.set_version(wire_text(version));
  }
  const domain::ProfileEvidence evidence = result.profile.value_or(domain::ProfileEvidence{});
  const auto& [compile, cold, warm, inference, median_us, stable] = evidence.figures();

  if (result.profile && !evidence.place().is_emulated) {
    message.set_execution_time(median_us);
    message.set_compile_time(first_of(compile.times_us));
    message.set_cold_load_time(first_of(cold.times_us));
    message.set_warm_load_time(median_of(warm.times_us));
  }
  message.set_peak_memory_usage(
      std::max({compile.peak.upper_bytes, cold.peak.upper_bytes, warm.peak.upper_bytes, inference.peak.upper_bytes}));
  message.set_after_compile_peak_memory(compile.peak.upper_bytes);
  message.set_after_cold_load_peak_memory(cold.peak.upper_bytes);
  message.set_after_warm_load_peak_memory(warm.peak.upper_bytes);
  message.set_after_execution_peak_memory(inference.peak.upper_bytes);
  fill_memory(compile, *message.mutable_compile_memory());
  fill_memory(cold, *message.mutable_cold_load_memory());
  fill_memory(warm, *message.mutable_warm_load_memory());
  fill_memory(inference, *message.mutable_execution_memory());
  for (const std::uint64_t time : compile.times_us) message.add_all_compile_times(time);
  for (const std::uint64_t time : cold.times_us) message.add_all_cold_load_times(time);
  for (const std::uint64_t time : warm.times_us) message.add_all_warm_load_times(time);
  for (const std::uint64_t time : inference.times_us) message.add_all_execution_times(time);
  fill_layers(evidence, message);
  if (!evidence.runtime_config.empty()) {
    api::RuntimeConfig& config = *message.add_runtime_config();
    config.set_name("ONNX Runtime");
    for (const auto& [key, value] : evidence.runtime_config) {
      api::RuntimeConfigProperty& property = *config.add_properties();
      property.set_key(wire_text(key));
      property.set_value(wire_text(value));
    }
  }
}

}  // namespace slipway::hub::protocol::internal
