#pragma once

#include <chrono>
#include <stop_token>

namespace slipway::base {

/// Sleeps for `time`, or until `stop` is asked for, whichever comes first.
void pause(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace slipway::base
