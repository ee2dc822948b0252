#pragma once

#include <string>
#include <vector>

#include "hub/domain/types.hpp"

namespace slipway::hub::protocol {

/// A DeviceList message. What stands behind a device (attached, catalogue) has no field on the wire.
[[nodiscard]] std::string encode_devices(const std::vector<domain::Device>& devices);

/// A FrameworkList message.
[[nodiscard]] std::string encode_frameworks(const std::vector<domain::Framework>& frameworks);

}  // namespace slipway::hub::protocol
