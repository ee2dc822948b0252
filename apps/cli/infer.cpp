#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/cli/context.hpp"
#include "apps/cli/input_spec.hpp"
#include "apps/cli/loadable_model.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/report.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "tensor/npz.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct InferArguments {
  ModelArgument model;
  SessionArguments session;
  fs::path inputs;
  fs::path outputs;
  std::vector<std::string> input_specs;
  std::uint64_t seed = 0;
  CLI::Option* random = nullptr;
};

base::Result<tensor::NamedTensors> inputs_for(const InferArguments& arguments, const runtime::Session& session) {
  if (!arguments.inputs.empty()) {
    SLIPWAY_ASSIGN(const SeekableInput inputs, SeekableInput::of(arguments.inputs));
    return tensor::read_npz(inputs.path());
  }
  return runtime::random_inputs(session.inputs(), arguments.seed);
}

base::Result<void> infer(const InferArguments& arguments, const runtime::SessionOptions& options, Context& context) {
  context.reserve_standard_output();
  SLIPWAY_ASSIGN(const fs::path file, arguments.model.file());
  SLIPWAY_TRY(context.check_outputs({arguments.model.path, file, arguments.inputs},
                                    {{.option = "--output", .path = arguments.outputs}}));
  if (arguments.outputs.extension() != ".npz" && !base::is_no_plain_file(arguments.outputs)) {
    return context.wrong_use(
        {base::Code::kInvalidArgument,
         fmt::format("--output {}: expected a name that ends in .npz", arguments.outputs.string())});
  }
  SLIPWAY_ASSIGN(const std::shared_ptr<runtime::Environment> environment, open_environment(options.provider.name));
  SLIPWAY_ASSIGN(const auto specs, parse_input_specs(arguments.input_specs));
  SLIPWAY_ASSIGN(const LoadableModel model, LoadableModel::of(file, specs));
  SLIPWAY_ASSIGN(const std::unique_ptr<runtime::Session> session,
                 runtime::Session::load(environment, model.onnx(), options));
  for (const std::string& line : session->log_lines()) fmt::print(stderr, "{}\n", line);
  SLIPWAY_ASSIGN(const tensor::NamedTensors inputs, inputs_for(arguments, *session));
  SLIPWAY_ASSIGN(const tensor::NamedTensors outputs, session->run(inputs));
  SLIPWAY_TRY(tensor::write_npz(arguments.outputs, outputs));

  ordered_json list = ordered_json::array();
  Table table({{"output"}, {"type"}});
  for (const tensor::NamedTensor& output : outputs) {
    list.push_back({{"name", output.name},
                    {"dtype", tensor::dtype_name(output.tensor.dtype())},
                    {"shape", output.tensor.shape()}});
    table.add({output.name, tensor::to_string(output.tensor.dtype(), output.tensor.shape())});
  }
  const runtime::PlacementReport& placement = session->placement();
  context.print(table.text() + fmt::format("\n{}\n{}{}\n", placement.summary(),
                                           placement.is_emulated ? kEmulatorNote : "",
                                           "written to " + arguments.outputs.string()));
  ordered_json made = {{"model", file.string()},
                       {"input", arguments.inputs.empty() ? ordered_json() : ordered_json(arguments.inputs.string())},
                       {"output", arguments.outputs.string()},
                       {"provider", options.provider.name},
                       {"is_emulated", placement.is_emulated},
                       {"placement", json_of(placement)},
                       {"outputs", list},
                       {"file", arguments.outputs.string()}};
  model.add_to(made);
  return context.emit("infer/1", made);
}

}  // namespace

void add_infer(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("infer", "Run a model once on arrays of an .npz file");
  auto arguments = std::make_shared<InferArguments>();
  arguments->model.add_to(*verb);
  CLI::Option* inputs = verb->add_option("-i,--inputs", arguments->inputs, "An .npz with an array for every input");
  arguments->random =
      verb->add_option("--random", arguments->seed, "Take random inputs of this seed instead")->excludes(inputs);
  verb->add_option("-o,--output", arguments->outputs, "Where to write the outputs, as .npz")->required();
  add_input_spec_option(*verb, arguments->input_specs);
  arguments->session.add_to(*verb);
  context.add_output_options(*verb);
  verb->callback([arguments, &context] {
    if (arguments->inputs.empty() && arguments->random->count() == 0) {
      return context.finish_wrong_use({base::Code::kInvalidArgument, "infer takes --inputs FILE.npz or --random SEED"});
    }
    const auto options = arguments->session.settled_options(arguments->model, context);
    if (!options) return finish_refused(context, options.error());
    context.finish(infer(*arguments, *options, context));
  });
}

}  // namespace slipway::cli
