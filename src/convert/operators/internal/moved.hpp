#pragma once

#include <vector>

#include "convert/operators/internal/fold.hpp"

namespace slipway::convert::operators::internal {

/// Copies the element at `begin` + Σ index × stride for every index of `shape`, in row-major order. Matrices are
/// transposed block by block.
/// @pre  `from` is a constant, and every element that is read lies in it
[[nodiscard]] Folded moved(const Tensor& from, Shape shape, const std::vector<std::int64_t>& strides,
                           std::int64_t begin = 0);

}  // namespace slipway::convert::operators::internal
