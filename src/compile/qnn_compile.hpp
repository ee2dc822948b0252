#pragma once

#include "compile/agreement.hpp"
#include "compile/compile.hpp"
#include "compile/prepare.hpp"

namespace slipway::compile {

/// Compiles a prepared model for the chip of the request with Qualcomm's compiler, into one of the three QNN targets.
/// Fills artifact, wrapper, placement, agreement, estimate, traffic, metadata and extra files of `result`.
/// @error as compile()
[[nodiscard]] base::Result<void> compile_for_qnn(const std::shared_ptr<runtime::Environment>& environment,
                                                 const CompileRequest& request, const Prepared& prepared,
                                                 const Log& log, CompileResult& result);

/// Refuses chips that cannot take any NPU target, or not this graph, before anything is compiled.
/// @error kInvalidArgument: no chip; kFailedPrecondition: no HTP, or a float graph on a chip without FP16
[[nodiscard]] base::Result<void> check_chip(const CompileRequest& request, const onnx_graph::ModelSummary& model);

}  // namespace slipway::compile
