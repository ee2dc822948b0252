#include "sandbox/internal/landlock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "sandbox/internal/bubblewrap.hpp"

namespace slipway::sandbox::internal {
namespace {

// Rights and fields that are newer than the headers of Debian 12; the kernel's version decides whether they are used.
constexpr std::uint64_t kFsTruncate = 1ULL << 14;          // version 3
constexpr std::uint64_t kFsIoctlDevice = 1ULL << 15;       // version 5
constexpr std::uint64_t kNetBindTcp = 1ULL << 0;           // version 4
constexpr std::uint64_t kNetConnectTcp = 1ULL << 1;        // version 4
constexpr std::uint64_t kScopeAbstractSocket = 1ULL << 0;  // version 6
constexpr std::uint64_t kScopeSignal = 1ULL << 1;          // version 6

struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// No devices: a device file made by a job is never meant well.
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
                                 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t kDevices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
/// The rights that make sense on something that is not a folder.
constexpr std::uint64_t kOnFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                   LANDLOCK_ACCESS_FS_WRITE_FILE | kFsTruncate | kFsIoctlDevice;

/// Lets everything below `path` be used. A path that is not there is skipped unless it is required.
base::Result<void> allow(int ruleset, const std::filesystem::path& path, std::uint64_t rights, bool is_required) {
  const base::Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place.is_open()) {
    if (!is_required) return {};
    return std::unexpected(base::errno_error(errno, fmt::format("open {}", path.string())));
  }
  struct stat about {};
  if (::fstat(place.get(), &about) == 0 && !S_ISDIR(about.st_mode)) rights &= kOnFiles;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = place.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return std::unexpected(base::errno_error(errno, fmt::format("add {} to the Landlock rules", path.string())));
  }
  return {};
}

base::Result<void> add_rules(int ruleset, const Policy& policy, std::uint64_t handled) {
  for (const auto& folder : system_folders()) SLIPWAY_TRY(allow(ruleset, folder, handled & kRead, false));
  for (const auto& file : system_files()) SLIPWAY_TRY(allow(ruleset, file, handled & kRead, false));
  for (const auto& path : policy.readable) SLIPWAY_TRY(allow(ruleset, path, handled & kRead, false));
  const std::uint64_t read_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  SLIPWAY_TRY(allow(ruleset, "/proc", handled & read_access, false));
  for (const char* device : {"/dev/zero", "/dev/random", "/dev/urandom"}) {
    SLIPWAY_TRY(allow(ruleset, device, handled & read_access, false));
  }
  SLIPWAY_TRY(
      allow(ruleset, "/dev/null", handled & (read_access | LANDLOCK_ACCESS_FS_WRITE_FILE | kFsTruncate), false));
  const std::uint64_t everything = kRead | kWrite | kFsTruncate | LANDLOCK_ACCESS_FS_REFER;
  for (const auto& folder : policy.writable) SLIPWAY_TRY(allow(ruleset, folder, handled & everything, true));
  return {};
}

}  // namespace

int landlock_version() {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

base::Result<void> apply_landlock(const Policy& policy, int version, std::vector<std::string>& not_enforced) {
  RulesetAttributes attributes;
  attributes.handled_access_fs = kRead | kWrite | kDevices;
  std::size_t size = sizeof(attributes.handled_access_fs);
  if (version >= 2) attributes.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) {
    attributes.handled_access_fs |= kFsTruncate;
  } else {
    not_enforced.emplace_back("truncating files outside the job folder (Landlock older than 3)");
  }
  if (version >= 4) {
    attributes.handled_access_net = kNetBindTcp | kNetConnectTcp;
    size = offsetof(RulesetAttributes, scoped);
  }
  if (version >= 5) attributes.handled_access_fs |= kFsIoctlDevice;
  if (version >= 6) {
    attributes.scoped = kScopeAbstractSocket | kScopeSignal;
    size = sizeof(attributes);
  }
  const base::Descriptor ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.is_open()) return std::unexpected(base::errno_error(errno, "make a Landlock ruleset"));
  SLIPWAY_TRY(add_rules(ruleset.get(), policy, attributes.handled_access_fs));
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return std::unexpected(base::errno_error(errno, "enter the Landlock domain"));
  }
  return {};
}

}  // namespace slipway::sandbox::internal
