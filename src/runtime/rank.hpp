#pragma once

#include "runtime/onnxruntime.hpp"

namespace slipway::runtime {

/// Whether a model says how many dimensions a tensor has. ONNX Runtime lists none for a scalar and for an unknown rank
/// alike, and can tell them apart since 1.24; with older ones every rank counts as known.
[[nodiscard]] bool has_rank(const OrtApiBase& base, const Ort::ConstTensorTypeAndShapeInfo& info);

}  // namespace slipway::runtime
