#include "compile/agreement.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace slipway::compile {
namespace {

using base::Result;
using tensor::NamedTensors;

constexpr std::uint64_t kSeed = 20260101;
/// The emulator needs about this many times what the CPU needs, seen with networks from 0.1 to 10 GFLOP; integers are
/// emulated bit by bit, FP16 is not.
constexpr double kEmulatorSlowdownFloat = 40;
constexpr double kEmulatorSlowdownQuantized = 300;

/// Cancels a run when its time is over.
class Deadline {
 public:
  explicit Deadline(std::chrono::seconds limit) : thread_([this, limit] { wait(limit); }) {}
  ~Deadline() {
    {
      const std::scoped_lock lock(mutex_);
      is_done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  [[nodiscard]] runtime::CancelFlag* flag() { return &flag_; }

 private:
  void wait(std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [this] { return is_done_; })) flag_.cancel();
  }

  runtime::CancelFlag flag_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_done_ = false;
  std::thread thread_;
};

struct TimedOutputs {
  NamedTensors outputs;
  double seconds = 0;
};

Result<TimedOutputs> run_for_at_most(runtime::Session& session, const NamedTensors& inputs,
                                     std::chrono::seconds limit) {
  Deadline deadline(limit);
  const auto begin = std::chrono::steady_clock::now();
  auto outputs = session.run(inputs, deadline.flag());
  if (!outputs && outputs.error().code == base::Code::kCancelled) {
    return base::fail(base::Code::kDeadlineExceeded, "the run took longer than {} s", limit.count());
  }
  if (!outputs) return std::unexpected(std::move(outputs).error());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return TimedOutputs{.outputs = std::move(*outputs), .seconds = elapsed.count()};
}

Result<TimedOutputs> run_source(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                                const NamedTensors& inputs) {
  runtime::SessionOptions options;
  options.record_placement = false;
  SLIPWAY_ASSIGN(const auto session, runtime::Session::load(environment, request.model, options));
  return run_for_at_most(*session, inputs, request.agreement_limit);
}

Result<std::vector<OutputAgreement>> compare_all(const NamedTensors& expected, const NamedTensors& found) {
  if (expected.size() != found.size()) {
    return base::fail(base::Code::kInternal, "the source gave {} outputs, the result {}", expected.size(),
                      found.size());
  }
  std::vector<OutputAgreement> outputs;
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto agreement = tensor::compare(expected[i].tensor, found[i].tensor);
    if (!agreement) return std::unexpected(agreement.error().with(fmt::format("output {}", found[i].name)));
    outputs.push_back({found[i].name, *agreement});
  }
  return outputs;
}

Result<std::vector<OutputAgreement>> run_both(const std::shared_ptr<runtime::Environment>& environment,
                                              const CompileRequest& request, const Prepared& prepared,
                                              const Candidate& candidate, runtime::PlacementReport& placement) {
  SLIPWAY_ASSIGN(const NamedTensors inputs, runtime::random_inputs(prepared.summary.inputs, kSeed));
  SLIPWAY_ASSIGN(const NamedTensors source_inputs, to_source_inputs(prepared.boundary, inputs));
  auto source = run_source(environment, request, source_inputs);
  if (!source) return std::unexpected(source.error().with("running the source on the CPU"));
  SLIPWAY_ASSIGN(const NamedTensors expected, from_source_outputs(prepared.boundary, std::move(source->outputs)));

  const double slowdown = !candidate.is_emulated     ? 1
                          : prepared.summary.has_qdq ? kEmulatorSlowdownQuantized
                                                     : kEmulatorSlowdownFloat;
  const double foreseen = source->seconds * slowdown;
  if (foreseen > static_cast<double>(request.agreement_limit.count())) {
    return base::fail(
        base::Code::kDeadlineExceeded,
        "the source takes {:.1f} s on this CPU, so {} would need about {:.0f} s, more than the limit of {} s",
        source->seconds, candidate.executor, foreseen, request.agreement_limit.count());
  }
  auto session = runtime::Session::load(environment, candidate.model, candidate.session);
  if (!session)
    return std::unexpected(session.error().with(fmt::format("loading the result on {}", candidate.executor)));
  placement = (*session)->placement();
  auto found = run_for_at_most(**session, inputs, request.agreement_limit);
  if (!found) return std::unexpected(found.error().with(fmt::format("running the result on {}", candidate.executor)));
  return compare_all(expected, found->outputs);
}

}  // namespace

Comparison compare_with_source(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                               const Prepared& prepared, const Candidate& candidate) {
  Comparison comparison;
  if (request.agreement_limit.count() == 0) {
    comparison.note = "not compared: left out as asked";
    return comparison;
  }
  auto outputs = run_both(environment, request, prepared, candidate, comparison.placement);
  const std::string remark = candidate.remark.empty() ? "" : "; " + candidate.remark;
  if (outputs) {
    comparison.outputs = std::move(*outputs);
    comparison.note = fmt::format("the source on the CPU against the result on {}, random inputs with seed {}{}",
                                  candidate.executor, kSeed, remark);
  } else {
    comparison.note = fmt::format("not compared: {}{}", outputs.error().message, remark);
  }
  return comparison;
}

}  // namespace slipway::compile
