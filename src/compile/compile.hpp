#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compile/onnx_graph/input_ranges.hpp"
#include "runtime/environment.hpp"
#include "runtime/placement.hpp"
#include "tensor/compare.hpp"
#include "tensor/shape.hpp"

namespace slipway::compile {

enum class Target { kOnnx, kPrecompiledQnnOnnx, kQnnContextBinary, kQnnDlc };
[[nodiscard]] std::string_view target_name(Target target);  ///< "onnx", "precompiled_qnn_onnx" …
[[nodiscard]] std::optional<Target> target_from_name(std::string_view name);

/// An input as the user wants it: renames in order, fixes dynamic sizes, is checked against the model.
struct InputSpec {
  std::string name;
  tensor::Shape shape;
  tensor::Dtype dtype = tensor::Dtype::kFloat32;
};

/// Whether the result is run beside its source.
enum class Comparing {
  kWithinLimit,  ///< unless it is expected to take longer than the limit
  kToTheEnd,     ///< whatever time it takes
  kLeftOut,      ///< not at all
};

struct CompileResult;

struct CompileRequest {
  std::filesystem::path model;  ///< a .onnx file, external data beside it
  Target target = Target::kOnnx;
  std::optional<runtime::HtpTarget> htp;  ///< needed by the three QNN targets
  bool chip_supports_fp16 = true;         ///< float graphs are compiled at FP16 where the chip can
  std::vector<InputSpec> input_specs;     ///< empty: the model's own
  std::vector<std::string> output_names;  ///< empty: the model's own; otherwise one for every output
  bool truncate_64bit_io = false;
  bool truncate_64bit_tensors = false;
  std::vector<std::string> channel_last_inputs;
  std::vector<std::string> channel_last_outputs;
  runtime::Fallback fallback = runtime::Fallback::kForbid;
  std::map<std::string, std::string> qnn_options;  ///< provider options already translated (vtcm_mb, …)
  std::string graph_name;                          ///< QNN graph name; empty: the provider's
  std::filesystem::path output_folder;             ///< exists; everything is written below it
  Comparing comparing = Comparing::kWithinLimit;
  std::chrono::seconds agreement_limit{300};
  /// What whoever made the model says that its inputs hold, by the name in the file.
  std::map<std::string, onnx_graph::InputRange> declared_ranges;
  std::filesystem::path check_inputs;  ///< .npz with what the result takes; empty: seeded random inputs
  /// Told of a result for an NPU, which may have taken hours, once it is whole but for what running it beside its
  /// source will say: whoever does not live to see the end has it by then. May be empty.
  std::function<void(const CompileResult& so_far)> made;
};

/// The name under which a context binary's wrapper looks for it in its own folder.
inline constexpr std::string_view kContextBinaryFile = "model_qnn.bin";

/// Qualcomm's own cost model for a few chips: an estimate with bounds, never a measurement.
struct CompilerEstimate {
  double nominal_us = 0, lower_us = 0, upper_us = 0;
};
/// Bytes between DDR and VTCM as the compiler counts them.
struct CompilerTraffic {
  std::uint64_t input_fill = 0, intermediate_fill = 0, intermediate_spill = 0, output_spill = 0;
};

struct OutputAgreement {
  std::string output;
  tensor::Agreement agreement;
  bool is_exact = false;   ///< integers and truth values: elements are equal or are not
  std::string alarm = {};  ///< why it does not agree, or why nothing was compared; empty: it agrees
  [[nodiscard]] bool was_compared() const { return agreement.count > agreement.reference_nan; }
};

/// What is known about a result and its source.
enum class Standing {
  kAgrees,       ///< every output was compared and agrees
  kDiffers,      ///< an output does not agree
  kNotCompared,  ///< the comparison, or that of an output, could not be made
  kLeftOut,      ///< nobody wanted to know
};
[[nodiscard]] std::string_view standing_name(Standing standing);  ///< "agrees", "differs", "not_compared", "left_out"

struct CompileResult {
  std::filesystem::path artifact;  ///< the file or the model folder (directory) that was asked for
  bool artifact_is_folder = false;
  std::filesystem::path source_graph;  ///< prepared .onnx that the artifact was made from (QNN targets keep it)
  bool source_has_data_file = false;   ///< its weights are in onnx_graph::kDataFileName beside it
  std::filesystem::path wrapper;       ///< ONNX with an EPContext node that loads the binary; context binary only
  std::vector<tensor::TensorSpec> inputs, outputs;
  runtime::PlacementReport placement;
  Standing standing = Standing::kLeftOut;
  std::vector<std::string> warnings;           ///< what nobody may overlook; empty only when the result agrees
  std::vector<OutputAgreement> agreement;      ///< result against the source on the same inputs
  std::string agreement_note;                  ///< who ran what: "… on the HTP emulator for SM8650 …", or why not
  std::vector<std::string> agreement_remarks;  ///< what else was seen: other ranges, other runs of the source
  std::optional<CompilerEstimate> estimate;
  std::optional<CompilerTraffic> traffic;
  std::map<std::string, std::string> metadata;  ///< chip, backend, qairt_version, htp_arch, soc_model, graph_names …
  std::vector<std::string> log;                 ///< for people, in order
  std::vector<std::filesystem::path> extra_files;  ///< compiler profile CSV and the like
};

using Log = std::function<void(std::string_view line)>;

/// Turns an ONNX model into the target, runs the result and compares it with the source. A success means that the
/// result loads, that it ran and that it agrees, or `standing` and `warnings` say what of this is not so.
/// Qualcomm's compiler may crash or never end on a hostile or unlucky graph: call this in a process of its own, with a
/// time limit. The working folder of the process is changed while that compiler runs.
/// @error kInvalidArgument: specs do not fit the model (input, expected, found), not an ONNX model or one that ONNX
///        Runtime refuses, an option that is set here; kInternal: the result cannot be loaded; kFailedPrecondition: the
///        chip cannot run such a graph (no HTP, or a float graph without FP16); kUnimplemented: an operator the chip's
///        compiler refuses (node, op and chip are named); kUnavailable: no QNN here
/// @thread one call at a time in a process
[[nodiscard]] base::Result<CompileResult> compile(const std::shared_ptr<runtime::Environment>& environment,
                                                  const CompileRequest& request, const Log& log);

}  // namespace slipway::compile
