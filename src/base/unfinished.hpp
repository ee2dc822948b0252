#pragma once

#include <filesystem>

namespace slipway::base {

/// Files and folders that must not outlive this process. @thread any
void add_unfinished(const std::filesystem::path& path);
void forget_unfinished(const std::filesystem::path& path);

}  // namespace slipway::base
