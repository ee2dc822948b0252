#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <mutex>

#include "base/files.hpp"
#include "compile/compile.hpp"
#include "compile/soc.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/executor/internal/before_the_limit.hpp"
#include "hub/executor/internal/compiler_estimate.hpp"
#include "hub/executor/internal/job.hpp"
#include "hub/executor/internal/placement_document.hpp"
#include "hub/executor/kinds/run/evidence.hpp"
#include "hub/executor/kinds/run/prepared_session.hpp"
#include "runtime/profiling.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using datasets::DatasetReader;
using datasets::DatasetWriter;
using domain::FailureType;
using domain::JobOutcome;
using domain::ProfileEvidence;
using domain::kinds::Run;
using domain::kinds::RunResult;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kOutputs = "outputs.h5";  // in out/

/// What a plain run measures besides its outputs.
struct RunTimes {
  std::vector<std::uint64_t> times_us;
  bool is_emulated = false;
};

std::uint64_t whole_us(SteadyClock::duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

/// All entries of one sample, in the model's order of inputs where the names say so.
base::Result<tensor::NamedTensors> read_sample(const DatasetReader& reader, std::int64_t sample) {
  tensor::NamedTensors inputs;
  for (std::size_t entry = 0; entry < reader.entries().size(); ++entry) {
    SLIPWAY_ASSIGN(auto values, reader.read(entry, sample));
    inputs.push_back({reader.entries()[entry].name, std::move(values)});
  }
  return inputs;
}

/// Whatever the target's format: the names that its output specs and --output_names show, by which the official exports
/// look for their results.
std::vector<std::string> output_names(const runtime::Session& session) {
  std::vector<std::string> names;
  for (const auto& spec : session.outputs()) names.push_back(spec.name);
  return names;
}

std::expected<void, Failure> check_output_types(const runtime::Session& session) {
  for (const auto& spec : session.outputs()) {
    if (datasets::is_dataset_dtype(spec.dtype)) continue;
    return std::unexpected(Failure{
        FailureType::kUnsupported,
        fmt::format("output \"{}\" is {}: a dataset cannot hold that type", spec.name, tensor::to_string(spec))});
  }
  return {};
}

/// Ends the file of outputs and says what it holds.
std::expected<void, Failure> finish_outputs(const JobContext& job, DatasetWriter& writer, RunResult& result) {
  if (const auto finished = writer.finish(); !finished) {
    return std::unexpected(failure_of(finished.error(), Step::kWrite));
  }
  const auto check = DatasetReader::open(job.out() / kOutputs);
  if (!check) return std::unexpected(failure_of(check.error(), Step::kWrite));
  result.output_dataset_file = kOutputs;
  result.output_dataset_inspection = datasets::inspection_of(*check);
  return {};
}

/// Runs every sample once, one after the other, and writes its outputs before the next is read.
/// @param wants_outputs  those of some samples are a result, where the job's limit comes before the last
std::expected<void, Failure> run_samples(const JobContext& job, runtime::Session& session, const DatasetReader& reader,
                                         bool is_timed, bool wants_outputs, RunTimes& times, const JobOutcome& outcome,
                                         RunResult& result) {
  auto writer = DatasetWriter::create(job.out() / kOutputs, output_names(session));
  if (!writer) return std::unexpected(failure_of(writer.error(), Step::kWrite));
  const auto samples = reader.sample_count();
  std::mutex mutex;  // of what the outputs so far are told by: the library of HDF5 knows no threads
  std::int64_t written = 0;
  const JobOutcome before = outcome;
  const BeforeTheLimit limit(job, [&]() -> std::optional<JobOutcome> {
    const std::scoped_lock lock(mutex);
    if (!wants_outputs || written == 0 || written == samples) return std::nullopt;
    JobOutcome so_far = before;
    if (!finish_outputs(job, *writer, so_far.result.emplace<domain::kinds::Inference::Result>())) return std::nullopt;
    so_far.succeeded = true;
    so_far.warnings.push_back(
        fmt::format("Partial: the outputs of {} of {} samples are there; sample {} was being run when the job's time "
                    "limit came.",
                    written, samples, written));
    job.log(so_far.warnings.back());
    return so_far;
  });
  auto report_due = SteadyClock::now() + std::chrono::seconds(5);
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    std::unique_lock lock(mutex);
    const auto inputs = read_sample(reader, sample);
    lock.unlock();
    if (!inputs) return std::unexpected(failure_of(inputs.error(), Step::kReadData));
    if (is_timed && sample == 0) {
      // The first run allocates and is not what later runs take.
      if (const auto warm = session.run(*inputs); !warm) {
        return std::unexpected(failure_of(warm.error().with("sample 0"), Step::kRun));
      }
    }
    const auto start = SteadyClock::now();
    const auto outputs = session.run(*inputs);
    if (!outputs) {
      return std::unexpected(failure_of(outputs.error().with(fmt::format("sample {}", sample)), Step::kRun));
    }
    if (is_timed) times.times_us.push_back(whole_us(SteadyClock::now() - start));
    std::vector<const tensor::Tensor*> tensors;
    for (const auto& output : *outputs) tensors.push_back(&output.tensor);
    lock.lock();
    const auto appended = writer->append(tensors);
    if (!appended) return std::unexpected(failure_of(appended.error(), Step::kWrite));
    ++written;
    lock.unlock();
    if (SteadyClock::now() >= report_due) {
      job.log(fmt::format("{} of {} samples", sample + 1, samples));
      report_due = SteadyClock::now() + std::chrono::seconds(5);
    }
  }
  const std::scoped_lock lock(mutex);
  job.log(fmt::format("ran {} sample(s)", samples));
  return finish_outputs(job, *writer, result);
}

