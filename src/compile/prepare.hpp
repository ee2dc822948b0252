#pragma once

#include "compile/boundary.hpp"
#include "compile/compile.hpp"
#include "compile/npu_faults/known_faults.hpp"
#include "compile/onnx_graph/input_ranges.hpp"
#include "compile/onnx_graph/model.hpp"

namespace slipway::compile {

/// A model with the inputs and outputs that were asked for, on disk and ready for a compiler.
struct Prepared {
  std::filesystem::path model;  ///< source/model.onnx below the output folder
  bool has_data_file = false;   ///< its weights are in source/model.data
  onnx_graph::ModelSummary summary;
  std::vector<npu_faults::Avoided> avoided_faults;                  ///< what was rewritten for the chip's compiler
  Boundary boundary;                                                ///< how it differs from what was uploaded
  std::vector<std::optional<onnx_graph::InputRange>> input_ranges;  ///< what is known of each input
  std::map<std::string, std::string> node_places;  ///< nodes that had no name: the one given, and where they stand
};

/// Reads the model, names its nodes and applies specs, names, truncations and layouts, in this order; turns constant
/// nodes into initialisers; fills in output sizes by ONNX Runtime's shape inference. For an NPU the graph is rewritten
/// where the chip's compiler is known to get it wrong.
/// @error kInvalidArgument: as the rewrites of onnx_graph; the model is already compiled
[[nodiscard]] base::Result<Prepared> prepare(const std::shared_ptr<runtime::Environment>& environment,
                                             const CompileRequest& request, const Log& log);

}  // namespace slipway::compile
