#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace slipway::sandbox {

/// What a process leaves itself.
struct Policy {
  std::vector<std::filesystem::path> writable;  ///< folders with all below them; must exist
  std::vector<std::filesystem::path> readable;  ///< besides the system's programs and libraries; may be missing
  int processes = 64;
};

/// What holds from now on.
struct Level {
  std::string isolation;  ///< from run(): "bubblewrap", or why there are no namespaces
  int landlock_abi = 0;   ///< 0: the kernel has none
  bool seccomp = false;
  bool is_unprivileged = false;           ///< no capability is left and none can be gained
  std::vector<std::string> not_enforced;  ///< in words
  /// "bubblewrap + landlock 7 + seccomp + limits", then what could not be enforced.
  [[nodiscard]] std::string text() const;
};

/// Gives up, for good and for every child, what a job does not need: capabilities, files outside the policy, sockets,
/// and the system calls that reach other processes, the kernel, or new namespaces. Starting programs that the policy
/// lets one read still works. Call before the first byte of an upload is opened.
///
/// A part that the kernel lacks is stated in the level, not an error: the caller decides whether it is enough.
/// @error kInternal: a part that the kernel has refused to be set up; kNotFound: a writable folder is missing
/// @thread call while the process has one thread (rules hold for the calling thread and what it starts)
[[nodiscard]] base::Result<Level> lock_down(const Policy& policy);

}  // namespace slipway::sandbox
