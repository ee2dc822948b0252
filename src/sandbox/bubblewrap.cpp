#include "sandbox/internal/bubblewrap.hpp"

#include <set>

#include <unistd.h>

#include "base/files.hpp"

namespace slipway::sandbox {
namespace internal {
namespace {

constexpr const char* kTemporaryBytes = "67108864";

/// Binds a place of the system at its own path: a link as the link that it is.
void add_system_folder(std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_symlink(folder, error)) {
    arguments.insert(arguments.end(),
                     {"--symlink", std::filesystem::read_symlink(folder, error).string(), folder.string()});
  } else if (std::filesystem::is_directory(folder, error)) {
    arguments.insert(arguments.end(), {"--ro-bind", folder.string(), folder.string()});
  }
}

}  // namespace

std::filesystem::path bubblewrap_program() {
  for (const char* candidate : {"/usr/bin/bwrap", "/usr/local/bin/bwrap"}) {
    if (::access(candidate, X_OK) == 0) return candidate;
  }
  return {};
}

const std::vector<std::filesystem::path>& system_folders() {
  static const std::vector<std::filesystem::path> folders{"/usr",   "/bin",   "/sbin",   "/lib",
                                                          "/lib32", "/lib64", "/libx32", "/etc/alternatives"};
  return folders;
}

const std::vector<std::filesystem::path>& system_files() {
  // ONNX Runtime counts cores and caches through /sys.
  static const std::vector<std::filesystem::path> files{"/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu",
                                                        "/sys/devices/system/node"};
  return files;
}

std::vector<std::string> bubblewrap_arguments(const Command& command) {
  std::vector<std::string> arguments{bubblewrap_program().string(),
                                     "--unshare-all",
                                     "--die-with-parent",
                                     "--new-session",
                                     "--cap-drop",
                                     "ALL",
                                     "--hostname",
                                     "job"};
  for (const auto& folder : system_folders()) add_system_folder(arguments, folder);
  for (const auto& file : system_files()) {
    arguments.insert(arguments.end(), {"--ro-bind-try", file.string(), file.string()});
  }
  // A tmpfs is memory that no process owns: each is small or read-only.
  arguments.insert(arguments.end(), {"--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"});
  arguments.insert(arguments.end(), {"--size", kTemporaryBytes, "--tmpfs", "/tmp"});
  std::set<std::filesystem::path> readable(command.readable.begin(), command.readable.end());
  for (const auto& path : readable) {
    arguments.insert(arguments.end(), {"--ro-bind-try", path.string(), path.string()});
  }
  arguments.insert(arguments.end(), {"--bind", command.folder.string(), command.folder.string()});
  for (const auto& path : command.read_only) {
    arguments.insert(arguments.end(), {"--ro-bind-try", path.string(), path.string()});
  }
  arguments.insert(arguments.end(), {"--remount-ro", "/", "--chdir", command.folder.string(), "--"});
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  return arguments;
}

}  // namespace internal
}  // namespace slipway::sandbox
