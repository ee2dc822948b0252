#pragma once

#include <span>
#include <string_view>

namespace slipway::hub::server::internal {

/// A file of web/, compiled in.
struct WebFile {
  std::string_view name;
  std::string_view content;
};

/// All of them. Defined by cmake/EmbedFiles.cmake's output.
[[nodiscard]] std::span<const WebFile> web_files();

}  // namespace slipway::hub::server::internal