/// Placement in words, and what must not be overlooked about it.
void report_placement(const JobContext& job, const PreparedSession& prepared, const runtime::PlacementReport& placement,
                      JobOutcome& outcome) {
  if (placement.node_count() == 0) return;
  job.log(fmt::format("placement: {}", placement.summary()));
  const int on_npu = placement.nodes_on(runtime::ComputeUnit::kNpu);
  if (runtime::provider_has(prepared.session.provider.name, &runtime::ProviderRow::accepts_htp) &&
      on_npu < placement.node_count()) {
    outcome.remarks.push_back(fmt::format("{} of {} nodes ran on the CPU of {}, not on the NPU.",
                                          placement.node_count() - on_npu, placement.node_count(),
                                          runtime::machine_name()));
  }
}

constexpr std::size_t kMostLayers = 50'000;  // more than these nobody looks through, and an outcome holds them
constexpr std::uint64_t kLargestPlacementBytes = std::uint64_t{256} << 20;

/// Where the layers of a compiled graph are, which ONNX Runtime sees as one node: as its compile job found them.
std::optional<runtime::PlacementReport> compiled_placement(const JobContext& job, const PreparedSession& prepared) {
  const auto companion = job.model().companion_files.find(kPlacementCompanion);
  if (companion == job.model().companion_files.end() || !prepared.graph.empty()) return std::nullopt;
  const auto text = base::read_file(job.in(companion->second), kLargestPlacementBytes);
  if (!text) return std::nullopt;
  auto placement = placement_from_document(*text);
  if (!placement) {
    job.log(placement.error().message);
    return std::nullopt;
  }
  return std::move(*placement);
}

/// What a profile is told while it goes on.
class ProgressLines {
 public:
  explicit ProgressLines(const JobContext& job) : job_(job) {}

  void tell(std::string_view phase, std::int64_t done, std::int64_t total) {
    const auto now = SteadyClock::now();
    const bool is_new = phase != phase_;
    if (!is_new && now - told_ < kTellEvery) return;
    if (is_new) began_ = now;
    phase_ = phase;
    told_ = now;
    std::string line = fmt::format("measuring: {}", phase);
    if (!is_new && total > 0) line += fmt::format(", {} of at most {} runs", done, total);
    if (!is_new) line += fmt::format(", {} s", std::chrono::duration_cast<std::chrono::seconds>(now - began_).count());
    job_.log(line);
  }

 private:
  static constexpr std::chrono::seconds kTellEvery{5};
  const JobContext& job_;
  std::string phase_;
  SteadyClock::time_point began_, told_;
};

/// How long all runs together may take: as asked for, within what this job has left for more than runs.
std::chrono::milliseconds time_for_runs(const JobContext& job) {
  const std::chrono::milliseconds wanted = job.spec.options.max_profiler_time;
  if (!job.tools.deadline) return wanted;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*job.tools.deadline - SteadyClock::now());
  const auto most = std::max(std::chrono::milliseconds(1000), left * 4 / 5);
  if (wanted > most) {
    job.log(fmt::format("--max_profiler_time {}: the agent's limit for a job leaves {} s for runs",
                        job.spec.options.max_profiler_time.count(), most.count() / 1000));
  }
  return std::min(wanted, most);
}

