#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/error.hpp"

namespace slipway::cli {

/// From here on Ctrl-C, SIGTERM and SIGHUP end the program with exit status 128 and the signal's number: what is under
/// way is removed (base::remove_unfinished), and a line says what is complete. A signal that was ignored when the
/// program began stays so. A broken pipe no longer ends it: who writes sees an error. Call before threads are started.
/// @param is_child  of a process that says what is to be said: it ends as well, in silence
void watch_for_interrupts(bool is_child = false);

/// From here on the first of these signals raises the token and stops the runs of models, and the program has two
/// seconds to finish what it has in hand; a second one, or the end of that time, ends it at once.
void catch_first_interrupt();

/// Ends as by Ctrl-C, for a reason of our own: nobody reads our output any more, or it cannot be written.
void interrupt_with(int signal);

/// True after the first signal. @thread any
[[nodiscard]] bool was_interrupted();
/// Its number; 0 before. @thread any
[[nodiscard]] int interrupting_signal();
/// Raised by the first signal. @thread any
[[nodiscard]] std::stop_token interrupt_token();

/// What an end by force says of the outputs; called in another thread.
void set_interrupt_report(std::function<std::string()> report);

/// That a run was stopped by a signal is no error of its own.
[[nodiscard]] base::Result<void> unless_interrupted(base::Result<void> outcome);

}  // namespace slipway::cli
