#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/ids.hpp"

namespace slipway::base::testing {

/// Ids that count up, the same in every run. @thread  any
class CountedIds final : public IdSource {
 public:
  [[nodiscard]] std::string id(std::string_view prefix, std::size_t) override {
    return fmt::format("{}{}", prefix, ++count_);
  }
  [[nodiscard]] std::string secret() override { return fmt::format("{:a>32}", ++count_); }

 private:
  std::atomic<int> count_ = 0;
};

}  // namespace slipway::base::testing
