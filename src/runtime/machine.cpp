#include <fstream>
#include <string>

#include <sched.h>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "runtime/profiling.hpp"

namespace slipway::runtime {
namespace {

std::string cpu_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line)) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  // ARM boards name the board, not the core.
  std::ifstream board("/proc/device-tree/model");
  if (std::getline(board, line, '\0') && !line.empty()) return line;
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown CPU";
}

}  // namespace

std::string machine_name() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const int threads = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  return fmt::format("{}, {} thread{}", cpu_name(), threads, threads == 1 ? "" : "s");
}

}  // namespace slipway::runtime
