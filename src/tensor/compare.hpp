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
  double snr_db = 0;        ///< 10 log10(signal / error), both as sums of squares; 999 when equal
  std::int64_t worst_index = 0;
  std::int64_t count = 0;           ///< elements of each tensor
  std::int64_t equal = 0;           ///< elements that are the same, NaN in both included
  std::int64_t not_comparable = 0;  ///< a NaN or infinity on one side that the other lacks; no figure above has them
  std::int64_t reference_nan = 0;   ///< NaN in the reference itself, whatever the other has; in no figure above either
  [[nodiscard]] double equal_share() const {
    return count == 0 ? 1 : static_cast<double>(equal) / static_cast<double>(count);
  }
};

/// Compares two tensors of the same shape; dtypes may differ (float16 against float32, …).
/// @error kInvalidArgument: the shapes differ (both are named)
[[nodiscard]] base::Result<Agreement> compare(const Tensor& reference, const Tensor& other);

}  // namespace slipway::tensor
