#pragma once

namespace slipway::cli {

/// From here on the first Ctrl-C only raises the flag, so that a run over a camera or a long video ends after the frame
/// it has and its output is whole; a second Ctrl-C ends the program at once.
void catch_first_interrupt();

/// True after the first Ctrl-C. @thread safe from any thread
[[nodiscard]] bool was_interrupted();

}  // namespace slipway::cli
