#pragma once

#include <filesystem>

namespace slipway::runtime {

/// Asks the kernel to forget the pages of a model file and of the weights beside it, so that the next load reads the
/// disk.
/// @return the share of the model file's pages that stayed in memory, 0 … 1 (1 on file systems that live there)
double drop_from_page_cache(const std::filesystem::path& model);

}  // namespace slipway::runtime
