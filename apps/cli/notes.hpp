#pragma once

#include <string_view>

namespace slipway::cli {

/// A line on standard error of what was understood or is under way; nothing once silence_notes() was called (--quiet).
/// Errors and warnings are no notes. @thread any
void note(std::string_view line);

void silence_notes();

}  // namespace slipway::cli
