#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::worker {

/// Takes the places where an agent keeps its things out of what it tells the hub: a job's log and its reason of failure
/// are read by whoever submitted the job. A file below one of the folders keeps its name from there on.
/// @thread safe from any thread
class PrivatePaths {
 public:
  /// @param folders  absolute; empty ones are left out
  explicit PrivatePaths(const std::vector<std::filesystem::path>& folders);

  [[nodiscard]] std::string without(std::string_view text) const;

 private:
  std::vector<std::string> beginnings_;  ///< with a slash at the end, longest first
};

}  // namespace slipway::worker
