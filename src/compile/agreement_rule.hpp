#pragma once

#include <string>

#include "compile/compile.hpp"

namespace slipway::compile {

/// Under this signal-to-noise ratio, or over this largest difference as a part of the source's peak, an output of
/// floats does not agree with its source.
inline constexpr double kLowestSnrDb = 20;
inline constexpr double kLargestRelativeDifference = 0.1;
/// Integers and truth values agree or do not, element by element; this part of them must.
inline constexpr double kLowestEqualShare = 0.9;

/// How an output of the result stands against the same output of the source. A quantised one is compared as the real
/// numbers that it stands for, other integers and truth values by the share of equal elements.
/// @return the figures, with an alarm in words when they break the rule above or when nothing could be compared
/// @error kInvalidArgument: the shapes differ
[[nodiscard]] base::Result<OutputAgreement> judge_output(const tensor::TensorSpec& output, const tensor::Tensor& source,
                                                         const tensor::Tensor& result);

}  // namespace slipway::compile
