#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/error.hpp"

namespace slipway::cli {

using LogLine = std::function<void(std::string_view)>;
using ChildWork = std::function<base::Result<nlohmann::ordered_json>(const LogLine&)>;

/// Runs `work` in a forked child, so that a crash inside a vendor's library is an error here and not the end of us.
/// Lines that it logs arrive while it runs.
/// @param limit  0: none
/// @error what `work` returned; kInternal: the child died (the signal and its last line are named);
///        kDeadlineExceeded: it was ended after `limit`
/// @pre no other thread runs in this process
[[nodiscard]] base::Result<nlohmann::ordered_json> run_in_child(const ChildWork& work, const LogLine& log,
                                                                std::chrono::seconds limit = std::chrono::seconds{0});

}  // namespace slipway::cli
