#include "compile/agreement.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "compile/agreement_rule.hpp"
#include "compile/check_data.hpp"
#include "tensor/npz.hpp"

namespace slipway::compile {
namespace {

using base::Code;
using base::Result;
using tensor::NamedTensors;

constexpr std::uint64_t kSeed = 20260101;
/// The emulator needs about this many times what the CPU needs, seen with networks from 0.1 to 10 GFLOP; integers are
/// emulated bit by bit, FP16 is not.
constexpr double kEmulatorSlowdownFloat = 40;
constexpr double kEmulatorSlowdownQuantized = 300;
/// A run that differs from itself by less is only summed up in another order.
constexpr double kNoiseOfOneSource = 1e-4;
constexpr double kWideProbe = 100;      ///< so many times the range of the floats
constexpr double kShareForProbe = 0.1;  ///< of the limit: the probe is made when a run takes no longer

/// Cancels a run when its time is over.
class Deadline {
 public:
  /// @param limit  nothing: none
  explicit Deadline(std::optional<std::chrono::seconds> limit) {
    if (limit) thread_ = std::jthread([this, limit = *limit] { wait(limit); });
  }
  ~Deadline() {
    {
      const std::scoped_lock lock(mutex_);
      is_done_ = true;
    }
    changed_.notify_all();
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
  std::jthread thread_;  // last: it ends before the rest does
};

struct TimedOutputs {
  NamedTensors outputs;
  double seconds = 0;
};

std::optional<std::chrono::seconds> limit_of(const CompileRequest& request) {
  if (request.comparing == Comparing::kToTheEnd) return std::nullopt;
  return request.agreement_limit;
}

/// @error kDeadlineExceeded: the limit; else as Session::run
Result<TimedOutputs> run_within_limit(runtime::Session& session, const NamedTensors& inputs,
                                      const CompileRequest& request) {
  const auto limit = limit_of(request);
  Deadline deadline(limit);
  const auto begin = std::chrono::steady_clock::now();
  auto outputs = session.run(inputs, deadline.flag());
  if (!outputs && outputs.error().code == Code::kCancelled) {
    return base::fail(Code::kDeadlineExceeded, "a run took longer than {} s", limit->count());
  }
  if (!outputs) return std::unexpected(std::move(outputs).error());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return TimedOutputs{.outputs = std::move(*outputs), .seconds = elapsed.count()};
}

bool is_same_run(const tensor::Tensor& first, const tensor::Tensor& second) {
  const auto found = tensor::compare(first, second);
  return found && found->not_comparable == 0 && found->relative_max < kNoiseOfOneSource;
}

/// ONNX Runtime promises to run the operators of these sets; of older ones it lacks most.
bool is_too_old(const onnx_graph::ModelSummary& model) {
  constexpr std::int64_t kOldestOpset = 7;
  return std::ranges::any_of(model.opsets, [](const auto& opset) {
    return (opset.first.empty() || opset.first == "ai.onnx") && opset.second < kOldestOpset;
  });
}

/// The comparison of one result, from the source's first run to the verdict on every output. An error of a step that
/// is no reason to give the result up is a warning; see compare_with_source().
class SourceComparison {
 public:
  SourceComparison(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                   const Prepared& prepared, const Candidate& candidate)
      : environment_(environment),
        request_(request),
        prepared_(prepared),
        candidate_(candidate),
        ranges_(check_ranges(prepared)) {}

  Result<Comparison> compare() {
    if (request_.comparing == Comparing::kLeftOut) {
      SLIPWAY_TRY(load_what_nobody_loaded());
      not_compared(Standing::kLeftOut, "left out as asked");
      return std::move(comparison_);
    }
    if (const auto done = run_source(); !done) return end_with(done.error());
    if (const auto foreseen = foreseen_too_long()) return end_with(*foreseen);
    if (const auto done = run_candidate(); !done) return end_with(done.error());
    judge();
    probe_wide_range();
    return std::move(comparison_);
  }

 private:
  /// A result for the CPU has been loaded by nobody yet; every other one was, by its compiler.
  Result<void> load_what_nobody_loaded() {
    if (request_.target != Target::kOnnx) return {};
    SLIPWAY_ASSIGN(const auto source, load_source());
    SLIPWAY_TRY(load_candidate());
    return {};
  }

