#pragma once

#include "tensor/tensor.hpp"

namespace slipway::tensor {

/// How far a tensor is from a reference, computed in double precision.
struct Agreement {
  double max_abs = 0;       ///< largest |a - b|
  double mean_abs = 0;      ///< mean |a - b|
  double range = 0;         ///< max(reference) - min(reference)
  double relative_max = 0;  ///< max_abs / max|reference| (0 when both are 0, infinite when only the reference is)
  double cosine = 1;        ///< cosine of the angle between both as vectors
  double psnr_db = 0;       ///< 10 log10(range² / mse); 999 when equal, 0 when range is 0 and they differ
  std::int64_t worst_index = 0;
  std::int64_t not_finite = 0;  ///< elements where a NaN or infinity meets something else; the rest leaves these out
};

/// Compares two tensors of the same shape; dtypes may differ (float16 against float32, …).
/// @error kInvalidArgument: the shapes differ (both are named)
[[nodiscard]] base::Result<Agreement> compare(const Tensor& reference, const Tensor& other);

}  // namespace slipway::tensor
