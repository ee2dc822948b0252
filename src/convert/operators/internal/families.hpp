#pragma once

#include <span>

#include "convert/operators/internal/call.hpp"

/// The table, family by family: a file of its name each.
namespace slipway::convert::operators::internal {

std::span<const Operator> convolution_operators();
std::span<const Operator> creation_operators();
std::span<const Operator> image_operators();
std::span<const Operator> indexing_operators();
std::span<const Operator> linear_operators();
std::span<const Operator> normalization_operators();
std::span<const Operator> number_operators();
std::span<const Operator> pointwise_operators();
std::span<const Operator> pooling_operators();
std::span<const Operator> recurrent_operators();
std::span<const Operator> reduction_operators();
std::span<const Operator> shape_operators();

}  // namespace slipway::convert::operators::internal
