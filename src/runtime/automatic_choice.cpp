#include "runtime/automatic_choice.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "runtime/choice_cache.hpp"
#include "runtime/phase.hpp"
#include "runtime/statistics.hpp"
#include "tensor/npz.hpp"

namespace slipway::runtime {
namespace {

namespace fs = std::filesystem;
using base::Code;

/// What a candidate must be better by to take the place of one that stands before it: runs differ by as much.
constexpr double kLeastGain = 0.98;
constexpr int kIterations = 20, kWarmups = 2;
constexpr std::chrono::seconds kTime{5};

/// Relative RMS; infinite for what cannot be compared: other shapes, NaN on one side only.
double difference_of(const tensor::Tensor& expected, const tensor::Tensor& found) {
  if (expected.dtype() != found.dtype() || expected.shape() != found.shape()) return INFINITY;
  if (expected.dtype() != tensor::Dtype::kFloat32) {
    return std::ranges::equal(expected.bytes(), found.bytes()) ? 0 : INFINITY;
  }
  const auto wanted = expected.values<float>(), got = found.values<float>();
  double error = 0, size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i]) && std::isnan(got[i])) continue;
    const double off = static_cast<double>(got[i]) - static_cast<double>(wanted[i]);
    error += off * off;
    size += static_cast<double>(wanted[i]) * static_cast<double>(wanted[i]);
  }
  if (error == 0) return 0;
  const double ratio = std::sqrt(error / size);
  return std::isfinite(ratio) ? ratio : INFINITY;
}

double difference_of(const tensor::NamedTensors& expected, const tensor::NamedTensors& found) {
  if (expected.size() != found.size()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, difference_of(expected[i].tensor, found[i].tensor));
  }
  return largest;
}

/// The candidate over all models; the references are of each model.
CandidateMeasurement measurement_of(const AutomaticRequest& request, const MeasureCandidate& measure,
                                    const Candidate& candidate, const std::vector<tensor::NamedTensors>& references,
                                    double tolerance) {
  CandidateMeasurement made{
      .candidate = candidate, .median_us = std::nullopt, .difference = std::nullopt, .refusal = ""};
  double sum = 0, largest = 0;
  for (std::size_t i = 0; i < request.models.size(); ++i) {
    const auto run = measure(request.models[i], candidate);
    if (!run) {
      made.refusal = run.error().message;
      return made;
    }
    sum += run->median_us;
    largest = std::max(largest, difference_of(references[i], run->outputs));
  }
  made.median_us = sum;
  made.difference = largest;
  if (!(largest <= tolerance)) {
    made.refusal = fmt::format("its outputs are off by {:.1e}, more than {:g}", largest, tolerance);
  }
  return made;
}

const CandidateMeasurement* fastest(const std::vector<CandidateMeasurement>& candidates) {
  const CandidateMeasurement* best = nullptr;
  for (const CandidateMeasurement& each : candidates) {
    if (!each.refusal.empty() || !each.median_us) continue;
    if (best == nullptr || *each.median_us < kLeastGain * *best->median_us) best = &each;
  }
  return best;
}

base::Result<AutomaticChoice> measure_all(const AutomaticRequest& request, const MeasureCandidate& measure) {
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<Candidate> candidates = candidates_for(request.session, processors);
  AutomaticChoice choice;
  choice.tolerance = tolerance_of(request.session.provider.precision);
  const Candidate reference{ProviderRequest().name, request.session.intra_op_threads};
  std::vector<tensor::NamedTensors> references;
  for (const fs::path& model : request.models) {
    SLIPWAY_ASSIGN(CandidateRun run, measure(model, reference));
    references.push_back(std::move(run.outputs));
  }
  std::vector<std::string> unable;  // a provider that is not here is not here with other threads either
  for (const Candidate& candidate : candidates) {
    if (std::ranges::find(unable, candidate.provider) != unable.end()) continue;
    if (request.progress) request.progress(candidate);
    choice.candidates.push_back(measurement_of(request, measure, candidate, references, choice.tolerance));
    if (!choice.candidates.back().median_us) unable.push_back(candidate.provider);
  }
  const CandidateMeasurement* const best = fastest(choice.candidates);
  if (best == nullptr) {
    std::vector<std::string> reasons;
    for (const CandidateMeasurement& each : choice.candidates) {
      reasons.push_back(fmt::format("{}: {}", each.candidate.provider, each.refusal));
    }
    return base::fail(Code::kFailedPrecondition,
                      "--provider auto found no provider that runs {} as the CPU does; name one with --provider. {}",
                      request.models.front().string(), fmt::join(reasons, "; "));
  }
  choice.chosen = best->candidate;
  choice.measured_at = base::iso8601(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  return choice;
}

}  // namespace

