#include <algorithm>
#include <memory>
#include <set>

#include "quantize/calibrate.hpp"
#include "quantize/compare_outputs.hpp"
#include "quantize/quantize.hpp"
#include <fmt/ranges.h>

#include "compile/onnx_graph/one_data_file.hpp"
#include "hub/datasets/dataset_h5.hpp"
#include "hub/executor/archive.hpp"
#include "hub/executor/format.hpp"
#include "hub/executor/internal/job.hpp"

namespace slipway::hub::executor {
namespace {

namespace fs = std::filesystem;
using base::Result;
using domain::JobOutcome;
using domain::kinds::NumberType;
using domain::kinds::Quantize;
using tensor::NamedTensors;
using tensor::TensorSpec;

/// Float and quantised model are compared on so many samples at most; the note says on how many.
constexpr std::int64_t kMostComparedSamples = 100;
/// A list in a warning or remark goes no further; the log has the rest.
constexpr std::size_t kMostListed = 5;

std::string some_of(const std::vector<std::string>& items) {
  const std::size_t shown = std::min(items.size(), kMostListed);
  return fmt::format("{}{}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), "; "),
                     items.size() > shown ? fmt::format("; {} more (in the log)", items.size() - shown) : "");
}

/// The job's data set as calibration reads it. The hub has compared names, and of each input as many shapes as an
/// inspection keeps; here every sample is.
class CalibrationData {
 public:
  static Result<CalibrationData> open(const fs::path& path, const std::vector<TensorSpec>& inputs) {
    SLIPWAY_ASSIGN(datasets::DatasetReader reader, datasets::DatasetReader::open(path));
    return CalibrationData(std::move(reader), inputs);
  }

  [[nodiscard]] quantize::Samples samples() {
    return {reader_.sample_count(), [this](std::int64_t sample) -> Result<NamedTensors> {
              auto tensors = read(sample);
              if (!tensors) has_failed_ = true;
              if (tensors && !quantize::objection_to(*tensors).empty()) unusable_.insert(sample);
              return tensors;
            }};
  }
  [[nodiscard]] std::int64_t count() const { return reader_.sample_count(); }
  /// Whether the data, and not the model, is why calibration failed.
  [[nodiscard]] bool is_at_fault() const {
    return has_failed_ || static_cast<std::int64_t>(unusable_.size()) == reader_.sample_count();
  }

 private:
  CalibrationData(datasets::DatasetReader reader, std::vector<TensorSpec> inputs)
      : reader_(std::move(reader)), inputs_(std::move(inputs)) {}

  Result<NamedTensors> read(std::int64_t sample) {
    NamedTensors made;
    for (std::size_t i = 0; i < reader_.entries().size(); ++i) {
      const std::string& name = reader_.entries()[i].name;
      const auto input = std::ranges::find(inputs_, name, &TensorSpec::name);
      if (input == inputs_.end()) {
        return base::fail(base::Code::kInvalidArgument, "the calibration data has '{}', which is no input of the model",
                          name);
      }
      SLIPWAY_ASSIGN(tensor::Tensor tensor, reader_.read(i, sample));
      if (tensor.dtype() != input->dtype || !tensor::shape_accepts(*input, tensor.shape())) {
        return base::fail(base::Code::kInvalidArgument, "calibration sample {}: input '{}' expects {}, found {}",
                          sample, name, tensor::to_string(*input), tensor::to_string(tensor.dtype(), tensor.shape()));
      }
      made.push_back({name, std::move(tensor)});
    }
    return made;
  }

