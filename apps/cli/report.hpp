#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "runtime/measured_time.hpp"
#include "runtime/profiling.hpp"
#include "tensor/shape.hpp"

namespace slipway::cli {

// Pieces of results that several verbs show, as JSON and as tables.

[[nodiscard]] nlohmann::ordered_json json_of(const std::vector<tensor::TensorSpec>& specs);
[[nodiscard]] nlohmann::ordered_json json_of(const runtime::PlacementReport& placement);
[[nodiscard]] runtime::TimeOrigin origin_of(const runtime::ProfileReport& report);
/// Null for what an emulator took.
[[nodiscard]] nlohmann::ordered_json json_of(const runtime::MeasuredStatistics& measured);
[[nodiscard]] nlohmann::ordered_json json_of(const runtime::PhaseMeasurement& phase);

/// Inputs and outputs: direction, name, type and shape.
[[nodiscard]] std::string signature_table(const std::vector<tensor::TensorSpec>& inputs,
                                          const std::vector<tensor::TensorSpec>& outputs);
[[nodiscard]] std::string statistics_table(const runtime::MeasuredStatistics& measured);

/// Said wherever a result of the emulator is shown.
inline constexpr const char* kEmulatorNote =
    "Ran on Qualcomm's HTP emulator on this machine. Nothing was measured on a device, so there are no times.\n";

}  // namespace slipway::cli