double tolerance_of(Precision precision) {
  return precision == Precision::kBfloat16 ? 0.1 : 1e-3;
}

std::vector<Candidate> candidates_for(const SessionOptions& session, int processors) {
  std::vector<int> threads = {session.intra_op_threads};
  if (session.intra_op_threads == 0) {
    threads = {processors};
    for (const int fewer : {processors / 2, 1}) {
      if (fewer >= 1 && fewer < threads.back()) threads.push_back(fewer);
    }
  }
  std::vector<Candidate> candidates;
  for (const ProviderRow& row : provider_table()) {
    if (row.is_emulator) continue;
    if (session.provider.precision == Precision::kBfloat16 && !row.accepts_bfloat16) continue;
    // Elsewhere than on the CPU its threads run nothing that matters.
    const std::size_t count = row.unit == ComputeUnit::kCpu ? threads.size() : 1;
    for (std::size_t i = 0; i < count; ++i) candidates.push_back({std::string(row.name), threads[i]});
  }
  return candidates;
}

base::Result<AutomaticChoice> choose_provider(const AutomaticRequest& request, const MeasureCandidate& measure) {
  if (request.models.empty()) {
    return base::fail(Code::kInvalidArgument, "--provider auto measures .onnx files, and there is none");
  }
  SLIPWAY_ASSIGN(const std::string key, choice_key(request));
  std::string note;
  const fs::path file = request.cache_folder.empty() ? fs::path() : choice_file(request.cache_folder, key);
  if (file.empty()) {
    note = "not kept: neither XDG_CACHE_HOME nor HOME names a folder";
  } else {
    auto kept = read_choice(file, key);
    if (kept) return kept;
    if (kept.error().code != Code::kNotFound) note = fmt::format("a kept choice is ignored: {}", kept.error().message);
  }
  SLIPWAY_ASSIGN(AutomaticChoice choice, measure_all(request, measure));
  choice.file = file;
  choice.note = std::move(note);
  if (file.empty()) return choice;
  if (const auto written = write_choice(choice, key); !written) {
    choice.file.clear();
    choice.note = fmt::format("not kept: {}", written.error().message);
  }
  return choice;
}

MeasureCandidate measure_in_process(const AutomaticRequest& request, fs::path work_folder) {
  return [session = request.session, work_folder = std::move(work_folder)](
             const fs::path& model, const Candidate& candidate) -> base::Result<CandidateRun> {
    PhaseRequest phase;
    SLIPWAY_ASSIGN(phase.libraries, locate_libraries(candidate.provider));
    phase.phase = Phase::kInference;
    phase.model = fs::absolute(model);
    phase.outputs = work_folder / "outputs.npz";
    phase.options.session = session;
    phase.options.session.provider.name = candidate.provider;
    phase.options.session.intra_op_threads = candidate.threads;
    phase.options.session.record_placement = false;
    // The reference computes in float32 and knows no options but its own.
    if (!provider_has(candidate.provider, &ProviderRow::accepts_bfloat16)) {
      phase.options.session.provider.precision = Precision::kFloat32;
      phase.options.session.provider.options.clear();
    }
    phase.options.max_iterations = kIterations;
    phase.options.warmup_iterations = kWarmups;
    phase.options.max_time = kTime;
    phase.options.profile_layers = false;
    phase.options.work_folder = work_folder;
    SLIPWAY_ASSIGN(const PhaseOutcome outcome, run_phase_process(phase, work_folder, {}));
    SLIPWAY_ASSIGN(tensor::NamedTensors outputs, tensor::read_npz(phase.outputs));
    return CandidateRun{statistics_of(outcome.measurement.times_us).median_us, std::move(outputs)};
  };
}

}  // namespace slipway::runtime
