#include <chrono>
#include <memory>

#include "quantize/compare_outputs.hpp"
#include "quantize/quantize.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/calibration_data.hpp"
#include "apps/cli/context.hpp"
#include "apps/cli/input_spec.hpp"
#include "apps/cli/loadable_model.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/progress_bar.hpp"
#include "apps/cli/quantize_report.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "runtime/session.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Result;
using nlohmann::ordered_json;

struct QuantizeArguments {
  ModelArgument model;
  fs::path calibration, out;
  std::vector<std::string> input_specs, excluded_nodes, excluded_operators;
  std::string weights = "int8", activations = "uint8", scheme = "min_max";
  std::int64_t samples = 0;
  bool quantizes_io = false, leaves_normalizations = false, leaves_biases = false, equalizes = false;
  double lowest_sqnr_db = quantize::kLowestSqnrDb;
};

Result<quantize::Options> options_of(const QuantizeArguments& arguments) {
  quantize::Options options;
  options.activations = *quantize::activation_type_of_name(arguments.activations);  // checked when it was parsed
  SLIPWAY_ASSIGN(options.scheme, quantize::scheme_of_name(arguments.scheme));
  options.most_samples = arguments.samples;
  options.excluded_nodes = arguments.excluded_nodes;
  options.excluded_operators = arguments.excluded_operators;
  options.quantizes_io = arguments.quantizes_io;
  options.equalizes_layers = arguments.equalizes;
  options.corrects_biases = !arguments.leaves_biases;
  options.folds_batch_normalization = !arguments.leaves_normalizations;
  return options;
}

/// What the float model takes, as ONNX Runtime sees it.
Result<std::vector<tensor::TensorSpec>> inputs_of(const std::shared_ptr<runtime::Environment>& environment,
                                                  const fs::path& onnx) {
  runtime::SessionOptions options;
  options.record_placement = false;
  options.graph_optimization = runtime::GraphOptimization::kDisabled;
  SLIPWAY_ASSIGN(const auto session, runtime::Session::load(environment, onnx, options));
  return session->inputs();
}

/// The folder that a result is finished in before it gets its name: beside the name, or anywhere for a stream.
Result<base::TemporaryFolder> work_folder(const fs::path& out) {
  if (base::is_no_plain_file(out)) return base::TemporaryFolder::create("slipway-quantize");
  const fs::path target = base::behind_links(out);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  return base::TemporaryFolder::create(".slipway-quantize", folder);
}

/// Gives the model, and the data file that it may have, their names.
Result<void> place(const fs::path& work, bool has_data_file, const QuantizeArguments& arguments, Context& context) {
  if (has_data_file && base::is_no_plain_file(arguments.out)) {
    return base::fail(Code::kInvalidArgument,
                      "{} takes one file, but the model's weights need a file of their own, {}: name a file",
                      arguments.out.string(), compile::onnx_graph::kDataFileName);
  }
  if (has_data_file) {
    const fs::path target = base::behind_links(arguments.out);
    const fs::path data = target.parent_path() / compile::onnx_graph::kDataFileName;
    SLIPWAY_TRY(context.check_outputs({arguments.model.path, arguments.calibration},
                                      {{.option = "--output", .path = arguments.out, .makes_folder = true},
                                       {.option = "--output", .path = data, .is_named = false}}));
    SLIPWAY_TRY(base::move_into_place(work / compile::onnx_graph::kDataFileName, data));
  }
  return base::move_into_place(work / "model.onnx", arguments.out);
}