/// The whole measurement, each phase in a process of its own. What was measured is in the outcome also when a later
/// phase fails, and kept while it goes on.
/// @param has_outputs  the job has written the outputs that it is for: it is a result without a profile, too
std::expected<void, Failure> measure(const JobContext& job, const PreparedSession& prepared,
                                     const tensor::NamedTensors* inputs, bool has_outputs, JobOutcome& outcome,
                                     RunResult& result) {
  runtime::ProfileOptions options;
  options.session = prepared.session;
  options.max_iterations = std::max(1, job.spec.options.max_profiler_iterations);
  options.max_time = time_for_runs(job);
  options.memory_bytes = job.tools.memory_bytes;
  options.inputs_advice = "run an inference job with inputs of your own";
  options.work_folder = job.work() / "profile";
  std::error_code error;
  fs::create_directories(options.work_folder, error);
  const auto compiled = compiled_placement(job, prepared);
  std::size_t layer_count = 0;
  const auto store = [&](const runtime::ProfileReport& report) {
    ProfileEvidence evidence = evidence_of(report);
    if (compiled) show_compiled_layers(*compiled, evidence);
    evidence.runtime_config = prepared.runtime_config;
    auto layers = evidence.layers();
    layer_count = layers.size();
    layers.resize(std::min(layers.size(), kMostLayers));
    evidence.set_layers(std::move(layers));
    result.profile = std::move(evidence);
  };
  ProgressLines lines(job);
  const auto report = runtime::profile(
      job.tools.libraries, prepared.model, inputs, options,
      [&](std::string_view phase, std::int64_t done, std::int64_t total) { lines.tell(phase, done, total); },
      [&](const runtime::ProfileReport& so_far) {
        store(so_far);
        outcome.succeeded = has_outputs || so_far.inference_is_whole;
        if (job.tools.store) job.tools.store(outcome);
      });
  outcome.succeeded = false;
  if (!report) return std::unexpected(failure_of(report.error(), Step::kRun));
  store(*report);
  if (inputs == nullptr) report_placement(job, prepared, compiled ? *compiled : report->placement, outcome);
  for (const auto& warning : report->warnings) job.log(fmt::format("note: {}", warning));
  for (const auto& missing : report->missing) {
    outcome.remarks.push_back(
        fmt::format("Partial: {} could not be measured: {}", missing.name, missing.reason.message));
    job.log(outcome.remarks.back());
  }
  if (layer_count > kMostLayers) {
    outcome.remarks.push_back(fmt::format("{} of {} layers are listed; the trace has all", kMostLayers, layer_count));
  }
  if (!report->chrome_trace.empty() && !report->is_emulated) {
    const std::string name = job.spec.job.id + "_profile_trace.json";
    fs::rename(report->chrome_trace, job.out() / name, error);
    if (!error) outcome.artifacts.push_back({domain::ArtifactType::kProfileTrace, name});
  }
  const auto* inference = report->missing_phase("inference");
  if (inference != nullptr) return std::unexpected(failure_of(inference->reason, Step::kRun));
  return {};
}

/// What the compiler itself estimates for the chip, where it carries a cost model. Never the reason for a failure.
void estimate(const JobContext& job, const PreparedSession& prepared,
              const std::shared_ptr<runtime::Environment>& environment, JobOutcome& outcome, RunResult& result) {
  if (prepared.graph.empty() || !prepared.session.provider.htp ||
      !compile::has_cost_model(*prepared.session.provider.htp))
    return;
  compile::CompileRequest request;
  request.model = prepared.graph;
  request.target = compile::Target::kPrecompiledQnnOnnx;
  request.htp = prepared.session.provider.htp;
  request.chip_supports_fp16 = job.spec.job.device->chip.supports_fp16;
  request.fallback = prepared.session.fallback;
  request.comparing = compile::Comparing::kLeftOut;
  request.output_folder = job.work() / "estimate";
  std::error_code error;
  fs::create_directories(request.output_folder, error);
  const auto compiled = compile::compile(environment, request, {});
  if (!compiled) {
    job.log(fmt::format("no estimate from the compiler: {}", compiled.error().message));
    return;
  }
  add_compiler_estimate(job, *compiled, result, outcome);
  if (!compiled->estimate) return;
  job.log(
      fmt::format("the compiler estimates {:.0f} us ({:.0f} to {:.0f}) on this chip: its own cost model, not a "
                  "measurement",
                  compiled->estimate->nominal_us, compiled->estimate->lower_us, compiled->estimate->upper_us));
}

