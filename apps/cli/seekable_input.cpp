#include "apps/cli/seekable_input.hpp"

#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "apps/cli/interrupt.hpp"
#include "media/input_stream.hpp"

namespace slipway::cli {
namespace {

/// Names of temporary files, and what the user calls what is in them.
struct GivenNames {
  std::mutex mutex;
  std::map<std::string, std::string> of_files;
};

GivenNames& given_names() {
  static auto& only = *new GivenNames;  // messages come to the very end
  return only;
}

std::string escaped(const std::string& text) {
  using nlohmann::json;
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

base::Result<SeekableInput> SeekableInput::of(const std::filesystem::path& path, const std::string& ending) {
  SeekableInput input;
  input.path_ = path;
  if (path.empty() || !media::is_stream(path)) return input;
  SLIPWAY_ASSIGN(input.folder_, base::TemporaryFolder::create("slipway-input"));
  // Some messages say the file's name alone.
  input.path_ = input.folder_->path() / ((path == "-" ? "standard-input" : "stream") + ending);
  {
    const std::scoped_lock lock(given_names().mutex);
    given_names().of_files[input.path_.string()] = path == "-" ? "standard input" : path.string();
  }
  SLIPWAY_TRY(media::save_stream(path, input.path_, interrupt_token()));
  return input;
}

std::string with_given_names(std::string text, bool is_json) {
  const std::scoped_lock lock(given_names().mutex);
  for (const auto& [file, given] : given_names().of_files) {
    const std::string shown = is_json ? escaped(file) : file, name = is_json ? escaped(given) : given;
    for (auto at = text.find(shown); at != std::string::npos; at = text.find(shown, at + name.size())) {
      text.replace(at, shown.size(), name);
    }
  }
  return text;
}

}  // namespace slipway::cli
