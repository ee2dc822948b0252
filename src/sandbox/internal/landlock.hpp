#pragma once

#include <string>
#include <vector>

#include "sandbox/lock_down.hpp"

namespace slipway::sandbox::internal {

/// The version of Landlock that the kernel speaks; 0: none.
[[nodiscard]] int landlock_version();

/// Restricts this process to the policy's files, and where the kernel can, to its own TCP ports (none), signals and
/// abstract sockets. What an older kernel cannot enforce is added to `not_enforced`.
/// @pre no_new_privs is set
[[nodiscard]] base::Result<void> apply_landlock(const Policy& policy, int version,
                                                std::vector<std::string>& not_enforced);

/// Denies the system calls that a job has no use for.
/// @pre no_new_privs is set
[[nodiscard]] base::Result<void> apply_seccomp();

}  // namespace slipway::sandbox::internal
