#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pipelines/yolov8/signature.hpp"

namespace slipway::pipelines::yolov8 {

/// The best class of each anchor that reaches the threshold.
///
/// @param scores      the tensor's elements (T: float or a quantised type, whose order is that of the real values)
/// @param lowest      least stored value that counts
/// @param best_class  one an anchor: receives the class, the lower number of equal ones, or -1
/// @param best        one an anchor: receives its stored score where there is a class
/// @thread pure function
/// @cost   one pass; where an anchor's scores lie apart in memory, blocks without a hit cost one comparison a vector
template <typename T>
void best_classes(const T* scores, const Head& head, T lowest, std::span<std::int32_t> best_class, std::span<T> best);

}  // namespace slipway::pipelines::yolov8
