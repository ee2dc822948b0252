#include "apps/cli/output_guard.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <tuple>

#include <sys/stat.h>

#include "base/files.hpp"

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

base::Result<void> check_outputs(const std::vector<fs::path>& inputs, const std::vector<PlannedOutput>& outputs,
                                 bool overwrite) {
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
  if (overwrite) return {};
  std::vector<const PlannedOutput*> there;
  for (const PlannedOutput& output : outputs) {
    struct stat status = {};
    const bool is_there = !output.path.empty() && ::lstat(output.path.c_str(), &status) == 0;
    if (is_there && !output.is_named && !output.is_folder) there.push_back(&output);
  }
  if (there.empty()) return {};
  return base::fail(base::Code::kInvalidArgument,
                    "{}: {} is there already{}: name another place, or give --overwrite to replace it",
                    there.front()->option, there.front()->path.string(),
                    there.size() == 1 ? "" : fmt::format(", and {} more files", there.size() - 1));
}

std::string state_of_outputs(const std::vector<PlannedOutput>& outputs, fs::file_time_type begin,
                             const std::vector<fs::path>& cut_short) {
  std::vector<std::string> complete, early, missing;
  for (const PlannedOutput& output : outputs) {
    if (output.path.empty() || output.is_folder || base::is_no_plain_file(output.path)) continue;
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(output.path, error);
    const bool is_early = std::ranges::find(cut_short, output.path) != cut_short.end();
    (error || time < begin ? missing : is_early ? early : complete).push_back(output.path.string());
  }
  const auto words = [](std::string_view what, const std::vector<std::string>& files) {
    constexpr std::size_t kMostNamed = 5;
    if (files.empty()) return std::string();
    const auto named = std::span(files).first(std::min(files.size(), kMostNamed));
    const std::string rest =
        files.size() > named.size() ? fmt::format(" and {} more", files.size() - named.size()) : std::string();
    return fmt::format("; {}: {}{}", what, fmt::join(named, ", "), rest);
  };
  return words("complete", complete) + words("ends where it was stopped", early) + words("not written", missing);
}

std::vector<fs::path> files_read(std::vector<fs::path> models, const std::vector<std::string>& inputs) {
  models.insert(models.end(), inputs.begin(), inputs.end());
  return models;
}

}  // namespace slipway::cli
