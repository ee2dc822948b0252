#pragma once

#include "runtime/onnxruntime.hpp"

namespace slipway::runtime {

/// Makes Slipway's own operator known to a session: `QLinearLookup` of the domain `slipway`, version 1, on the CPU.
///
///   y = QLinearLookup(x, table)
///
/// x: uint8 or int8 of any shape; table: a constant of 256 elements of x's type; y: x's type and shape. y is
/// table[x], int8 counted as the byte it is stored in: entry 255 belongs to -1. So one pass over the bytes does what
/// any chain of operators with one 8-bit input and one 8-bit output does, e.g. SiLU as QLinearSigmoid and QLinearMul.
/// A table of another size or type, or one that is computed, makes loading the model fail.
void add_lookup_op(Ort::SessionOptions& options);

}  // namespace slipway::runtime
