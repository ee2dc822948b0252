#include "apps/cli/output_guard.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

#include "apps/cli/table.hpp"
#include "base/descriptor.hpp"
#include "base/files.hpp"
#include "compile/onnx_graph/model.hpp"

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
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, error), error);
  // "new/../x" is x once new is made.
  if (!error && whole != path && ::stat(whole.c_str(), &status) == 0) return identity_of(whole);
  return Identity{0, 0, (error ? path.lexically_normal() : whole).string()};
}

/// All files of the run's inputs, by what they lead to.
class Inputs {
 public:
  explicit Inputs(const std::vector<fs::path>& inputs) {
    for (const fs::path& input : inputs) {
      if (!input.empty() && input != "-") add_input(input);
    }
  }

  /// Files that the models read beside themselves: weights and compiled graphs. Read when an output could be one of
  /// them, since it takes the whole model.
  void add_files_of_models() {
    for (const fs::path& model : std::exchange(models_, {})) {
      const auto read = compile::onnx_graph::Model::read(model);
      if (!read) continue;  // the verb says why
      for (const std::string& name : read->summary().external_files) add(model.parent_path() / name);
    }
  }

  [[nodiscard]] std::map<Identity, Taken>& taken() { return taken_; }

 private:
  void add(const fs::path& file) {
    const auto identity = identity_of(file);
    if (!identity) return;
    taken_.emplace(*identity, Taken{true, fmt::format("an input of this run ({})", file.string())});
    if (file.extension() == ".onnx") models_.push_back(file);
  }

  void add_input(const fs::path& input) {
    add(input);
    std::error_code error;
    if (!fs::is_directory(input, error)) return;
    // The graphs of a model folder may lie deeper.
    if (fs::exists(input / "model.yaml", error)) {
      add_files_of(fs::recursive_directory_iterator(input, fs::directory_options::skip_permission_denied, error));
    } else {
      add_files_of(fs::directory_iterator(input, error));
    }
  }

  void add_files_of(auto entries) {
    std::error_code error;
    for (auto entry = begin(entries); entry != end(entries); entry.increment(error)) {
      if (entry->is_regular_file(error)) add(entry->path());
    }
  }

  std::map<Identity, Taken> taken_;
  std::vector<fs::path> models_;
};

/// Tries to make a file in a folder; nothing of it stays.
base::Result<void> check_accepts_files(const fs::path& folder) {
  const fs::path probe = folder / fmt::format(".slipway-probe-{}", ::getpid());
  const base::Descriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return std::unexpected(base::errno_error(errno, folder.string()));
  ::unlink(probe.c_str());
  return {};
}

/// Whether the file, or files in the folder, can be made.
base::Result<void> check_writable(const PlannedOutput& output) {
  if (output.path.empty() || output.path == "-" || base::is_no_plain_file(output.path)) return {};
  const fs::path behind = base::behind_links(output.path);
  std::error_code error;
  if (!output.is_folder && fs::is_directory(behind, error)) {
    return base::fail(base::Code::kInvalidArgument, "{} {} is a folder: name a file in it", output.option,
                      output.path.string());
  }
  const fs::path wanted = output.is_folder ? behind : behind.has_parent_path() ? behind.parent_path() : fs::path(".");
  fs::path folder = fs::absolute(wanted, error).lexically_normal();
  while (!fs::exists(folder, error) && folder.has_relative_path()) {
    if (!output.is_folder && !output.makes_folder) {
      return base::fail(base::Code::kNotFound, "{} {}: there is no folder {}: make it first", output.option,
                        output.path.string(), wanted.string());
    }
    folder = folder.parent_path();
  }
  if (!fs::is_directory(folder, error)) {
    return base::fail(base::Code::kInvalidArgument, "{} {}: {} is a file, not a folder", output.option,
                      output.path.string(), folder.string());
  }
  const auto accepts_files = check_accepts_files(folder);
  if (accepts_files) return {};
  return std::unexpected(
      accepts_files.error().with(fmt::format("{} {} cannot be written", output.option, output.path.string())));
}

}  // namespace

bool is_standard_output(const fs::path& path) {
  const fs::path behind = base::behind_links(path);
  return behind == "/dev/fd/1" || behind == "/proc/self/fd/1" || behind == fmt::format("/proc/{}/fd/1", ::getpid());
}

base::Result<void> check_outputs(const std::vector<fs::path>& inputs, const std::vector<PlannedOutput>& outputs,
                                 bool overwrite) {
  if (std::ranges::count(inputs, fs::path("-")) > 1) {
    return base::fail(base::Code::kInvalidArgument,
                      "-: two inputs are to come from standard input, which can be read once: name a file for one");
  }
  Inputs read(inputs);
  const auto is_there = [&](const PlannedOutput& output) {
    const auto identity = identity_of(output.path);
    return identity && std::get<std::string>(*identity).empty();
  };
  if (std::ranges::any_of(outputs, is_there)) read.add_files_of_models();
  std::map<Identity, Taken>& taken = read.taken();
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
  std::vector<const PlannedOutput*> there;
  for (const PlannedOutput& output : outputs) {
    struct stat status = {};
    const bool has_name = !output.path.empty() && ::lstat(output.path.c_str(), &status) == 0;
    if (has_name && !output.is_named && !output.is_folder && !overwrite) there.push_back(&output);
  }
  if (there.empty()) {
    for (const PlannedOutput& output : outputs) {
      // Names of our own lie in a folder that was looked at.
      if (output.is_named) SLIPWAY_TRY(check_writable(output));
    }
    return {};
  }
  return base::fail(
      base::Code::kInvalidArgument, "{}: {} is there already{}: name another place, or give --overwrite to replace it",
      there.front()->option, there.front()->path.string(),
      there.size() == 1 ? "" : ", and " + counted(static_cast<std::int64_t>(there.size()) - 1, "more file"));
}

std::string state_of_outputs(const std::vector<PlannedOutput>& outputs, fs::file_time_type begin,
                             const std::vector<fs::path>& cut_short) {
  std::vector<std::string> complete, early, missing;
  for (const PlannedOutput& output : outputs) {
    if (output.path.empty() || output.is_folder || base::is_no_plain_file(output.path)) continue;
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(output.path, error);
    const bool is_early = std::ranges::find(cut_short, output.path) != cut_short.end();
    if (output.is_alternative && (error || time < begin)) continue;
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