/// @param wants_outputs  the outputs of the dataset are what the job is for
std::expected<void, Failure> run(const JobContext& job, bool is_profiling_asked, bool wants_outputs,
                                 JobOutcome& outcome, RunResult& result) {
  auto prepared = prepare_session(job);
  if (!prepared) return std::unexpected(prepared.error());
  const auto environment = job.tools.open_environment();
  if (!environment) return std::unexpected(failure_of(environment.error(), Step::kLoad));
  outcome.tool_versions.emplace_back("ONNX Runtime", (*environment)->onnxruntime_version());
  const bool is_npu = job.plan().provider == domain::Provider::kQnn;
  const bool is_timed = job.plan().figures == domain::Figures::kMeasured;
  if (const auto qairt = is_npu ? (*environment)->qairt_version() : std::nullopt) {
    outcome.tool_versions.emplace_back("QAIRT", *qairt);
  }
  outcome.remarks = prepared->remarks;
  for (const auto& remark : prepared->remarks) job.log(remark);
  job.log(fmt::format("provider {}, fallback to the CPU {}", prepared->session.provider.name,
                      !is_npu                                                   ? "not needed"
                      : prepared->session.fallback == runtime::Fallback::kAllow ? "allowed"
                                                                                : "forbidden"));
  std::optional<DatasetReader> reader;
  if (!job.spec.dataset_file.empty()) {
    auto opened = DatasetReader::open(job.in(job.spec.dataset_file));
    if (!opened) return std::unexpected(failure_of(opened.error(), Step::kReadData));
    reader.emplace(std::move(*opened));
  }
  const bool is_profiling = is_profiling_asked || !reader;
  std::optional<tensor::NamedTensors> first_sample;
  if (reader) {
    const MemoryBefore memory;
    const auto session = runtime::Session::load(*environment, prepared->model, prepared->session);
    if (!session) return std::unexpected(failure_of(session.error(), Step::kLoad));
    for (const auto& line : (*session)->log_lines()) job.log(line);
    if (const auto checked = check_output_types(**session); !checked) return checked;
    RunTimes times;
    if (const auto ran = run_samples(job, **session, *reader, is_timed, wants_outputs, times, outcome, result); !ran)
      return ran;
    const auto compiled = compiled_placement(job, *prepared);
    report_placement(job, *prepared, compiled ? *compiled : (*session)->placement(), outcome);
    if (!is_profiling) {
      ProfileEvidence evidence = evidence_of_run((*session)->placement(), prepared->session.provider.name,
                                                 job.plan().figures, times.times_us, memory);
      if (compiled) evidence.placement = compiled->summary();
      evidence.runtime_config = prepared->runtime_config;
      result.profile = std::move(evidence);
    }
    if (is_profiling && reader->sample_count() > 0) {
      auto inputs = read_sample(*reader, 0);
      if (!inputs) return std::unexpected(failure_of(inputs.error(), Step::kReadData));
      first_sample = std::move(*inputs);
      if (is_timed && reader->sample_count() > 1)
        outcome.remarks.emplace_back("Times were measured on the first sample.");
    }
  }
  if (is_profiling) {
    const bool has_outputs = wants_outputs && first_sample;
    const auto measured =
        measure(job, *prepared, first_sample ? &*first_sample : nullptr, has_outputs, outcome, result);
    if (!measured && !has_outputs) return measured;
    if (!measured)
      outcome.remarks.push_back("Partial: the outputs are whole, the profile is not: " + measured.error().reason);
    if (is_npu) estimate(job, *prepared, *environment, outcome, result);
  }
  return {};
}

void execute_run(const JobContext& job, const Run& payload, bool wants_outputs, JobOutcome& outcome,
                 RunResult& result) {
  const auto done = run(job, payload.is_profiling, wants_outputs, outcome, result);
  if (!done) return fail_with(outcome, done.error());
  outcome.succeeded = true;
}

}  // namespace

void execute_kind(KindExecutor<domain::kinds::Profile> /*kind*/, const JobContext& job,
                  const domain::kinds::Profile& payload, JobOutcome& outcome, domain::kinds::Profile::Result& result) {
  execute_run(job, payload, false, outcome, result);
}

void execute_kind(KindExecutor<domain::kinds::Inference> /*kind*/, const JobContext& job,
                  const domain::kinds::Inference& payload, JobOutcome& outcome,
                  domain::kinds::Inference::Result& result) {
  execute_run(job, payload, true, outcome, result);
}

}  // namespace slipway::hub::executor