  Result<std::unique_ptr<runtime::Session>> load_source() {
    runtime::SessionOptions options;
    options.record_placement = false;
    auto source = runtime::Session::load(environment_, request_.model, options);
    if (source) return source;
    const bool is_refused = source.error().code == Code::kInvalidArgument || is_too_old(prepared_.summary);
    gives_up_ = is_refused;
    return std::unexpected(source.error().with(is_refused ? "the model is refused" : "loading the source"));
  }

  Result<NamedTensors> make_inputs() {
    if (request_.check_inputs.empty()) return check_data(prepared_.summary.inputs, ranges_, kSeed);
    gives_up_ = true;
    SLIPWAY_ASSIGN(NamedTensors given, tensor::read_npz(request_.check_inputs));
    NamedTensors inputs;
    for (const auto& wanted : prepared_.summary.inputs) {
      const auto found = std::ranges::find(given, wanted.name, &tensor::NamedTensor::name);
      if (found == given.end()) {
        return base::fail(Code::kInvalidArgument, "{}: no array for the input '{}' of the result",
                          request_.check_inputs.string(), wanted.name);
      }
      inputs.push_back(std::move(*found));
    }
    gives_up_ = false;
    return inputs;
  }

  Result<TimedOutputs> run_source_on(runtime::Session& source, const NamedTensors& inputs) {
    auto source_inputs = to_source_inputs(prepared_.boundary, inputs);
    if (!source_inputs) {
      gives_up_ = !request_.check_inputs.empty();
      return std::unexpected(source_inputs.error().with("the inputs to compare with"));
    }
    auto run = run_within_limit(source, *source_inputs, request_);
    if (!run) {
      gives_up_ = !request_.check_inputs.empty() && run.error().code == Code::kInvalidArgument;
      return std::unexpected(run.error().with("running the source on the CPU"));
    }
    SLIPWAY_ASSIGN(run->outputs, from_source_outputs(prepared_.boundary, std::move(run->outputs)));
    return run;
  }

  /// The source may not like what no reader bounds: integers come closer to 0 and 1 until it runs.
  Result<void> run_source() {
    SLIPWAY_ASSIGN(const auto source, load_source());
    const bool is_ours = request_.check_inputs.empty();
    while (true) {
      SLIPWAY_ASSIGN(inputs_, make_inputs());
      auto run = run_source_on(*source, inputs_);
      if (run) {
        expected_ = std::move(*run);
        break;
      }
      const bool is_over = run.error().code == Code::kDeadlineExceeded || run.error().code == Code::kResourceExhausted;
      if (is_over || !is_ours || !narrow(prepared_.summary.inputs, ranges_)) return std::unexpected(run.error());
    }
    if (is_ours) prefer_numbers(*source);
    find_random_outputs(*source);
    return {};
  }

  /// A source that makes NaN of negative numbers is not meant to be given any.
  void prefer_numbers(runtime::Session& source) {
    auto ranges = ranges_;
    if (nan_count(expected_.outputs) == 0 || !without_negatives(prepared_.summary.inputs, ranges)) return;
    auto inputs = check_data(prepared_.summary.inputs, ranges, kSeed);
    if (!inputs) return;
    auto run = run_source_on(source, *inputs);
    if (!run || nan_count(run->outputs) >= nan_count(expected_.outputs)) return;
    ranges_ = std::move(ranges);
    inputs_ = std::move(*inputs);
    expected_ = std::move(*run);
  }

  static std::int64_t nan_count(const NamedTensors& outputs) {
    std::int64_t count = 0;
    for (const auto& output : outputs) {
      if (const auto self = tensor::compare(output.tensor, output.tensor)) count += self->reference_nan;
    }
    return count;
  }

  /// Outputs of random operators differ from run to run. With a seed, the first runs of two sessions still agree, and
  /// these are compared.
  void find_random_outputs(runtime::Session& source) {
    const auto again = run_source_on(source, inputs_);
    if (!again) return;
    for (std::size_t i = 0; i < expected_.outputs.size(); ++i) {
      if (!is_same_run(expected_.outputs[i].tensor, again->outputs[i].tensor)) random_outputs_.insert(i);
    }
  }

