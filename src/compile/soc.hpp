#pragma once

#include <string>

#include "runtime/provider.hpp"

namespace slipway::compile {

/// "SM8650 (HTP v75)" for Qualcomm's ids that we know, "SoC 57 (HTP v75)" for others.
[[nodiscard]] std::string chip_name(const runtime::HtpTarget& target);

/// Whether Qualcomm's compiler carries a cost model for the chip, so that it estimates latency.
[[nodiscard]] bool has_cost_model(const runtime::HtpTarget& target);

/// The oldest HTP that the compiler knows. What came before is a Hexagon without an HTP.
inline constexpr int kOldestHtp = 68;

}  // namespace slipway::compile
