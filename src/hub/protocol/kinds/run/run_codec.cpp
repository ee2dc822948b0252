#include "hub/protocol/kinds/run/internal/run_codec.hpp"

#include <numeric>

#include <nlohmann/json.hpp>

#include "hub/protocol/internal/profile.hpp"
#include "hub/protocol/internal/report_json.hpp"

namespace slipway::hub::protocol::internal {
namespace {

using domain::kinds::Run;
using domain::kinds::RunResult;
using nlohmann::ordered_json;

template <typename Arm>
void fill_arm(const JobView& view, const Run& payload, Arm& arm) {
  fill_common(view, arm);
  fill_error_details(view.job, arm);
  fill_input_model(view, payload.model_id, *arm.mutable_model());
  if (view.job.device) fill_device(*view.job.device, *arm.mutable_device());
  if (!payload.dataset_id.empty()) fill_input_data(view, payload.dataset_id, *arm.mutable_dataset());
  if (const auto time = measured_time_us(view.job)) arm.set_execution_time(*time);
  if (const auto peak = measured_peak(view.job)) {
    arm.mutable_execution_peak_memory()->set_lower(peak->lower_bytes);
    arm.mutable_execution_peak_memory()->set_upper(peak->upper_bytes);
  }
  if (!view.models.empty() && view.models.front().inspection) {
    fill_tensors(view.models.front().inspection->inputs, *arm.mutable_tensor_type_list());
  }
}

template <typename Summary>
void fill_measured_summary(const JobView& view, Summary& summary) {
  fill_summary(view, summary);
  if (const auto time = measured_time_us(view.job)) summary.set_execution_time(*time);
  if (const auto peak = measured_peak(view.job)) {
    summary.mutable_execution_peak_memory()->set_lower(peak->lower_bytes);
    summary.mutable_execution_peak_memory()->set_upper(peak->upper_bytes);
  }
}

ordered_json phase_json(const domain::PhaseProfile& phase) {
  ordered_json times = ordered_json::array();
  for (const std::uint64_t time : phase.times_us) times.push_back(time);
  return {{"times_us", times},
          {"increase_bytes", {phase.increase.lower_bytes, phase.increase.upper_bytes}},
          {"peak_bytes", {phase.peak.lower_bytes, phase.peak.upper_bytes}}};
}

/// Over all samples of a measured run; null without samples.
ordered_json statistics_json(const domain::RunFigures& figures) {
  std::vector<std::uint64_t> times = figures.inference.times_us;
  if (times.empty()) return nullptr;
  std::ranges::sort(times);
  const auto at = [&](double part) {
    return times[std::min(times.size() - 1, static_cast<std::size_t>(part * static_cast<double>(times.size())))];
  };
  const double sum = std::accumulate(times.begin(), times.end(), 0.0, [](double total, std::uint64_t time) {
    return total + static_cast<double>(time);
  });
  return {{"samples", times.size()},
          {"median_us", figures.inference_median_us},
          {"mean_us", sum / static_cast<double>(times.size())},
          {"min_us", times.front()},
          {"p90_us", at(0.9)},
          {"max_us", times.back()},
          {"stable", figures.stable}};
}

ordered_json profile_json(const domain::ProfileEvidence& profile) {
  ordered_json layers = ordered_json::array();
  for (const domain::LayerProfile& layer : profile.layers()) {
    layers.push_back({{"name", wire_text(layer.name)},
                      {"type", wire_text(layer.op_type)},
                      {"provider", wire_text(layer.provider)},
                      {"unit", wire_text(layer.unit)},
                      {"time_us", layer.time_us ? ordered_json(*layer.time_us) : ordered_json(nullptr)}});
  }
  ordered_json config = ordered_json::object();
  for (const auto& [key, value] : profile.runtime_config) config[wire_text(key)] = wire_text(value);
  const domain::RunPlace& place = profile.place();
  ordered_json entry{{"is_emulated", place.is_emulated},
                     {"machine", wire_text(place.machine)},
                     {"provider", wire_text(place.provider)},
                     {"placement", wire_text(profile.placement)},
                     {"layers", layers},
                     {"runtime_config", config},
                     {"phases", nullptr},
                     {"statistics", nullptr}};
  if (!place.is_emulated) {
    const domain::RunFigures& figures = profile.figures();
    entry["phases"] = {{"compile", phase_json(figures.compile)},
                       {"cold_load", phase_json(figures.cold_load)},
                       {"warm_load", phase_json(figures.warm_load)},
                       {"inference", phase_json(figures.inference)}};
    entry["statistics"] = statistics_json(figures);
  }
  return entry;
}

}  // namespace

void fill_run(const JobView& view, const Run& payload, api::Job& message) {
  if (payload.answer_as_profile_job) {
    fill_arm(view, payload, *message.mutable_profile_job());
    message.mutable_profile_job()->set_profile_job_id(wire_text(view.job.id));
  } else {
    fill_arm(view, payload, *message.mutable_inference_job());
    message.mutable_inference_job()->set_inference_job_id(wire_text(view.job.id));
    message.mutable_inference_job()->set_is_profiling_on(payload.is_profiling);
  }
}

void fill_run_summary(const JobView& view, const Run& payload, api::JobSummary& message) {
  if (payload.answer_as_profile_job) {
    fill_measured_summary(view, *message.mutable_profile_job_summary());
  } else {
    fill_measured_summary(view, *message.mutable_inference_job_summary());
    message.mutable_inference_job_summary()->set_is_profiling_on(payload.is_profiling);
  }
}

void fill_run_result(const JobView& view, const Run& payload, const RunResult& result, api::JobResult& message) {
  if (payload.answer_as_profile_job) {
    message.mutable_profile_job_result()->set_profile_job_id(wire_text(view.job.id));
    fill_profile(*view.job.outcome, result, *message.mutable_profile_job_result()->mutable_profile());
  } else {
    api::InferenceJobResult& arm = *message.mutable_inference_job_result();
    arm.set_inference_job_id(wire_text(view.job.id));
    arm.set_output_dataset_id(wire_text(payload.output_dataset_id));
    fill_profile(*view.job.outcome, result, *arm.mutable_detail());
  }
}

void report_run_result(const RunResult& result, ordered_json& report) {
  if (result.profile) report["profile"] = profile_json(*result.profile);
  report_compiler_account(result, report);
}

}  // namespace slipway::hub::protocol::internal
