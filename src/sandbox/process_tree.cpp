#include "sandbox/internal/process_tree.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <unistd.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/descriptor.hpp"
#include "base/text.hpp"

namespace slipway::sandbox::internal {
namespace {

/// More than any job may have: counting a fork bomb must not take longer than it takes to grow.
constexpr std::size_t kLargestTree = 1024;

/// The text of a /proc file; empty when the process is gone.
std::string read_proc(const std::string& path) {
  std::string text;
  const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return text;
  std::array<char, 4096> buffer;
  ssize_t count = 0;
  while ((count = ::read(file.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// The names in a folder that are numbers.
std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  DIR* stream = ::opendir(folder.c_str());
  if (stream == nullptr) return numbers;
  while (const dirent* entry = ::readdir(stream)) {
    if (const auto number = base::parse_number<pid_t>(entry->d_name)) numbers.push_back(*number);
  }
  ::closedir(stream);
  return numbers;
}

std::uint64_t kilobytes_after(std::string_view text, std::string_view key) {
  const auto start = text.find(key);
  if (start == std::string_view::npos) return 0;
  auto value = text.substr(start + key.size());
  value = base::trimmed(value);
  return base::consume_number<std::uint64_t>(value).value_or(0);
}

/// Fields 14 to 17 of /proc/PID/stat: user and system time, own and of children, in clock ticks.
std::chrono::milliseconds cpu_time_of(std::string_view stat) {
  auto at = stat.rfind(')');  // the name before it may hold anything
  if (at == std::string_view::npos) return {};
  std::int64_t ticks = 0;
  for (int field = 3; field <= 17 && at != std::string_view::npos; ++field) {
    at = stat.find(' ', at + 1);
    if (field < 14 || at == std::string_view::npos) continue;
    std::string_view value = stat.substr(at + 1);
    ticks += base::consume_number<std::int64_t>(value).value_or(0);
  }
  return std::chrono::milliseconds(ticks * 1000 / std::max(1L, ::sysconf(_SC_CLK_TCK)));
}

}  // namespace

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> found;
  const std::string tasks = fmt::format("/proc/{}/task", process);
  for (const pid_t task : numbers_in(tasks)) {
    const std::string children = read_proc(fmt::format("{}/{}/children", tasks, task));
    std::string_view rest = children;
    while (const auto child = base::consume_number<pid_t>(rest)) {
      found.push_back(*child);
      if (!rest.empty()) rest.remove_prefix(1);
    }
  }
  return found;
}

std::vector<pid_t> tree_of(pid_t root) {
  std::vector<pid_t> tree{root};
  for (std::size_t next = 0; next < tree.size() && tree.size() < kLargestTree; ++next) {
    const auto children = children_of(tree[next]);
    tree.insert(tree.end(), children.begin(), children.end());
  }
  return tree;
}

std::vector<pid_t> group_of(pid_t leader) {
  std::vector<pid_t> group;
  for (const pid_t process : numbers_in("/proc")) {
    if (::getpgid(process) == leader) group.push_back(process);
  }
  return group;
}

TreeUsage usage_of(const std::vector<pid_t>& processes) {
  TreeUsage usage;
  for (const pid_t process : processes) {
    const std::string status = read_proc(fmt::format("/proc/{}/status", process));
    if (status.empty()) continue;
    ++usage.processes;
    usage.cpu_time += cpu_time_of(read_proc(fmt::format("/proc/{}/stat", process)));
    usage.memory_bytes += 1024 * (kilobytes_after(status, "RssAnon:") + kilobytes_after(status, "RssShmem:"));
  }
  return usage;
}

std::uint64_t disk_usage_of(const std::filesystem::path& folder) {
  std::string path = folder.string();
  std::array<char*, 2> roots{path.data(), nullptr};
  FTS* walk = ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR, nullptr);
  if (walk == nullptr) return 0;
  std::uint64_t bytes = 0;
  while (const FTSENT* entry = ::fts_read(walk)) {
    if (entry->fts_info == FTS_F || entry->fts_info == FTS_D) {
      bytes += static_cast<std::uint64_t>(entry->fts_statp->st_blocks) * 512;
    }
  }
  ::fts_close(walk);
  return bytes;
}

}  // namespace slipway::sandbox::internal
