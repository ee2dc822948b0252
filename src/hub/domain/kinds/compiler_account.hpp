#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace slipway::hub::domain {

struct Estimate {
  double nominal_us = 0, lower_us = 0, upper_us = 0;
};

/// What Qualcomm's compiler says of its own result. Never an execution time.
struct CompilerAccount {
  std::optional<Estimate> compiler_estimate;
  std::map<std::string, std::uint64_t> compiler_traffic_bytes;
};

}  // namespace slipway::hub::domain
