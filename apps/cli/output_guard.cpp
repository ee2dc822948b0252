#include "apps/cli/output_guard.hpp"

#include <map>
#include <optional>
#include <tuple>

#include <sys/stat.h>

namespace slipway::cli {

namespace fs = std::filesystem;

namespace {

/// What a path leads to: a file or folder that is there, or a name in a folder.
using Identity = std::tuple<dev_t, ino_t, std::string>;

struct Taken {
  bool is_input;
  std::string what;
};

/// Nothing for streams and devices.
std::optional<Identity> identity_of(const fs::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return std::nullopt;
    return Identity{status.st_dev, status.st_ino, ""};
  }
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  return Identity{0, 0, (error ? path.lexically_normal() : whole).string()};
}

}  // namespace

base::Result<void> check_outputs(const std::vector<fs::path>& inputs, const std::vector<PlannedOutput>& outputs) {
  std::map<Identity, Taken> taken;
  for (const fs::path& input : inputs) {
    if (input.empty() || input == "-") continue;
    const auto identity = identity_of(input);
    if (!identity) continue;
    taken.emplace(*identity, Taken{true, fmt::format("an input of this run ({})", input.string())});
    std::error_code error;
    if (!fs::is_directory(input, error)) continue;
    for (const fs::directory_entry& entry : fs::directory_iterator(input, error)) {
      if (!entry.is_regular_file(error)) continue;
      if (const auto file = identity_of(entry.path())) {
        taken.emplace(*file, Taken{true, fmt::format("an input of this run ({})", entry.path().string())});
      }
    }
  }
  for (const PlannedOutput& output : outputs) {
    if (output.path.empty() || output.path == "-") continue;
    const auto identity = identity_of(output.path);
    if (!identity) continue;
    const auto [found, is_free] =
        taken.emplace(*identity, Taken{false, fmt::format("{} {} too", output.option, output.path.string())});
    if (is_free) continue;
    // Several kinds of files may go into one folder.
    if (output.is_folder && !found->second.is_input) continue;
    return base::fail(base::Code::kInvalidArgument, "{} {} is {}, which would be written over: name another {}",
                      output.option, output.path.string(), found->second.what, output.is_folder ? "folder" : "file");
  }
  return {};
}

std::vector<fs::path> files_read(std::vector<fs::path> models, const std::vector<std::string>& inputs) {
  models.insert(models.end(), inputs.begin(), inputs.end());
  return models;
}

}  // namespace slipway::cli
