#include "hub/domain/kinds/quantize/quantize.hpp"

#include "hub/domain/inspection.hpp"
#include "hub/domain/job.hpp"

namespace slipway::hub::domain::kinds {

using base::Code;
using base::Result;

namespace {

Result<void> check_source(const SourceModel& source) {
  const Model& model = source.model;
  if (model.type != ModelType::kOnnx) {
    return base::fail(Code::kInvalidArgument,
                      "quantize jobs take ONNX models, and model {} is {}; compile it to --target_runtime onnx first",
                      model.id, model_type_text(model.type));
  }
  const bool is_compiled = source.origin && is_qnn_target(source.origin->target);
  if (is_compiled || (model.inspection && holds_context_binary(*model.inspection))) {
    return base::fail(Code::kInvalidArgument,
                      "model {} holds {}, which is compiled already; quantise the ONNX model that it was made from",
                      model.id, kHoldsContextBinary);
  }
  if (model.inspection && model.inspection->facts.contains(kQuantizedFact)) {
    return base::fail(Code::kInvalidArgument,
                      "model {} is quantised already (QDQ); compile it as it is, or quantise the float model that it "
                      "was made from",
                      model.id);
  }
  return {};
}

Result<void> check_types(const Quantize& payload, const JobOptions& options) {
  if (payload.weights != NumberType::kInt8) {
    return base::fail(Code::kUnimplemented,
                      "weights_dtype: expected INT8, found {}, which this hub does not make weights of yet",
                      number_type_name(payload.weights));
  }
  if (payload.activations == NumberType::kInt4) {
    return base::fail(
        Code::kUnimplemented,
        "activations_dtype: expected INT8 or INT16, found INT4, which this hub does not make activations of");
  }
  if (options.range_scheme == "entropy" && payload.activations != NumberType::kInt8) {
    return base::fail(Code::kInvalidArgument,
                      "option --range_scheme: entropy is for activations of INT8, found {}; take auto or min_max",
                      number_type_name(payload.activations));
  }
  return {};
}

}  // namespace

std::string_view number_type_name(NumberType type) {
  switch (type) {
    case NumberType::kInt8:
      return "INT8";
    case NumberType::kInt16:
      return "INT16";
    case NumberType::kInt4:
      return "INT4";
  }
  return "?";
}

Result<ExecutionPlan> Quantize::plan(const Quantize& payload, const JobFacts& facts) {
  SLIPWAY_TRY(check_source(facts.models.front()));
  SLIPWAY_TRY(check_types(payload, facts.options));
  SLIPWAY_TRY(check_against_model(facts.models.front().model, {}, facts.dataset, facts.options));
  // Calibrated and compared on the CPU of whichever agent has it.
  return ExecutionPlan{};
}

Result<Verdict> Quantize::judge(const Quantize& payload, const JobFacts& facts) {
  SLIPWAY_TRY(Quantize::plan(payload, facts));
  Verdict verdict;
  if (!facts.options.range_scheme) {
    verdict.remarks.push_back(fmt::format("no --range_scheme given: it is {}", kDefaultRangeScheme));
  }
  return verdict;
}

Result<void> Quantize::complete(const Job& /*job*/, const Quantize& /*payload*/, const Result& result,
                                const ResultFiles& files, Products& products) {
  Model& target = *products.target;
  SLIPWAY_ASSIGN(target.content, file_of(files, result.target_file, "the quantised model"));
  target.upload = UploadState::kComplete;
  target.is_directory = result.target_is_directory;
  Inspection& found = target.inspection.emplace();
  found.format = target.is_directory ? "onnx directory" : "onnx";
  found.inputs = result.target_inputs;
  found.outputs = result.target_outputs;
  found.facts[kQuantizedFact] = "QDQ";
  return {};
}

Origin Quantize::origin(const Job& job, const Quantize& payload) {
  return {
      .job_id = job.id, .source_model_id = payload.model_id, .target = CompileTarget::kOnnx, .device = std::nullopt};
}

}  // namespace slipway::hub::domain::kinds
