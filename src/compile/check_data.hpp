#pragma once

#include <string>
#include <vector>

#include "compile/prepare.hpp"
#include "runtime/session.hpp"

namespace slipway::compile {

/// What an input is filled with to compare result and source.
struct CheckRange {
  runtime::ValueRange values;
  bool is_free = false;  ///< no reader bounds it, so it is a choice that the source may not like
};

/// For each input of the prepared model the whole range that its readers allow. Where none says anything: floats from
/// -1 to 1, integers of 8 and 16 bits all that they hold, longer ones -128 to 127 or 0 to 255.
[[nodiscard]] std::vector<CheckRange> check_ranges(const Prepared& prepared);

/// The free integers in half the range; at last 0 and 1. @return false: they are there already, or none is free
[[nodiscard]] bool narrow(const std::vector<tensor::TensorSpec>& inputs, std::vector<CheckRange>& ranges);

/// The free floats without negative numbers. @return false: none was negative
[[nodiscard]] bool without_negatives(const std::vector<tensor::TensorSpec>& inputs, std::vector<CheckRange>& ranges);

/// The free floats in a range so many times as wide. @return false: there are none
[[nodiscard]] bool widen(const std::vector<tensor::TensorSpec>& inputs, std::vector<CheckRange>& ranges, double factor);

/// Seeded inputs, uniform in their ranges.
[[nodiscard]] base::Result<tensor::NamedTensors> check_data(const std::vector<tensor::TensorSpec>& inputs,
                                                            const std::vector<CheckRange>& ranges, std::uint64_t seed);

/// "image -1 to 1, ids 0 to 29"
[[nodiscard]] std::string in_words(const std::vector<tensor::TensorSpec>& inputs,
                                   const std::vector<CheckRange>& ranges);

}  // namespace slipway::compile