  datasets::DatasetReader reader_;
  std::vector<TensorSpec> inputs_;
  bool has_failed_ = false;
  std::set<std::int64_t> unusable_;
};

/// @pre the plan let the options and types through, so that they have a counterpart
Result<quantize::Options> options_of(const JobContext& job, const Quantize& payload) {
  quantize::Options options;
  options.activations =
      payload.activations == NumberType::kInt16 ? quantize::ActivationType::kUint16 : quantize::ActivationType::kUint8;
  const std::string scheme = job.spec.options.range_scheme.value_or(std::string(domain::kDefaultRangeScheme));
  SLIPWAY_ASSIGN(options.scheme, quantize::scheme_of_name(scheme));
  return options;
}

std::uint64_t size_of(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  return error ? 0 : size;
}

std::vector<std::pair<std::string, std::string>> recipe_of(const quantize::Options& options,
                                                           const quantize::Quantized& made, std::int64_t samples) {
  return {{"Weights", "int8, symmetric, one scale a channel"},
          {"Activations", fmt::format("{}, asymmetric, one scale a tensor", quantize::type_name(options.activations))},
          {"Biases", "int32, scale of input times weight"},
          {"Range scheme", std::string(quantize::scheme_name(options.scheme))},
          {"Calibration samples", fmt::format("{} of {}", made.samples, samples)},
          {"Bias correction", options.corrects_biases ? "yes" : "no"},
          {"Batch normalisations folded", std::to_string(made.folded_normalizations)},
          {"Cross-layer equalisation", options.equalizes_layers ? std::to_string(made.equalized_pairs) : "no"},
          {"Inputs and outputs", options.quantizes_io ? "integers" : "as in the float model"},
          {"Nodes quantised", std::to_string(made.quantized_nodes)},
          {"Nodes in float", std::to_string(made.float_nodes.size())},
          {"Tensors without an encoding", std::to_string(made.without.size())}};
}

void tell_recipe(const JobContext& job, const Quantize::Result& result) {
  for (const auto& [name, value] : result.recipe) job.log(fmt::format("recipe: {}: {}", name, value));
}

/// What the quantiser left, left out or met: all of it into the log, the first of it beside the result.
void tell_findings(const JobContext& job, const quantize::Quantized& made, JobOutcome& outcome) {
  std::vector<std::string> nodes, tensors;
  for (const auto& node : made.float_nodes) {
    nodes.push_back(fmt::format("{} '{}': {}", node.op_type, node.name, node.reason));
  }
  for (const auto& tensor : made.without) tensors.push_back(fmt::format("'{}': {}", tensor.name, tensor.reason));
  const auto tell = [&](std::string_view what, const std::vector<std::string>& items, std::vector<std::string>& list) {
    if (items.empty()) return;
    for (const auto& item : items) job.log(fmt::format("{}: {}", what, item));
    list.push_back(fmt::format("{} ({}): {}.", what, items.size(), some_of(items)));
  };
  tell("Calibration samples left out for NaN or infinities", made.left_out_samples, outcome.warnings);
  tell("Tensors in which calibration saw NaN or infinities", made.not_finite, outcome.warnings);
  tell("Tensors without an encoding, which stay in float", tensors, outcome.remarks);
  tell("Nodes that stay in float", nodes, outcome.remarks);
  tell("Joins whose inputs keep encodings of their own", made.parted_joins, outcome.remarks);
}

void tell_agreement(const JobContext& job, const quantize::ModelComparison& comparison, std::int64_t samples,
                    JobOutcome& outcome, Quantize::Result& result) {
  result.agreement_note = fmt::format(
      "float and quantised model on {} of the {} calibration samples, by ONNX Runtime's CPU provider with exact sums "
      "of 8-bit products: not on an NPU, and no better than the samples",
      comparison.samples, samples);
  job.log(fmt::format("agreement: {}", result.agreement_note));
  for (const auto& output : comparison.outputs) {
    job.log(
        fmt::format("agreement: output '{}': SQNR {:.1f} dB, cosine {:.5f}, largest difference {:g} of a peak of "
                    "{:g}{}{}",
                    output.output, output.sqnr_db, output.cosine, output.largest_difference, output.peak,
                    output.alarm.empty() ? "" : "; ALARM: ", output.alarm));
    result.agreement.push_back(
        {.output = output.output,
         .max_abs = output.largest_difference,
         .relative_max = output.peak > 0 ? output.largest_difference / output.peak : 0,
         .cosine = output.cosine,
         .psnr_db = output.psnr_db,
         .snr_db = output.sqnr_db,
         .elements = output.elements + output.not_comparable,
         .not_comparable = output.not_comparable,
         .equal_share =
             output.elements > 0 ? static_cast<double>(output.equal) / static_cast<double>(output.elements) : 0,
         .alarm = output.alarm});
    if (!output.alarm.empty()) {
      outcome.warnings.push_back(fmt::format("Output '{}' is of no use as it is: {}.", output.output, output.alarm));
    }
  }
}

/// The quantised model into out/, and what is known of it into the result.
Result<fs::path> store_model(const JobContext& job, const quantize::Quantized& made, Quantize::Result& result) {
  const fs::path folder = job.work() / "quantized";
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path onnx = folder / "model.onnx";
  SLIPWAY_ASSIGN(result.target_is_directory, compile::onnx_graph::write_with_one_data_file(made.model, onnx));
  SLIPWAY_ASSIGN(result.target_file, pack_graph(job.out(), onnx, result.target_is_directory, "target",
                                                fmt::format("job_{}_optimized_onnx", job.spec.job.id)));
  const auto summary = made.model.summary();
  result.target_inputs = tensors_of(summary.inputs);
  result.target_outputs = tensors_of(summary.outputs);
  return onnx;
}

/// The result as it is before it is compared: enough for a process that does not live to do that.
void store_so_far(const JobContext& job, const JobOutcome& outcome, const Quantize::Result& result) {
  if (!job.tools.store) return;
  JobOutcome so_far = outcome;
  auto& result_so_far = so_far.result.emplace<Quantize::Result>(result);
  result_so_far.agreement_note = "not compared: the job ended before that";
  so_far.warnings.emplace_back("The result was not compared with the float model: the job ended before that.");
  so_far.succeeded = true;
  job.tools.store(so_far);
}

}  // namespace

void execute_kind(KindExecutor<Quantize> /*kind*/, const JobContext& job, const Quantize& payload, JobOutcome& outcome,
                  Quantize::Result& result) {
  const fs::path file = job.in(job.model().file);
  const auto onnx = onnx_file_of(file, job.work());
  if (!onnx) return fail_with(outcome, failure_of(onnx.error(), Step::kReadModel));
  auto model = compile::onnx_graph::Model::read(*onnx);
  if (!model) return fail_with(outcome, failure_of(model.error(), Step::kReadModel));
  const auto options = options_of(job, payload);
  if (!options) return fail_with(outcome, failure_of(options.error(), Step::kReadModel));
  auto data = CalibrationData::open(job.in(job.spec.dataset_file), model->summary().inputs);
  if (!data) return fail_with(outcome, failure_of(data.error(), Step::kReadData));
  const auto environment = job.tools.open_environment();
  if (!environment) return fail_with(outcome, failure_of(environment.error(), Step::kLoad));
  outcome.tool_versions.emplace_back("ONNX Runtime", (*environment)->onnxruntime_version());

  std::string step_told;
  const quantize::Progress progress = [&](std::string_view step, std::int64_t /*done*/, std::int64_t total) {
    if (step == step_told) return;
    step_told = step;
    job.log(fmt::format("{}: {} runs", step, total));
  };
  const quantize::Samples samples = data->samples();
  const auto made = quantize::quantize(*environment, std::move(*model), samples, *options, progress);
  if (!made) {
    return fail_with(outcome, failure_of(made.error(), data->is_at_fault() ? Step::kReadData : Step::kLoad));
  }
  result.recipe = recipe_of(*options, *made, data->count());
  const auto written = store_model(job, *made, result);
  if (!written) return fail_with(outcome, failure_of(written.error(), Step::kWrite));
  result.recipe.emplace_back(
      "File", fmt::format("{} bytes, of {} before", size_of(job.out() / result.target_file), size_of(file)));
  tell_recipe(job, result);
  tell_findings(job, *made, outcome);
  store_so_far(job, outcome, result);

  const auto comparison = quantize::compare_outputs(*environment, *onnx, *written, made->model.summary(), samples,
                                                    kMostComparedSamples, quantize::kLowestSqnrDb, progress);
  if (!comparison) return fail_with(outcome, failure_of(comparison.error(), Step::kRun));
  tell_agreement(job, *comparison, data->count(), outcome, result);
  outcome.succeeded = true;
}

}  // namespace slipway::hub::executor
