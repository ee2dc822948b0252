#include "hub/executor/torch_model.hpp"

#include <chrono>

#include <fmt/ranges.h>

#include "base/utf8.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "convert/aten/summary.hpp"
#include "convert/convert.hpp"
#include "hub/executor/format.hpp"

namespace slipway::hub::executor {
namespace {

constexpr std::size_t kOperatorsInFacts = 12;

void add_facts(const convert::aten::GraphSummary& summary, domain::Inspection& inspection) {
  auto& facts = inspection.facts;
  if (!summary.producer.empty()) facts["producer"] = base::valid_utf8(summary.producer);
  facts["parameters"] = std::to_string(summary.parameter_count);
  facts["weight bytes"] = std::to_string(summary.stored_bytes);
  facts["nodes"] = std::to_string(summary.nodes);
  std::vector<std::string> operators;
  for (const auto& [name, count] : summary.operators) {
    if (operators.size() < kOperatorsInFacts) operators.push_back(fmt::format("{} {}", count, base::valid_utf8(name)));
  }
  facts["operators"] =
      fmt::format("{}{}", fmt::join(operators, ", "), summary.operators.size() > kOperatorsInFacts ? ", …" : "");
}

}  // namespace

domain::Inspection inspect_torch_model(const std::filesystem::path& file, const std::string& format) {
  domain::Inspection inspection;
  const auto read = convert::read(file);
  if (!read) {
    // What only input specs or a converter to come would make readable is no damage: a compile job says it again.
    if (read.error().code == base::Code::kUnimplemented) {
      inspection.format = format;
      inspection.facts["not converted"] = base::valid_utf8(read.error().message);
    } else {
      inspection.error = base::valid_utf8(read.error().message);
    }
    return inspection;
  }
  const auto summary = convert::aten::summary_of(read->graph);
  inspection.format = format;
  add_facts(summary, inspection);
  if (read->format == convert::SourceFormat::kTorchScript) {
    std::vector<std::string> examples;
    for (const auto& input : summary.inputs) {
      examples.push_back(fmt::format("{} {}", base::valid_utf8(input.name), tensor::to_string(input)));
    }
    inspection.facts["inputs of the example"] = fmt::format("{}", fmt::join(examples, ", "));
    return inspection;
  }
  inspection.inputs = tensors_of(summary.inputs);
  inspection.outputs = tensors_of(summary.outputs);
  return inspection;
}

base::Result<ConvertedModel> convert_torch_model(const std::filesystem::path& file,
                                                 const std::vector<tensor::TensorSpec>& input_specs,
                                                 const std::vector<std::string>& output_names,
                                                 const std::filesystem::path& folder) {
  const auto start = std::chrono::steady_clock::now();
  convert::ConvertOptions options;
  options.input_specs = input_specs;
  options.output_names = output_names;
  SLIPWAY_ASSIGN(const auto converted, convert::convert(file, options));
  ConvertedModel made{folder / "model.onnx", {}};
  SLIPWAY_TRY(compile::onnx_graph::write_with_one_data_file(converted.model, made.onnx));
  int nodes = 0;
  for (const auto& [name, count] : converted.model.summary().op_counts) nodes += count;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  made.remark = fmt::format("The {} ({}) was converted to an ONNX graph of {} nodes in {} ms.",
                            convert::source_format_name(converted.format), converted.producer, nodes, took.count());
  for (const std::string& remark : converted.remarks) made.remark += "\n" + remark;
  return made;
}

}  // namespace slipway::hub::executor
