#pragma once

#include <CLI/CLI.hpp>

namespace slipway::cli {

class Context;

/// Adds `samurai validate`: a run beside the answers of the PyTorch reference, frame by frame.
void add_samurai_validate(CLI::App& verb, Context& context);

}  // namespace slipway::cli
