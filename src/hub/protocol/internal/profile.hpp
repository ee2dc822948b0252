#pragma once

#include "hub/domain/job.hpp"
#include "hub/protocol/internal/wire.hpp"

namespace slipway::hub::protocol::internal {

/// A run's time, microseconds: only of one that was measured on a device.
[[nodiscard]] std::optional<std::uint64_t> measured_time_us(const domain::Job& job);
[[nodiscard]] std::optional<domain::MemoryRange> measured_peak(const domain::Job& job);

/// True for a run on the HTP emulator.
[[nodiscard]] bool is_emulated(const domain::Job& job);

/// What every place says about an emulated run, unless its remarks say it already.
[[nodiscard]] std::vector<std::string> remarks_of(const domain::Job& job);

void fill_profile(const domain::JobOutcome& outcome, const domain::kinds::RunResult& result,
                  api::ProfileDetail& message);

}  // namespace slipway::hub::protocol::internal
