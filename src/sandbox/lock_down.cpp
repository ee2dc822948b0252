#include "sandbox/lock_down.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/files.hpp"
#include "sandbox/internal/landlock.hpp"
#include "sandbox/run.hpp"

namespace slipway::sandbox {
namespace {

/// Empties every set of capabilities. The bounding set can only be emptied by whoever may; with no_new_privs an
/// ordinary user cannot gain anything through it.
base::Result<void> drop_capabilities() {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) {
    return std::unexpected(base::errno_error(errno, "drop the capabilities"));
  }
  return {};
}

/// True in a user namespace of its own, where the kernel counts processes from zero.
bool is_in_user_namespace() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0, outside = 0, count = 0;
  map >> inside >> outside >> count;
  return count != 4294967295ULL;
}

}  // namespace

std::string Level::text() const {
  std::string text;
  const auto add = [&](std::string_view part) {
    if (!text.empty()) text += " + ";
    text += part;
  };
  if (isolation == "bubblewrap") add(isolation);
  if (landlock_abi > 0) add(fmt::format("landlock {}", landlock_abi));
  if (seccomp) add("seccomp");
  add("limits");
  if (isolation != "bubblewrap") text += fmt::format(" ({})", isolation.empty() ? "no namespaces" : isolation);
  for (const auto& gap : not_enforced) text += "; not enforced: " + gap;
  return text;
}

base::Result<Level> lock_down(const Policy& policy) {
  Level level;
  const char* isolation = ::getenv(kIsolationVariable);
  level.isolation = isolation != nullptr ? isolation : "no namespaces";
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return std::unexpected(base::errno_error(errno, "set no_new_privs"));
  }
  SLIPWAY_TRY(drop_capabilities());
  level.is_unprivileged = true;
  if (is_in_user_namespace()) {
    const rlimit processes{static_cast<rlim_t>(policy.processes) * 8, static_cast<rlim_t>(policy.processes) * 8};
    ::setrlimit(RLIMIT_NPROC, &processes);  // counts threads; the watcher outside counts processes
  }
  level.landlock_abi = internal::landlock_version();
  if (level.landlock_abi > 0) {
    SLIPWAY_TRY(internal::apply_landlock(policy, level.landlock_abi, level.not_enforced));
  } else if (level.isolation != "bubblewrap") {
    level.not_enforced.emplace_back("files outside the job folder (the kernel has no Landlock)");
  }
  if (level.isolation != "bubblewrap" && level.landlock_abi < 6) {
    level.not_enforced.emplace_back("signals to other processes of the same user (Landlock older than 6)");
  }
  SLIPWAY_TRY(internal::apply_seccomp());
  level.seccomp = true;
  return level;
}

}  // namespace slipway::sandbox
