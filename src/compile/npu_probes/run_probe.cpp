#include "compile/npu_probes/run_probe.hpp"

#include <algorithm>
#include <array>

#include "base/files.hpp"
#include "runtime/session.hpp"
#include "tensor/compare.hpp"

namespace slipway::compile::npu_probes {
namespace {

using base::Result;
using tensor::Dtype;
using tensor::NamedTensors;

struct VerdictRow {
  Verdict verdict;
  std::string_view name;
};
constexpr std::array kVerdicts = {
    VerdictRow{Verdict::kRight, "right"},
    VerdictRow{Verdict::kWrong, "wrong"},
    VerdictRow{Verdict::kRefused, "refused"},
    VerdictRow{Verdict::kCrashes, "crashes the compiler"},
    VerdictRow{Verdict::kUnfinished, "does not finish"},
    VerdictRow{Verdict::kNoReference, "no reference"},
};

/// Of the peak. FP16 has eleven bits, and sums of a few hundred products lose three more; two quanta of 8 bits.
constexpr double kFloatTolerance = 0.01;
constexpr double kQuantizedTolerance = 0.02;

runtime::SessionOptions reference_options() {
  runtime::SessionOptions options;
  options.graph_optimization = runtime::GraphOptimization::kDisabled;
  options.record_placement = false;
  options.intra_op_threads = 1;
  return options;
}

runtime::SessionOptions npu_options(const runtime::HtpTarget& chip, bool with_fp16) {
  runtime::SessionOptions options;
  options.provider = {.name = std::string(runtime::htp_provider().name),
                      .options = {{"offload_graph_io_quantization", "0"}},
                      .htp = chip};
  if (with_fp16) options.provider.options.emplace("enable_htp_fp16_precision", "1");
  options.intra_op_threads = 1;
  return options;
}

std::string one_line(std::string text) {
  constexpr std::size_t kLongest = 200;
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

Result<NamedTensors> run(const std::shared_ptr<runtime::Environment>& environment, const std::filesystem::path& model,
                         const NamedTensors& inputs, const runtime::SessionOptions& options) {
  SLIPWAY_ASSIGN(const auto session, runtime::Session::load(environment, model, options));
  return session->run(inputs);
}

bool is_exact(Dtype dtype) {
  return dtype != Dtype::kFloat32 && dtype != Dtype::kFloat16;
}

Outcome compared(const NamedTensors& expected, const NamedTensors& found, double tolerance) {
  Outcome outcome;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto agreement = tensor::compare(expected[i].tensor, found[i].tensor);
    if (!agreement) return {.verdict = Verdict::kWrong, .difference = 1, .detail = one_line(agreement.error().message)};
    const double allowed = is_exact(expected[i].tensor.dtype()) ? 0 : tolerance;
    outcome.difference = std::max(outcome.difference, agreement->relative_max);
    if (agreement->not_comparable > 0) {
      outcome.verdict = Verdict::kWrong;
      outcome.detail = fmt::format("{} of {} elements not finite on one side", agreement->not_comparable,
                                   expected[i].tensor.size_bytes() / dtype_size_bytes(expected[i].tensor.dtype()));
    } else if (!(agreement->relative_max <= allowed)) {
      outcome.verdict = Verdict::kWrong;
    }
  }
  return outcome;
}

/// What the outputs of a quantised probe's float twin span.
Result<std::vector<Range>> output_ranges(const std::shared_ptr<runtime::Environment>& environment, const Probe& probe,
                                         const std::filesystem::path& folder) {
  Sketch sketch(ElementKind::kFloat32, {}, probe.opset);
  probe.draw(sketch);
  const auto drawn = sketch.finish();
  SLIPWAY_TRY(drawn.model.write(folder / "float.onnx"));
  SLIPWAY_ASSIGN(const NamedTensors outputs,
                 run(environment, folder / "float.onnx", drawn.inputs, reference_options()));
  std::vector<Range> ranges;
  for (const auto& [name, tensor] : outputs) {
    Range range{.low = 0, .high = 0};
    if (tensor.dtype() == Dtype::kFloat32) {
      for (const float value : tensor.values<float>()) {
        range.low = std::min(range.low, static_cast<double>(value));
        range.high = std::max(range.high, static_cast<double>(value));
      }
    }
    ranges.push_back(range);
  }
  return ranges;
}

/// @param rewritten  what the NPU gets in place of the model
Outcome run_in(const std::filesystem::path& folder, const std::shared_ptr<runtime::Environment>& environment,
               const Sketch::Drawn& drawn, const onnx_graph::Model* rewritten, double tolerance,
               const runtime::HtpTarget& chip, bool with_fp16) {
  const auto path = folder / "probe.onnx";
  const NamedTensors& inputs = drawn.inputs;
  if (const auto written = drawn.model.write(path); !written) {
    return {.verdict = Verdict::kNoReference, .detail = one_line(written.error().message)};
  }
  const auto expected = run(environment, path, inputs, reference_options());
  if (!expected) return {.verdict = Verdict::kNoReference, .detail = one_line(expected.error().message)};
  if (rewritten != nullptr) {
    const auto written = rewritten->write(path);
    if (!written) return {.verdict = Verdict::kRefused, .detail = one_line(written.error().message)};
  }
  const auto found = run(environment, path, inputs, npu_options(chip, with_fp16));
  if (!found) return {.verdict = Verdict::kRefused, .detail = one_line(found.error().message)};
  return compared(*expected, *found, tolerance);
}

/// The graph of a known fault, with data over all that its inputs can hold.
Sketch::Drawn drawn_fault(const Probe& probe) {
  Sketch::Drawn drawn{.model = probe.fault->probe(), .inputs = {}};
  for (const auto& input : drawn.model.summary().inputs) {
    Range range{.low = -200, .high = 200};
    if (input.dtype == Dtype::kUint8) range = {.low = 0, .high = 255};
    drawn.inputs.push_back({input.name, seeded(input.dtype, input.shape, range)});
  }
  return drawn;
}

Outcome run_fault(const std::filesystem::path& folder, const std::shared_ptr<runtime::Environment>& environment,
                  const Probe& probe, const runtime::HtpTarget& chip, bool with_fp16) {
  const auto drawn = drawn_fault(probe);
  if (!probe.is_rewritten) return run_in(folder, environment, drawn, nullptr, kFloatTolerance, chip, with_fp16);
  auto model = probe.fault->probe();
  const auto avoided = npu_faults::avoid(*probe.fault, model);
  if (!avoided) return {.verdict = Verdict::kRefused, .detail = one_line(avoided.error().message)};
  return run_in(folder, environment, drawn, &model, kFloatTolerance, chip, with_fp16);
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  return std::ranges::find(kVerdicts, verdict, &VerdictRow::verdict)->name;
}

std::optional<Verdict> verdict_from_name(std::string_view name) {
  const auto row = std::ranges::find(kVerdicts, name, &VerdictRow::name);
  return row != kVerdicts.end() ? std::optional(row->verdict) : std::nullopt;
}

Outcome run_probe(const std::shared_ptr<runtime::Environment>& environment, const Probe& probe,
                  const runtime::HtpTarget& chip, bool with_fp16) {
  const auto folder = base::TemporaryFolder::create("npu-probe");
  if (!folder) return {.verdict = Verdict::kNoReference, .detail = one_line(folder.error().message)};
  if (probe.fault != nullptr) return run_fault(folder->path(), environment, probe, chip, with_fp16);
  std::vector<Range> ranges;
  const bool is_quantized = row_of(probe.kind).quantized_as.has_value();
  if (is_quantized) {
    auto found = output_ranges(environment, probe, folder->path());
    if (!found) return {.verdict = Verdict::kNoReference, .detail = one_line(found.error().message)};
    ranges = *std::move(found);
  }
  Sketch sketch(probe.kind, std::move(ranges), probe.opset);
  probe.draw(sketch);
  const auto drawn = sketch.finish();
  return run_in(folder->path(), environment, drawn, nullptr, is_quantized ? kQuantizedTolerance : kFloatTolerance, chip,
                with_fp16);
}

}  // namespace slipway::compile::npu_probes
