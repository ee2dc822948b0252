#pragma once

#include "base/error.hpp"

namespace slipway::hub::storage {

class Connection;

/// Runs the steps that the file has not seen yet, each in a transaction of its own: a crash leaves the state before or
/// after a step, never between.
/// @error kFailedPrecondition: the file has steps that this program does not know
[[nodiscard]] base::Result<void> bring_up_to_date(Connection& connection);

}  // namespace slipway::hub::storage
