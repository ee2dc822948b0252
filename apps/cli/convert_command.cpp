#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/compile_command.hpp"
#include "apps/cli/context.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "convert/convert.hpp"
#include "convert/operators/table.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Result;
using nlohmann::ordered_json;

struct ConvertArguments {
  fs::path model, out;
  std::vector<std::string> input_specs, output_names;
  std::int64_t opset = convert::operators::kNewestOpset;
  bool lists_operators = false;
};

Result<void> run_convert(const ConvertArguments& arguments, Context& context) {
  convert::ConvertOptions options{.opset = arguments.opset, .input_specs = {}, .output_names = arguments.output_names};
  for (const std::string& text : arguments.input_specs) {
    SLIPWAY_ASSIGN(const auto spec, parse_input_spec(text));
    options.input_specs.push_back({.name = spec.name, .dtype = spec.dtype, .shape = spec.shape, .quantization = {}});
  }
  SLIPWAY_TRY(
      context.check_outputs({arguments.model}, {{.option = "--output", .path = arguments.out, .makes_folder = true}}));
  SLIPWAY_ASSIGN(const SeekableInput archive, SeekableInput::of(arguments.model));
  const auto start = std::chrono::steady_clock::now();
  SLIPWAY_ASSIGN(const auto converted, convert::convert(archive.path(), options));
  const auto made = std::chrono::steady_clock::now();
  const bool is_stream = base::is_no_plain_file(arguments.out);
  const fs::path target = base::behind_links(arguments.out);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  if (!is_stream) fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  SLIPWAY_ASSIGN(const auto work, is_stream ? base::TemporaryFolder::create("slipway-convert")
                                            : base::TemporaryFolder::create(".slipway-convert", folder));
  SLIPWAY_ASSIGN(const bool has_data_file,
                 compile::onnx_graph::write_with_one_data_file(converted.model, work.path() / "model.onnx"));
  if (has_data_file && is_stream) {
    return base::fail(base::Code::kInvalidArgument,
                      "{} takes one file, but the model's weights need a file of their own, {}: name a file",
                      arguments.out.string(), compile::onnx_graph::kDataFileName);
  }
  if (has_data_file) {
    // Its name is in the model, so it is the same for each model of a folder.
    const fs::path data = folder / compile::onnx_graph::kDataFileName;
    SLIPWAY_TRY(
        context.check_outputs({arguments.model}, {{.option = "--output", .path = arguments.out, .makes_folder = true},
                                                  {.option = "--output", .path = data, .is_named = false}}));
    SLIPWAY_TRY(base::move_into_place(work.path() / compile::onnx_graph::kDataFileName, data));
  }
  SLIPWAY_TRY(base::move_into_place(work.path() / "model.onnx", arguments.out));
  const auto written = std::chrono::steady_clock::now();

  const auto summary = converted.model.summary();
  const auto milliseconds = [](auto duration) { return std::chrono::duration<double, std::milli>(duration).count(); };
  int nodes = 0;
  for (const auto& [name, count] : summary.op_counts) nodes += count;
  context.print(fmt::format("{}, {}, became {} of {} nodes, opset {}, in {:.1f} ms (writing: {:.1f} ms)\n\n{}",
                            convert::source_format_name(converted.format), converted.producer, arguments.out.string(),
                            nodes, arguments.opset, milliseconds(made - start), milliseconds(written - made),
                            signature_table(summary.inputs, summary.outputs)));
  for (const std::string& remark : converted.remarks) context.print(remark);
  return context.emit("convert/1", {{"input", arguments.model.string()},
                                    {"output", arguments.out.string()},
                                    {"file", arguments.model.string()},
                                    {"format", convert::source_format_name(converted.format)},
                                    {"producer", converted.producer},
                                    {"opset", arguments.opset},
                                    {"nodes", nodes},
                                    {"has_data_file", has_data_file},
                                    {"inputs", json_of(summary.inputs)},
                                    {"outputs", json_of(summary.outputs)},
                                    {"remarks", converted.remarks},
                                    {"convert_ms", milliseconds(made - start)},
                                    {"write_ms", milliseconds(written - made)}});
}

/// The page of operators, from the table itself.
Result<void> list_operators(Context& context) {
  std::string page =
      "# ATen operators that `slipway convert` takes\n\n"
      "Written by `slipway convert --operators`; the table is in `src/convert/operators`.\n";
  std::string_view family;
  std::vector<const convert::operators::TableRow*> rows;
  for (const auto& row : convert::operators::table()) rows.push_back(&row);
  std::ranges::stable_sort(rows, {}, &convert::operators::TableRow::family);
  ordered_json all = ordered_json::array();
  for (const auto* const row : rows) {
    if (row->family != family) page += fmt::format("\n## {}\n\n", row->family);
    family = row->family;
    std::string parameters;
    ordered_json names = ordered_json::array();
    for (const auto& parameter : row->schema.parameters) {
      parameters += fmt::format("{}{}", parameters.empty() ? "" : ", ", parameter.name);
      names.push_back({{"name", parameter.name}, {"type", parameter.type}, {"has_default", parameter.has_default}});
    }
    page += fmt::format("- `{}({})`\n", row->schema.name, parameters);
    all.push_back({{"name", row->schema.name}, {"family", row->family}, {"parameters", names}});
  }
  context.print(page + fmt::format("\n{} operators.\n", rows.size()));
  return context.emit("convert-operators/1", {{"operators", all}});
}

}  // namespace

void add_convert(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App& verb = *app.add_subcommand(
      "convert", "Make an ONNX model of a PyTorch archive (.pt2, traced .pt), running nothing of it");
  auto* const model = verb.add_option("MODEL,-m,--model", arguments->model, "A torch.export or TorchScript archive");
  auto* const output = verb.add_option("-o,--output", arguments->out, "The ONNX file to write");
  verb.add_option("--input-spec", arguments->input_specs,
                  "Name, sizes and dtype of an input: image=1x3x224x224:float32 (TorchScript needs them)");
  verb.add_option("--output-names", arguments->output_names, "New names for all outputs, in order")->delimiter(',');
  verb.add_option("--opset", arguments->opset, "Version of the ONNX operators")
      ->check(CLI::Range(convert::operators::kOldestOpset, convert::operators::kNewestOpset))
      ->capture_default_str();
  auto* const lists =
      verb.add_flag("--operators", arguments->lists_operators, "List the ATen operators that are taken");
  lists->excludes(model)->excludes(output);
  context.add_output_options(verb);
  context.add_overwrite_option(verb);
  verb.callback([arguments, &context] {
    if (arguments->lists_operators) return context.finish(list_operators(context));
    if (arguments->model.empty() || arguments->out.empty()) {
      return context.finish_wrong_use({base::Code::kInvalidArgument, "expected MODEL and -o OUTPUT"});
    }
    context.finish(run_convert(*arguments, context));
  });
}

}  // namespace slipway::cli
