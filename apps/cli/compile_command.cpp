#include "apps/cli/compile_command.hpp"

#include <chrono>
#include <memory>

#include <nlohmann/json.hpp>

#include "apps/cli/catalogue.hpp"
#include "apps/cli/child_process.hpp"
#include "apps/cli/context.hpp"
#include "apps/cli/loadable_model.hpp"
#include "apps/cli/model_argument.hpp"
#include "apps/cli/notes.hpp"
#include "apps/cli/seekable_input.hpp"
#include "apps/cli/session_arguments.hpp"
#include "apps/cli/verbs.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "compile/onnx_graph/context_nodes.hpp"

namespace slipway::cli {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::fail;
using base::Result;
using nlohmann::ordered_json;

struct CompileArguments {
  ModelArgument model;
  std::string target = "onnx";
  std::string device;
  std::vector<fs::path> catalogue_files;
  fs::path out;
  std::vector<std::string> input_specs, output_names, channel_last_inputs, channel_last_outputs, qnn_options;
  bool truncate_64bit_io = false;
  bool truncate_64bit_tensors = false;
  bool fallback = false;
  fs::path check_inputs;
  bool leaves_comparison_out = false;
  int compare_limit_s = 300;
  int time_limit_s = 0;
};

std::string_view extension_of(compile::Target target) {
  switch (target) {
    case compile::Target::kQnnContextBinary:
      return ".bin";
    case compile::Target::kQnnDlc:
      return ".dlc";
    default:
      return ".onnx";
  }
}

/// Whether a path names the result itself, not a folder for it.
bool is_result_file(const fs::path& out, compile::Target target) {
  return (out.extension() == extension_of(target) && !fs::is_directory(out)) || base::is_no_plain_file(out);
}

Result<void> move_to(const fs::path& from, const fs::path& to) {
  const auto moved = base::move_into_place(from, to);
  if (!moved) return std::unexpected(moved.error().with("move the result to where it was asked for"));
  return {};
}

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return std::unexpected(base::errno_error(error.value(), fmt::format("make {}", folder.string())));
  return {};
}

/// Where results lie until they are put in their place: beside it, or among the temporary files of the machine when
/// they go into a stream.
Result<base::TemporaryFolder> work_folder_for(const fs::path& out) {
  if (base::is_no_plain_file(out)) return base::TemporaryFolder::create("slipway-compile");
  const fs::path folder = base::behind_links(out).parent_path();
  SLIPWAY_TRY(make_folder(folder));
  return base::TemporaryFolder::create(".slipway-compile", folder);
}

/// Gives the binary another name and tells its wrapper.
Result<void> rename_binary(const fs::path& wrapper, const fs::path& binary, const std::string& name) {
  SLIPWAY_ASSIGN(auto model, compile::onnx_graph::Model::read(wrapper));
  SLIPWAY_TRY(move_to(binary, binary.parent_path() / name));
  compile::onnx_graph::set_context_file(model, name);
  return model.write(wrapper);
}

Result<void> place_as_file(ordered_json& report, const fs::path& out) {
  const fs::path artifact = report["artifact"].get<std::string>();
  if (report["artifact_is_folder"].get<bool>()) {
    return fail(Code::kInvalidArgument,
                "the model's weights are in a file of their own, so the result is a folder: give a path without an "
                "extension in place of {}",
                out.string());
  }
  fs::path source = artifact;
  if (report.contains("wrapper")) {
    const fs::path wrapper = report["wrapper"].get<std::string>();
    SLIPWAY_TRY(rename_binary(wrapper, artifact, out.filename().string()));
    source = artifact.parent_path() / out.filename();
    if (base::is_no_plain_file(out)) {
      return fail(Code::kInvalidArgument,
                  "{} takes one file, but this target makes two, the binary and the ONNX file that names it: give a "
                  "file or a folder, or --target qnn_dlc",
                  out.string());
    }
    const fs::path wrapper_out = fs::path(out).replace_extension(".onnx");
    SLIPWAY_TRY(move_to(wrapper, wrapper_out));
    report["wrapper"] = wrapper_out.string();
  }
  report["artifact"] = out.string();
  return move_to(source, out);
}

