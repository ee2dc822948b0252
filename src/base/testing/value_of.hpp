#pragma once

#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace slipway::base::testing {

/// The value. Where there is none the test ends and says why.
template <typename T>
[[nodiscard]] T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

}  // namespace slipway::base::testing