  std::optional<base::Error> foreseen_too_long() const {
    const auto limit = limit_of(request_);
    const double slowdown = !candidate_.is_emulated     ? 1
                            : prepared_.summary.has_qdq ? kEmulatorSlowdownQuantized
                                                        : kEmulatorSlowdownFloat;
    const double foreseen = expected_.seconds * slowdown;
    if (!limit || foreseen <= static_cast<double>(limit->count())) return std::nullopt;
    return base::Error{Code::kDeadlineExceeded,
                       fmt::format("the source takes {:.1f} s on this CPU, so {} would need about {:.0f} s",
                                   expected_.seconds, candidate_.executor, foreseen)};
  }

  Result<void> load_candidate() {
    auto session = runtime::Session::load(environment_, candidate_.model, candidate_.session);
    if (session) {
      session_ = std::move(*session);
      comparison_.placement = session_->placement();
      return {};
    }
    // What this machine lacks at the moment says nothing about the result.
    const Code code = session.error().code;
    gives_up_ = code != Code::kResourceExhausted && code != Code::kUnavailable;
    return base::fail(gives_up_ ? Code::kInternal : code, "the result was made but cannot be loaded on {}: {}",
                      candidate_.executor, session.error().message);
  }

  Result<void> run_candidate() {
    SLIPWAY_TRY(load_candidate());
    auto run = run_within_limit(*session_, inputs_, request_);
    if (run) {
      found_ = std::move(*run);
      return {};
    }
    const Code code = run.error().code;
    gives_up_ = request_.target == Target::kOnnx && code != Code::kResourceExhausted && code != Code::kDeadlineExceeded;
    return base::fail(gives_up_ ? Code::kInternal : code, "running the result on {}: {}", candidate_.executor,
                      run.error().message);
  }

  void judge() {
    comparison_.standing = Standing::kAgrees;
    comparison_.note = fmt::format("the source on the CPU against the result on {}, {}{}", candidate_.executor,
                                   data_in_words(), remark());
    if (found_.outputs.size() != expected_.outputs.size()) {
      return warn(Standing::kDiffers, fmt::format("The source gives {} outputs, the result {}.",
                                                  expected_.outputs.size(), found_.outputs.size()));
    }
    for (std::size_t i = 0; i < found_.outputs.size(); ++i) judge(i);
  }

  void judge(std::size_t i) {
    const std::string& name = found_.outputs[i].name;
    tensor::TensorSpec spec;
    if (i < prepared_.summary.outputs.size()) spec = prepared_.summary.outputs[i];
    spec.name = name;
    auto judged = judge_output(spec, expected_.outputs[i].tensor, found_.outputs[i].tensor);
    if (random_outputs_.contains(i) && (!judged || !judged->alarm.empty())) {
      return warn(Standing::kNotCompared,
                  fmt::format("Output '{}' cannot be compared with the source, which itself gives other values at each "
                              "run (a random operator).",
                              name));
    }
    if (!judged) {
      return warn(Standing::kDiffers,
                  fmt::format("Output '{}' does not agree with the source: {}.", name, judged.error().message));
    }
    if (!judged->alarm.empty()) {
      const bool is_compared = judged->was_compared();
      warn(is_compared ? Standing::kDiffers : Standing::kNotCompared,
           fmt::format("Output '{}' {} the source: {}.", name,
                       is_compared ? "does not agree with" : "was not compared with", judged->alarm));
    } else if (judged->agreement.reference_nan > 0) {
      comparison_.remarks.push_back(fmt::format("{}: {} of {} elements are NaN in the source itself", name,
                                                judged->agreement.reference_nan, judged->agreement.count));
    }
    comparison_.outputs.push_back(std::move(*judged));
  }

  /// What happens far outside of the range that was compared: a note, because nobody said that such values occur.
  void probe_wide_range() {
    auto ranges = ranges_;
    if (!request_.check_inputs.empty() || comparison_.standing == Standing::kDiffers || !random_outputs_.empty() ||
        !widen(prepared_.summary.inputs, ranges, kWideProbe)) {
      return;
    }
    const std::string title = fmt::format("wide-range probe ({})", in_words(prepared_.summary.inputs, ranges));
    const auto limit = limit_of(request_);
    if (limit && found_.seconds > kShareForProbe * static_cast<double>(limit->count())) {
      return note(fmt::format("{}: left out for time, a run of the result took {:.0f} s", title, found_.seconds));
    }
    const auto probed = probe(ranges);
    note(fmt::format("{}: {}", title, probed ? *probed : "not made: " + probed.error().message));
  }