Result<void> place_in_folder(ordered_json& report, const fs::path& out) {
  SLIPWAY_TRY(make_folder(out));
  const fs::path artifact = report["artifact"].get<std::string>();
  if (report["artifact_is_folder"].get<bool>()) {
    for (const auto& entry : fs::directory_iterator(artifact)) {
      SLIPWAY_TRY(move_to(entry.path(), out / entry.path().filename()));
    }
    report["artifact"] = out.string();
    return {};
  }
  if (report.contains("wrapper")) {
    const fs::path wrapper = report["wrapper"].get<std::string>();
    SLIPWAY_TRY(move_to(wrapper, out / wrapper.filename()));
    report["wrapper"] = (out / wrapper.filename()).string();
  }
  report["artifact"] = (out / artifact.filename()).string();
  return move_to(artifact, out / artifact.filename());
}

/// The parts of the request that need nothing but the command line and the catalogue.
Result<compile::CompileRequest> request_of(const CompileArguments& arguments) {
  compile::CompileRequest request;
  SLIPWAY_ASSIGN(request.model, arguments.model.file());
  SLIPWAY_ASSIGN(request.declared_ranges, arguments.model.declared_ranges());
  request.target = *compile::target_from_name(arguments.target);  // checked when it was parsed
  if (!arguments.device.empty()) {
    SLIPWAY_ASSIGN(const auto device, find_device(arguments.device, arguments.catalogue_files));
    request.htp = runtime::HtpTarget{.soc_model = device.chip.soc_model, .htp_arch = device.chip.htp_arch};
    request.chip_supports_fp16 = device.chip.supports_fp16;
  }
  SLIPWAY_ASSIGN(request.input_specs, parse_input_specs(arguments.input_specs));
  for (const auto& option : arguments.qnn_options) {
    const auto equals = option.find('=');
    request.qnn_options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  request.output_names = arguments.output_names;
  request.channel_last_inputs = arguments.channel_last_inputs;
  request.channel_last_outputs = arguments.channel_last_outputs;
  request.truncate_64bit_io = arguments.truncate_64bit_io;
  request.truncate_64bit_tensors = arguments.truncate_64bit_tensors;
  if (arguments.leaves_comparison_out) {
    request.comparing = compile::Comparing::kLeftOut;
  } else if (arguments.compare_limit_s == 0) {
    request.comparing = compile::Comparing::kToTheEnd;
  }
  request.agreement_limit = std::chrono::seconds(arguments.compare_limit_s);
  request.fallback = arguments.fallback ? runtime::Fallback::kAllow : runtime::Fallback::kForbid;
  return request;
}

/// The file that was named, with the wrapper beside it, or the folder.
std::vector<PlannedOutput> planned_outputs(const fs::path& out, const compile::CompileRequest& request) {
  if (!is_result_file(out, request.target)) {
    std::vector<PlannedOutput> planned = {{.option = "--output", .path = out, .is_folder = true}};
    // The names of the files are the compiler's: those of an earlier result count as names that this one gives.
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(out, error)) {
      const auto ending = entry.path().extension();
      if (ending != ".onnx" && ending != ".bin" && ending != ".dlc" && ending != ".data") continue;
      planned.push_back({.option = "--output", .path = entry.path(), .is_named = false});
    }
    return planned;
  }
  std::vector<PlannedOutput> planned = {{.option = "--output", .path = out, .makes_folder = true}};
  if (request.target == compile::Target::kQnnContextBinary) {
    planned.push_back({.option = "--output", .path = fs::path(out).replace_extension(".onnx"), .is_named = false});
  }
  return planned;
}

