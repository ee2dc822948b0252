#include <array>
#include <cerrno>
#include <memory>

#include <sched.h>
#include <seccomp.h>

#include <sys/socket.h>

#include "base/files.hpp"
#include "sandbox/internal/landlock.hpp"

namespace slipway::sandbox::internal {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, Release>;

/// Refused with EPERM whatever the arguments. A call that this libseccomp does not know by name is left out.
constexpr std::array kDenied = {
    // other processes
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "process_madvise",
    "kcmp",
    "migrate_pages",
    "move_pages",
    // leaving the session or process group, which is how the whole tree is found and killed at once
    "setsid",
    "setpgid",
    // namespaces and mounts
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    // large doors into the kernel
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "add_key",
    "request_key",
    "keyctl",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "modify_ldt",
    "vmsplice",
    "fanotify_init",
    "lookup_dcookie",
    "nfsservctl",
    "quotactl",
    "quotactl_fd",
    "acct",
    "syslog",
    "swapon",
    "swapoff",
    "reboot",
    "iopl",
    "ioperm",
    "vhangup",
    "personality",
    // files by handle pass by the path rules
    "open_by_handle_at",
    "name_to_handle_at",
    // memory that belongs to no process and is seen by no limit
    "shmget",
    "shmat",
    "shmctl",
    "msgget",
    "semget",
    "mq_open",
    // the machine's own state
    "sethostname",
    "setdomainname",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "stime",
    // sockets of every family; a pair made by socketpair() stays in the job
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "accept4",
};

/// Refused with ENOSYS so that the C library falls back to a call whose arguments can be seen.
constexpr std::array kUnavailable = {"clone3", "memfd_create", "memfd_secret"};

constexpr std::uint64_t kNewNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                         CLONE_NEWUTS | CLONE_NEWCGROUP | 0x80 /* CLONE_NEWTIME */;
constexpr unsigned long kTiocsti = 0x5412;
constexpr unsigned long kTioclinux = 0x541C;

int add_rules(scmp_filter_ctx filter) {
  int outcome = 0;
  const auto add = [&](std::uint32_t action, const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || outcome != 0) return;
    outcome = seccomp_rule_add(filter, action, number, 0);
    if (outcome == -EDOM) outcome = 0;  // not a call of this machine
  };
  for (const char* name : kDenied) add(SCMP_ACT_ERRNO(EPERM), name);
  for (const char* name : kUnavailable) add(SCMP_ACT_ERRNO(ENOSYS), name);
  const auto add_when = [&](int number, scmp_arg_cmp condition) {
    if (outcome == 0) outcome = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 1, &condition);
  };
  for (std::uint64_t flag = 1; flag != 0 && flag <= kNewNamespaces; flag <<= 1) {
    if ((flag & kNewNamespaces) != 0) add_when(SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
  }
  add_when(SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_NE, 0));
  add_when(SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_NE, AF_UNIX));
  for (const unsigned long request : {kTiocsti, kTioclinux}) {
    add_when(SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFF, request));
  }
  return outcome;
}

}  // namespace

base::Result<void> apply_seccomp() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return base::fail(base::Code::kInternal, "libseccomp made no filter");
  int outcome = add_rules(filter.get());
  if (outcome == 0) outcome = seccomp_load(filter.get());
  if (outcome != 0) return std::unexpected(base::errno_error(-outcome, "load the seccomp filter"));
  return {};
}

}  // namespace slipway::sandbox::internal
