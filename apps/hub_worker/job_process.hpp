#pragma once

#include <filesystem>

namespace slipway::worker {

inline constexpr int kNoRoomStatus = 74;

/// `slipway-worker job FOLDER`: locks itself in, executes the job described by FOLDER/spec.json and writes
/// FOLDER/outcome.json. Standard output is the job's log.
/// @return the exit status: 0 when there is an outcome, whatever it says; kNoRoomStatus when there was no room for it
int run_job_process(const std::filesystem::path& folder);

/// `slipway-worker describe`: prints one JSON object with this machine's name and the versions of the libraries.
int run_describe();

}  // namespace slipway::worker