Result<void> run_compile(const CompileArguments& arguments, Context& context) {
  SLIPWAY_ASSIGN(compile::CompileRequest request, request_of(arguments));
  std::error_code error;
  const fs::path out = fs::absolute(arguments.out, error);
  std::vector<fs::path> read = {arguments.model.path, request.model, arguments.check_inputs};
  read.insert(read.end(), arguments.catalogue_files.begin(), arguments.catalogue_files.end());
  // A folder gets files of names that are known later, and the model's must not be among them.
  if (!is_result_file(out, request.target)) {
    const fs::path of_model = fs::absolute(request.model, error).parent_path();
    const auto is_apart = check_outputs({of_model}, {{.option = "--output", .path = out, .is_folder = true}});
    if (!is_apart) return context.wrong_use(is_apart.error());
  }
  SLIPWAY_TRY(context.check_outputs(read, planned_outputs(out, request)));
  SLIPWAY_ASSIGN(const auto work, work_folder_for(out));
  request.output_folder = work.path();
  SLIPWAY_ASSIGN(const SeekableInput check_inputs, SeekableInput::of(arguments.check_inputs));
  if (!arguments.check_inputs.empty()) request.check_inputs = fs::absolute(check_inputs.path(), error);
  SLIPWAY_ASSIGN(const LoadableModel model, LoadableModel::of(request.model, request.input_specs));
  request.model = model.onnx();
  context.reserve_standard_output();

  const ChildWork compile_it = [&](const LogLine& log) -> Result<ordered_json> {
    SLIPWAY_ASSIGN(const auto environment, open_environment());
    SLIPWAY_ASSIGN(const auto result, compile::compile(environment, request, log));
    return report_of(result, request.target);
  };
  const LogLine show = [](std::string_view line) { note(line); };
  SLIPWAY_ASSIGN(ordered_json report, run_in_child(compile_it, show, std::chrono::seconds(arguments.time_limit_s)));
  if (!arguments.device.empty()) report["device"] = arguments.device;
  model.add_to(report);
  SLIPWAY_TRY(place_results(report, request.target, out));
  context.print(text_of(report));
  if (is_alarm(report)) context.set_exit_status(kFailed);
  ordered_json line = {{"input", arguments.model.path.string()}, {"output", arguments.out.string()}};
  line.update(report);
  return context.emit("compile/1", line);
}

const CLI::Validator kIsKeyValue(
    [](const std::string& text) {
      const auto equals = text.find('=');
      return equals == std::string::npos || equals == 0 ? fmt::format("expected KEY=VALUE, got '{}'", text)
                                                        : std::string();
    },
    "KEY=VALUE");

}  // namespace

Result<void> place_results(ordered_json& report, compile::Target target, const fs::path& out) {
  return is_result_file(out, target) ? place_as_file(report, out) : place_in_folder(report, out);
}

void add_compile(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<CompileArguments>();
  CLI::App& verb = *app.add_subcommand(
      "compile", "Compile a model (ONNX, TorchScript, torch.export) for a device, run the result and compare it");
  arguments->model.add_to(verb);
  verb.add_option("--target", arguments->target, "What to make")
      ->check(CLI::IsMember({"onnx", "precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc"}))
      ->capture_default_str();
  verb.add_option("--device", arguments->device, "A device of the catalogue; needed for the QNN targets");
  verb.add_option("--catalogue", arguments->catalogue_files, "Your own devices, a CSV with the catalogue's columns");
  verb.add_option("-o,--output", arguments->out, "A file with the target's extension, or a folder")->required();
  add_input_spec_option(verb, arguments->input_specs);
  verb.add_option("--output-names", arguments->output_names, "New names for all outputs, in order")->delimiter(',');
  verb.add_option("--channel-last-input", arguments->channel_last_inputs, "Inputs to take as NHWC")->delimiter(',');
  verb.add_option("--channel-last-output", arguments->channel_last_outputs, "Outputs to give as NHWC")->delimiter(',');
  verb.add_flag("--truncate-64bit-io", arguments->truncate_64bit_io, "Make 64-bit integer inputs and outputs 32-bit");
  verb.add_flag("--truncate-64bit-tensors", arguments->truncate_64bit_tensors, "Compute with 32-bit integers inside");
  verb.add_option("--qnn-option", arguments->qnn_options, "Option of the QNN provider, e.g. vtcm_mb=4")
      ->check(kIsKeyValue);
  verb.add_flag("--fallback", arguments->fallback, "Let the CPU run nodes that the NPU lacks (precompiled_qnn_onnx)");
  auto* inputs = verb.add_option("-i,--inputs", arguments->check_inputs,
                                 "Compare result and source on these inputs of the result, an .npz; otherwise on "
                                 "random ones in the range that the graph allows");
  auto* limit = verb.add_option("--compare-limit", arguments->compare_limit_s,
                                "Leave the comparison out when a run would take more seconds; 0: never")
                    ->check(CLI::NonNegativeNumber)
                    ->capture_default_str();
  verb.add_flag("--no-compare", arguments->leaves_comparison_out,
                "Do not run the result beside the source: the emulator takes minutes for large networks")
      ->excludes(inputs)
      ->excludes(limit);
  verb.add_option("--time-limit", arguments->time_limit_s, "End the compiler after so many seconds; 0: never")
      ->check(CLI::NonNegativeNumber);
  context.add_output_options(verb);
  context.add_overwrite_option(verb);
  verb.callback([arguments, &context] { context.finish(run_compile(*arguments, context)); });
}

}  // namespace slipway::cli
