#include "compile/prepare.hpp"

#include <algorithm>
#include <limits>

#include "base/files.hpp"
#include "compile/onnx_graph/channel_last.hpp"
#include "compile/onnx_graph/fold_constant_nodes.hpp"
#include "compile/onnx_graph/input_specs.hpp"
#include "compile/onnx_graph/node_names.hpp"
#include "compile/onnx_graph/one_data_file.hpp"
#include "compile/onnx_graph/output_types.hpp"
#include "compile/onnx_graph/rename_outputs.hpp"
#include "compile/onnx_graph/truncate_64bit_io.hpp"
#include "compile/onnx_graph/truncate_64bit_tensors.hpp"
#include "runtime/session.hpp"

namespace slipway::compile {
namespace {

using base::Code;
using base::fail;
using base::Result;
using onnx_graph::Model;
using tensor::Dtype;

/// With --truncate_64bit_io a user may already write the 32-bit type that the input will have.
Dtype dtype_before_truncation(Dtype asked, Dtype own, bool truncates) {
  if (truncates && asked == Dtype::kInt32 && own == Dtype::kInt64) return own;
  if (truncates && asked == Dtype::kUint32 && own == Dtype::kUint64) return own;
  return asked;
}

Result<void> apply_specs(Model& model, const CompileRequest& request, const Log& log) {
  if (request.input_specs.empty()) return {};
  const auto own = model.summary().inputs;
  std::vector<tensor::TensorSpec> specs;
  for (const auto& spec : request.input_specs) {
    const auto named = std::ranges::find(own, spec.name, &tensor::TensorSpec::name);
    const std::size_t position = named != own.end() ? static_cast<std::size_t>(named - own.begin()) : specs.size();
    const Dtype dtype = position < own.size()
                            ? dtype_before_truncation(spec.dtype, own[position].dtype, request.truncate_64bit_io)
                            : spec.dtype;
    specs.push_back({.name = spec.name, .dtype = dtype, .shape = spec.shape, .quantization = std::nullopt});
  }
  SLIPWAY_TRY(onnx_graph::apply_input_specs(model, specs));
  for (const auto& input : model.summary().inputs) {
    log(fmt::format("input {}: {}", input.name, tensor::to_string(input)));
  }
  return {};
}

bool leaves_outputs_open(const onnx_graph::ModelSummary& summary) {
  return !summary.outputs_of_unknown_type.empty() || !std::ranges::all_of(summary.outputs, tensor::is_static);
}

/// Loads the model once on the CPU for what ONNX Runtime infers about its outputs.
Result<void> infer_output_types(const std::shared_ptr<runtime::Environment>& environment, Model& model,
                                const std::filesystem::path& folder) {
  SLIPWAY_ASSIGN(const auto scratch, base::TemporaryFolder::create("shapes", folder));
  SLIPWAY_TRY(model.write(scratch.path() / "model.onnx"));
  runtime::SessionOptions options;
  options.graph_optimization = runtime::GraphOptimization::kDisabled;
  options.record_placement = false;
  SLIPWAY_ASSIGN(const auto session, runtime::Session::load(environment, scratch.path() / "model.onnx", options));
  onnx_graph::complete_output_types(model, session->outputs());
  return {};
}

std::vector<bool> positions_of(const std::vector<std::string>& names, const std::vector<tensor::TensorSpec>& specs) {
  std::vector<bool> positions;
  for (const auto& spec : specs) positions.push_back(std::ranges::find(names, spec.name) != names.end());
  return positions;
}

Result<void> apply_truncations(Model& model, const CompileRequest& request, const Log& log) {
  if (request.truncate_64bit_io) {
    SLIPWAY_ASSIGN(const auto changed, onnx_graph::truncate_64bit_io(model));
    log(changed.empty() ? "no input or output has 64 bits"
                        : fmt::format("truncated to 32 bits: {}", fmt::join(changed, ", ")));
  }
  if (request.truncate_64bit_tensors) {
    SLIPWAY_ASSIGN(const int count, onnx_graph::truncate_64bit_tensors(model));
    log(fmt::format("{} inner node(s) now compute with 32-bit integers", count));
  }
  return {};
}

/// What the readers of each input allow, or its maker says.
/// @param source  the inputs before they were renamed, in the same order
std::vector<std::optional<onnx_graph::InputRange>> known_ranges(const Model& model, const CompileRequest& request,
                                                                const std::vector<tensor::TensorSpec>& source) {
  auto ranges = onnx_graph::input_ranges(model);
  for (std::size_t i = 0; i < std::min(ranges.size(), source.size()); ++i) {
    const auto declared = request.declared_ranges.find(source[i].name);
    if (declared != request.declared_ranges.end()) ranges[i] = declared->second;
  }
  return ranges;
}

bool is_within_32_bits(const onnx_graph::InputRange& range, Dtype dtype) {
  if (dtype == Dtype::kUint64) return range.highest <= std::numeric_limits<std::uint32_t>::max();
  return range.lowest >= std::numeric_limits<std::int32_t>::min() &&
         range.highest <= std::numeric_limits<std::int32_t>::max();
}

/// Names the inputs whose numbers of 64 bits go through 32, where nothing says that they fit: no data that is made up
/// here would show it.
void log_narrowed_inputs(const Prepared& prepared, const CompileRequest& request, const Log& log) {
  const auto& source = prepared.boundary.source_inputs;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool is_wide = source[i].dtype == Dtype::kInt64 || source[i].dtype == Dtype::kUint64;
    const auto range = i < prepared.input_ranges.size() ? prepared.input_ranges[i] : std::nullopt;
    if (is_wide && !(range && is_within_32_bits(*range, source[i].dtype))) names.push_back(source[i].name);
  }
  if (names.empty()) return;
  const auto warn = [&](std::string_view what, std::string_view why) {
    log(
        fmt::format("warning: the 64-bit inputs {} {} ({}); nothing in the model says that their numbers fit, and "
                    "larger ones are cut",
                    fmt::join(names, ", "), what, why));
  };
  if (request.truncate_64bit_io) {
    warn("have 32 bits now", "--truncate_64bit_io");
  } else if (request.truncate_64bit_tensors) {
    warn("are computed with 32 bits", "--truncate_64bit_tensors");
  } else if (request.target != Target::kOnnx) {
    warn("are computed with 32 bits", "the NPU has no others");
  }
}

}  // namespace