Result<void> run_quantize(const QuantizeArguments& arguments, Context& context) {
  context.reserve_standard_output();
  const auto options = options_of(arguments);
  if (!options) return context.wrong_use(options.error());
  SLIPWAY_ASSIGN(const fs::path file, arguments.model.file());
  SLIPWAY_TRY(context.check_outputs({arguments.model.path, file, arguments.calibration},
                                    {{.option = "--output", .path = arguments.out, .makes_folder = true}}));
  SLIPWAY_ASSIGN(const auto environment, open_environment());
  SLIPWAY_ASSIGN(const auto specs, parse_input_specs(arguments.input_specs));
  SLIPWAY_ASSIGN(const LoadableModel loadable, LoadableModel::of(file, specs));
  SLIPWAY_ASSIGN(auto model, compile::onnx_graph::Model::read(loadable.onnx()));
  SLIPWAY_ASSIGN(const auto inputs, inputs_of(environment, loadable.onnx()));
  SLIPWAY_ASSIGN(const quantize::Samples samples, open_calibration_data(arguments.calibration, inputs));

  ProgressBar bar;
  const quantize::Progress progress = [&bar](std::string_view step, std::int64_t done, std::int64_t total) {
    bar.update(step, done, total);
  };
  const auto start = std::chrono::steady_clock::now();
  SLIPWAY_ASSIGN(const auto quantized, quantize::quantize(environment, std::move(model), samples, *options, progress));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  SLIPWAY_ASSIGN(const auto work, work_folder(arguments.out));
  const fs::path written = work.path() / "model.onnx";
  SLIPWAY_ASSIGN(const bool has_data_file, compile::onnx_graph::write_with_one_data_file(quantized.model, written));
  SLIPWAY_ASSIGN(const auto comparison,
                 quantize::compare_outputs(environment, loadable.onnx(), written, quantized.model.summary(), samples,
                                           options->most_samples, arguments.lowest_sqnr_db, progress));
  ProgressBar::wipe();
  SLIPWAY_TRY(place(work.path(), has_data_file, arguments, context));

  const QuantizeReport report{.model = file,
                              .output = arguments.out,
                              .calibration = arguments.calibration,
                              .options = *options,
                              .quantized = quantized,
                              .comparison = comparison,
                              .onnxruntime_version = environment->onnxruntime_version(),
                              .seconds = seconds};
  context.print(quantize_text(report));
  tell_warnings(report);
  ordered_json made = quantize_json(report);
  loadable.add_to(made);
  SLIPWAY_TRY(context.emit("quantize/1", made));
  if (comparison.has_alarm()) context.set_exit_status(kFailed);
  return {};
}

}  // namespace

void add_quantize(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<QuantizeArguments>();
  CLI::App& verb =
      *app.add_subcommand("quantize", "Make a model of 8 or 16 bits of a float one, with samples of what it is given");
  arguments->model.add_to(verb);
  verb.add_option("--calibration", arguments->calibration,
                  "Samples: a data set (.h5), an .npz, or a folder of .npz files")
      ->required();
  verb.add_option("-o,--output", arguments->out, "The ONNX file to write")->required();
  verb.add_option("--weights", arguments->weights, "Type of weights, one scale a channel")
      ->check(CLI::IsMember({"int8"}))
      ->capture_default_str();
  verb.add_option("--activations", arguments->activations, "Type of activations")
      ->check(CLI::IsMember({"uint8", "int8", "uint16", "int16"}))
      ->capture_default_str();
  verb.add_option("--range-scheme", arguments->scheme, "How ranges of activations are chosen")
      ->check(CLI::IsMember({"min_max", "percentile", "entropy", "mse_minimizer", "auto"}))
      ->capture_default_str();
  verb.add_option("--samples", arguments->samples, "The first N samples alone")->check(CLI::PositiveNumber);
  verb.add_option("--exclude", arguments->excluded_nodes, "Nodes that stay in float, by name")->delimiter(',');
  verb.add_option("--exclude-operators", arguments->excluded_operators, "Operator types that stay in float")
      ->delimiter(',');
  verb.add_flag("--quantize-io", arguments->quantizes_io, "Inputs and outputs hold integers too");
  verb.add_flag("--no-fold-batch-norm", arguments->leaves_normalizations,
                "Leave BatchNormalization as it is, beside the convolution before it");
  verb.add_flag("--equalize", arguments->equalizes,
                "Make each channel's weights equally large in the two convolutions that it connects");
  verb.add_flag("--no-bias-correction", arguments->leaves_biases,
                "Leave biases as they are, though rounded weights move the means");
  verb.add_option("--sqnr-alarm", arguments->lowest_sqnr_db,
                  "An output under so many dB of signal to quantisation noise is an alarm")
      ->capture_default_str();
  add_input_spec_option(verb, arguments->input_specs);
  context.add_output_options(verb);
  verb.callback([arguments, &context] { context.finish(run_quantize(*arguments, context)); });
}

}  // namespace slipway::cli
