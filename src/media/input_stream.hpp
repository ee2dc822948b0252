#pragma once

#include <filesystem>
#include <stop_token>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace slipway::media {

/// Whether an input can be read once and in order only: "-" for standard input, a pipe, a socket, `<(…)`.
[[nodiscard]] bool is_stream(const std::filesystem::path& path);

/// A descriptor of its own for such an input. Opening a pipe waits for its writer.
/// @error as base::errno_error
[[nodiscard]] base::Result<base::Descriptor> open_stream(const std::filesystem::path& path);

/// What a stream holds, as a file: for readers that go through it more than once.
/// @param at  where the file is to be; it is written in full
/// @error as base::errno_error
[[nodiscard]] base::Result<void> save_stream(const std::filesystem::path& path, const std::filesystem::path& at,
                                             std::stop_token stop = {});

}  // namespace slipway::media