Result<Prepared> prepare(const std::shared_ptr<runtime::Environment>& environment, const CompileRequest& request,
                         const Log& log) {
  SLIPWAY_ASSIGN(Model model, Model::read(request.model));
  const auto source = model.summary();
  if (source.has_ep_context) {
    return fail(
        Code::kInvalidArgument,
        "the model already holds a compiled graph (an EPContext node); compile the ONNX model it was made from");
  }
  if (!source.inputs_of_other_types.empty() || !source.outputs_of_other_types.empty()) {
    const auto& other =
        source.inputs_of_other_types.empty() ? source.outputs_of_other_types : source.inputs_of_other_types;
    return fail(Code::kInvalidArgument, "inputs and outputs must be tensors of numbers, found {}",
                fmt::join(other, ", "));
  }
  Prepared prepared;
  prepared.node_places = onnx_graph::name_nodes(model);
  const int folded = onnx_graph::fold_constant_nodes(model);
  if (folded > 0) log(fmt::format("{} constant node(s) became initialisers", folded));
  prepared.boundary.source_inputs = model.summary().inputs;
  SLIPWAY_TRY(apply_specs(model, request, log));
  if (const int sizes = onnx_graph::fold_known_sizes(model); sizes > 0) {
    log(fmt::format("{} node(s) that compute with fixed sizes became initialisers", sizes));
  }
  if (!request.output_names.empty()) SLIPWAY_TRY(onnx_graph::rename_outputs(model, request.output_names));
  if (leaves_outputs_open(model.summary())) SLIPWAY_TRY(infer_output_types(environment, model, request.output_folder));
  SLIPWAY_TRY(apply_truncations(model, request, log));
  SLIPWAY_TRY(onnx_graph::channel_last_inputs(model, request.channel_last_inputs));
  SLIPWAY_TRY(onnx_graph::channel_last_outputs(model, request.channel_last_outputs));
  prepared.input_ranges = known_ranges(model, request, prepared.boundary.source_inputs);
  log_narrowed_inputs(prepared, request, log);
  if (request.target != Target::kOnnx && request.htp) {
    SLIPWAY_ASSIGN(prepared.avoided_faults,
                   npu_faults::avoid_known_faults(model, request.htp->htp_arch, request.chip_supports_fp16));
  }

  prepared.summary = model.summary();
  prepared.boundary.channel_last_inputs = positions_of(request.channel_last_inputs, prepared.summary.inputs);
  prepared.boundary.channel_last_outputs = positions_of(request.channel_last_outputs, prepared.summary.outputs);
  prepared.model = request.output_folder / "source" / "model.onnx";
  SLIPWAY_ASSIGN(prepared.has_data_file, onnx_graph::write_with_one_data_file(model, prepared.model));
  return prepared;
}

}  // namespace slipway::compile