  Result<std::string> probe(const std::vector<CheckRange>& ranges) {
    SLIPWAY_ASSIGN(const NamedTensors inputs, check_data(prepared_.summary.inputs, ranges, kSeed));
    SLIPWAY_ASSIGN(const auto source, load_source());
    SLIPWAY_ASSIGN(const TimedOutputs expected, run_source_on(*source, inputs));
    SLIPWAY_ASSIGN(const TimedOutputs found, run_within_limit(*session_, inputs, request_));
    std::vector<std::string> differing;
    for (std::size_t i = 0; i < std::min(found.outputs.size(), prepared_.summary.outputs.size()); ++i) {
      const auto judged =
          judge_output(prepared_.summary.outputs[i], expected.outputs[i].tensor, found.outputs[i].tensor);
      if (!judged) {
        differing.push_back(fmt::format("{}: {}", found.outputs[i].name, judged.error().message));
      } else if (!judged->alarm.empty()) {
        differing.push_back(fmt::format("{}: {}", found.outputs[i].name, judged->alarm));
      }
    }
    return differing.empty() ? "agrees as well" : fmt::format("{}", fmt::join(differing, "; "));
  }

  [[nodiscard]] std::string data_in_words() const {
    if (!request_.check_inputs.empty()) return "inputs of " + request_.check_inputs.filename().string();
    return fmt::format("random inputs with seed {} ({})", kSeed, in_words(prepared_.summary.inputs, ranges_));
  }
  [[nodiscard]] std::string remark() const { return candidate_.remark.empty() ? "" : "; " + candidate_.remark; }

  void note(std::string text) { comparison_.remarks.push_back(std::move(text)); }

  /// The gravest standing counts.
  void warn(Standing standing, std::string text) {
    if (comparison_.standing != Standing::kDiffers) comparison_.standing = standing;
    comparison_.warnings.push_back(std::move(text));
  }

  void not_compared(Standing standing, std::string_view reason) {
    comparison_.standing = standing;
    comparison_.warnings = {fmt::format("The result was not compared with its source: {}.", reason)};
    comparison_.note = fmt::format("not compared: {}{}", reason, remark());
  }

  Result<Comparison> end_with(const base::Error& error) {
    if (gives_up_) return std::unexpected(error);
    const bool is_time = error.code == Code::kDeadlineExceeded;
    not_compared(Standing::kNotCompared,
                 is_time
                     ? fmt::format("left out for time: {}, and the compare limit is {} s (raise it, or lift it with "
                                   "0)",
                                   error.message, request_.agreement_limit.count())
                     : error.message);
    return std::move(comparison_);
  }

  const std::shared_ptr<runtime::Environment>& environment_;
  const CompileRequest& request_;
  const Prepared& prepared_;
  const Candidate& candidate_;
  std::vector<CheckRange> ranges_;
  NamedTensors inputs_;
  TimedOutputs expected_;
  std::set<std::size_t> random_outputs_;       ///< that differ between two runs of the source
  std::unique_ptr<runtime::Session> session_;  ///< the candidate's
  TimedOutputs found_;
  Comparison comparison_;
  bool gives_up_ = false;  ///< the error of the step under way is the end of the compile
};

}  // namespace

Result<Comparison> compare_with_source(const std::shared_ptr<runtime::Environment>& environment,
                                       const CompileRequest& request, const Prepared& prepared,
                                       const Candidate& candidate) {
  return SourceComparison(environment, request, prepared, candidate).compare();
}

void store_comparison(Comparison comparison, CompileResult& result) {
  result.standing = comparison.standing;
  result.warnings = std::move(comparison.warnings);
  result.agreement = std::move(comparison.outputs);
  result.agreement_note = std::move(comparison.note);
  result.agreement_remarks = std::move(comparison.remarks);
}

}  // namespace slipway::compile
