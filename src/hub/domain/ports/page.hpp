#pragma once

#include <cstdint>
#include <vector>

namespace slipway::hub::domain {

/// What part of a list is asked for.
struct Page {
  std::uint64_t offset = 0;
  std::uint64_t limit = 50;
};
template <typename T>
struct Listed {
  std::vector<T> items;     ///< newest first
  std::uint64_t total = 0;  ///< regardless of paging
};

}  // namespace slipway::hub::domain
