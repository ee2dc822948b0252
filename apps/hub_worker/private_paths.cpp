#include "apps/hub_worker/private_paths.hpp"

#include <algorithm>

namespace slipway::worker {

PrivatePaths::PrivatePaths(const std::vector<std::filesystem::path>& folders) {
  for (const auto& folder : folders) {
    std::string text = folder.lexically_normal().string();
    if (text.size() > 1 && text.starts_with('/')) beginnings_.push_back(text.ends_with('/') ? text : text + '/');
  }
  std::ranges::sort(beginnings_, [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string PrivatePaths::without(std::string_view text) const {
  std::string result(text);
  for (const std::string& beginning : beginnings_) {
    for (std::size_t at = 0; (at = result.find(beginning, at)) != std::string::npos;) {
      result.erase(at, beginning.size());
    }
  }
  return result;
}

}  // namespace slipway::worker
