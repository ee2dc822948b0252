#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "compile/onnx_graph/model.hpp"
#include "convert/aten/summary.hpp"
#include "convert/convert.hpp"

namespace slipway::cli {
namespace {

using compile::onnx_graph::Model;
using compile::onnx_graph::ModelSummary;
using nlohmann::ordered_json;

ordered_json json_of_summary(const ModelSummary& summary, const std::string& file) {
  ordered_json opsets = ordered_json::object(), operators = ordered_json::object();
  for (const auto& [domain, version] : summary.opsets) opsets[domain.empty() ? "ai.onnx" : domain] = version;
  for (const auto& [name, count] : summary.op_counts) operators[name] = count;
  return {{"input", file},
          {"file", file},
          {"graph", summary.graph_name},
          {"producer", summary.producer},
          {"ir_version", summary.ir_version},
          {"opsets", opsets},
          {"inputs", json_of(summary.inputs)},
          {"outputs", json_of(summary.outputs)},
          {"outputs_of_unknown_type", summary.outputs_of_unknown_type},
          {"inputs_of_other_types", summary.inputs_of_other_types},
          {"outputs_of_other_types", summary.outputs_of_other_types},
          {"operators", operators},
          {"parameters", summary.parameter_count},
          {"weight_bytes", summary.weight_bytes},
          {"external_files", summary.external_files},
          {"has_qdq", summary.has_qdq},
          {"has_ep_context", summary.has_ep_context}};
}

std::string text_of(const ModelSummary& summary, const std::string& file) {
  std::string opsets;
  for (const auto& [domain, version] : summary.opsets) {
    opsets += fmt::format("{}{} {}", opsets.empty() ? "" : ", ", domain.empty() ? "ai.onnx" : domain, version);
  }
  int nodes = 0;
  Table operators({{"operator"}, {"nodes", Align::kRight}});
  for (const auto& [name, count] : summary.op_counts) {
    operators.add({name, std::to_string(count)});
    nodes += count;
  }
  std::string out = heading(file) + '\n';
  out += fmt::format("graph '{}' by {}, IR {}, opset {}\n", summary.graph_name,
                     summary.producer.empty() ? "an unnamed producer" : summary.producer, summary.ir_version, opsets);
  out += fmt::format("{} parameters, {} of weights, {} nodes{}{}\n", count_text(summary.parameter_count),
                     bytes_text(summary.weight_bytes), nodes, summary.has_qdq ? ", quantised (QDQ)" : "",
                     summary.has_ep_context ? ", holds a compiled context" : "");
  if (!summary.external_files.empty()) {
    out += fmt::format("weights in {}\n", fmt::join(summary.external_files, ", "));
  }
  out += '\n' + signature_table(summary.inputs, summary.outputs);
  for (const std::string& name : summary.outputs_of_unknown_type) {
    out += fmt::format("output  {}: unknown type, left to inference\n", name);
  }
  for (const std::string& other : summary.inputs_of_other_types) out += fmt::format("input   {}\n", other);
  for (const std::string& other : summary.outputs_of_other_types) out += fmt::format("output  {}\n", other);
  return out + '\n' + operators.text();
}

/// An archive of PyTorch, as it is written: ATen's operators.
base::Result<void> inspect_torch(const std::filesystem::path& file, Context& context) {
  SLIPWAY_ASSIGN(const auto read, convert::read(file));
  const convert::aten::GraphSummary summary = convert::aten::summary_of(read.graph);
  const std::string_view format = convert::source_format_name(read.format);
  Table operators({{"operator"}, {"nodes", Align::kRight}});
  ordered_json counts = ordered_json::object();
  for (const auto& [name, count] : summary.operators) {
    operators.add({name, std::to_string(count)});
    counts[name] = count;
  }
  std::string text = fmt::format("{}\n{}, {}\n{} parameters, {} stored, {} nodes\n\n{}", file.string(), format,
                                 summary.producer, summary.parameter_count, bytes_text(summary.stored_bytes),
                                 summary.nodes, signature_table(summary.inputs, summary.outputs));
  for (const std::string& name : summary.outputs_of_unknown_type) {
    text += fmt::format("output  {}: of a type that the archive does not declare\n", name);
  }
  context.print(text + '\n' + operators.text());
  return context.emit("inspect/1", {{"input", file.string()},
                                    {"file", file.string()},
                                    {"format", format},
                                    {"producer", summary.producer},
                                    {"inputs", json_of(summary.inputs)},
                                    {"outputs", json_of(summary.outputs)},
                                    {"outputs_of_unknown_type", summary.outputs_of_unknown_type},
                                    {"operators", counts},
                                    {"parameters", summary.parameter_count},
                                    {"weight_bytes", summary.stored_bytes}});
}

base::Result<void> inspect(const ModelArgument& model, Context& context) {
  SLIPWAY_ASSIGN(const std::filesystem::path file, model.file());
  SLIPWAY_TRY(context.check_outputs({model.path, file}, {}));
  SLIPWAY_ASSIGN(const auto format, convert::format_of(file));
  if (format) return inspect_torch(file, context);
  SLIPWAY_ASSIGN(const Model read, Model::read(file));
  const ModelSummary summary = read.summary();
  context.print(text_of(summary, file.string()));
  return context.emit("inspect/1", json_of_summary(summary, file.string()));
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("inspect", "Show a model's inputs, outputs and operators without running it");
  auto model = std::make_shared<ModelArgument>();
  model->add_to(*verb);
  context.add_output_options(*verb);
  verb->callback([model, &context] { context.finish(inspect(*model, context)); });
}

}  // namespace slipway::cli
