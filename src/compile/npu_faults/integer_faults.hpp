#pragma once

#include <string>
#include <vector>

#include "compile/onnx_graph/infer_types.hpp"
#include "compile/onnx_graph/model.hpp"

/// Where the NPU's integers are not those of ONNX, and no other nodes have the same values: places in words.
namespace slipway::compile::npu_faults {

using Places = std::vector<std::string>;

/// Constants of 64 bits beyond 32 that the NPU would compute with. No other numbers stand for them.
[[nodiscard]] Places wide_constants(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model wide_constant_probe();  ///< int64[1,64] -> Add of 2^40

/// Sums, running sums and largest elements of integers, which the NPU finds among float32 numbers.
[[nodiscard]] Places sums_in_float(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model large_sum_probe();  ///< int64[1,64] -> Mul by 100003 -> CumSum

/// Products and sums with constants so large that 32 bits may not hold what comes out, as hashes have them.
[[nodiscard]] Places large_factors(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model overflow_probe();  ///< int64[1,64] -> Mul by 1327217880

/// Arithmetic on uint32, and Casts from it.
[[nodiscard]] Places unsigned_arithmetic(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model unsigned_probe();  ///< int32[1,64] -> Cast to uint32 -> Cast to int64

/// Casts of int32 and int64 to uint8, but for class numbers and what was clipped.
[[nodiscard]] Places narrowing_casts(onnx_graph::Rewriter& graph, const onnx_graph::InferredTypes& types);
[[nodiscard]] onnx_graph::Model narrowing_cast_probe();  ///< int32[1,64] -> Cast to uint8

}  // namespace slipway::compile::npu_faults
