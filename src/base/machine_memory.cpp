#include "base/machine_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>

#include <unistd.h>

#include <sys/resource.h>

namespace slipway::base {
namespace {

constexpr auto kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::uint64_t machine_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : kUnlimited;
}

/// Of the control group that containers see as theirs; "max" and no file are no limit.
std::uint64_t group_bytes() {
  std::uint64_t least = kUnlimited;
  for (const char* name : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::uint64_t bytes = 0;
    if (std::ifstream(name) >> bytes && bytes > 0) least = std::min(least, bytes);
  }
  return least;
}

std::uint64_t own_bytes() {
  rlimit limit = {};
  return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : kUnlimited;
}

}  // namespace

std::uint64_t usable_memory_bytes() {
  static const std::uint64_t outer = std::min(machine_bytes(), group_bytes());
  return std::min(outer, own_bytes());
}

}  // namespace slipway::base
