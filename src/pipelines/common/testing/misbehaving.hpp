#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pipelines/common/standby_run.hpp"

namespace slipway::pipelines::testing {

/// What runtime/testing/misbehaving_op.cpp is told: how, and at which run.
using Entries = std::vector<std::pair<std::string, std::string>>;

/// A network with an operator that misbehaves in the primary session as told, and never in the standby. Only in
/// programs that know SLIPWAY_MISBEHAVING_OP.
inline StandbyOptions misbehaving(const Entries& entries) {
  StandbyOptions options;
  options.primary.custom_op_libraries = {SLIPWAY_MISBEHAVING_OP};
  options.standby = options.primary;
  options.primary.config_entries = entries;
  return options;
}

}  // namespace slipway::pipelines::testing
