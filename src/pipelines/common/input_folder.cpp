#include "pipelines/common/input_folder.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "media/image_file.hpp"
#include "media/video_file.hpp"
#include "pipelines/common/natural_order.hpp"

namespace slipway::pipelines {
namespace {

namespace fs = std::filesystem;

/// What systems leave in folders of images: nobody asks why it is not read. "._x.jpg" has the name of an image.
bool is_of_a_system(const std::string& name) {
  constexpr std::array<std::string_view, 6> kNames = {"Thumbs.db", "ehthumbs.db", "desktop.ini",
                                                      "__MACOSX",  "@eaDir",      "$RECYCLE.BIN"};
  return name.starts_with('.') || std::ranges::find(kNames, name) != kNames.end();
}

/// "a, b, c and 4 more", as they are called below the folder.
std::string listed(std::vector<std::string> names) {
  constexpr std::size_t kMostNames = 5;
  std::ranges::sort(names, is_before_naturally);
  const std::size_t more = names.size() > kMostNames ? names.size() - kMostNames : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

struct Found {
  std::vector<fs::path> files;
  std::vector<std::string> others, folders, unreadable;
};

void gather(const fs::path& top, const fs::path& folder, bool is_recursive, Found& found) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) {
    found.unreadable.push_back(folder.lexically_relative(top).string());
    return;
  }
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    if (is_of_a_system(path.filename().string())) continue;
    const std::string name = path.lexically_relative(top).string();
    if (entries->is_directory(error)) {
      if (is_recursive && !entries->is_symlink(error)) {
        gather(top, path, is_recursive, found);
      } else {
        found.folders.push_back(name);
      }
    } else if (entries->is_regular_file(error) && (media::has_image_ending(path) || media::has_video_ending(path))) {
      found.files.push_back(path);
    } else {
      found.others.push_back(name);
    }
  }
}

}  // namespace

base::Result<InputFolder> read_input_folder(const fs::path& folder, bool is_recursive) {
  Found found;
  std::error_code error;
  if (const fs::directory_iterator first(folder, error); error) {
    return std::unexpected(base::Error{base::Code::kPermissionDenied, folder.string() + ": " + error.message()});
  }
  gather(folder, folder, is_recursive, found);
  std::vector<std::string> reasons;
  if (!found.others.empty()) {
    reasons.push_back(listed(found.others) + " (no picture or video by its name)");
  }
  if (!found.folders.empty()) {
    reasons.push_back(listed(found.folders) +
                      (is_recursive ? " (a link to a folder)" : " (below it: --recursive takes what folders hold)"));
  }
  if (!found.unreadable.empty()) reasons.push_back(listed(found.unreadable) + " (may not be read)");
  InputFolder result;
  if (!reasons.empty()) result.left_out = fmt::format("{}: left out: {}", folder.string(), fmt::join(reasons, "; "));
  if (found.files.empty()) {
    return base::fail(base::Code::kNotFound,
                      "{}: no pictures (.jpg, .png, .webp, .bmp, .gif, .tif, .avif) or videos in this folder{}",
                      folder.string(), reasons.empty() ? "" : fmt::format("; it holds {}", fmt::join(reasons, "; ")));
  }
  result.files = std::move(found.files);
  std::ranges::sort(result.files, [](const fs::path& one, const fs::path& other) {
    return is_before_naturally(one.native(), other.native());
  });
  return result;
}

}  // namespace slipway::pipelines
