#include "runtime/process_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace slipway::runtime {

ResidentSet resident_set() {
  ResidentSet set;
  std::ifstream status("/proc/self/status");
  std::string key;
  while (status >> key) {
    std::uint64_t kilobytes = 0;
    if (key == "VmRSS:" && status >> kilobytes) set.now_bytes = kilobytes * 1024;
    if (key == "VmHWM:" && status >> kilobytes) set.peak_bytes = kilobytes * 1024;
    status.ignore(4096, '\n');
  }
  set.peak_bytes = std::max(set.peak_bytes, set.now_bytes);
  return set;
}

bool reset_peak() {
  std::ofstream control("/proc/self/clear_refs");
  control << "5" << std::flush;
  return control.good();
}

}  // namespace slipway::runtime
