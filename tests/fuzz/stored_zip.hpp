#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <zlib.h>

namespace slipway::fuzz {

inline void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

/// A zip archive of stored entries.
inline std::string zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file, directory;
  for (const auto& [name, content] : entries) {
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    const auto common = [&](std::string& out) {
      put(out, 20, 2), put(out, 0, 8), put(out, sum, 4), put(out, content.size(), 4), put(out, content.size(), 4);
      put(out, name.size(), 2), put(out, 0, 2);
    };
    directory += "PK\1\2";
    put(directory, 20, 2);
    common(directory);
    put(directory, 0, 8), put(directory, 0, 2);
    put(directory, file.size(), 4);
    directory += name;
    file += "PK\3\4";
    common(file);
    file += name + content;
  }
  std::string end = "PK\5\6";
  put(end, 0, 4), put(end, entries.size(), 2), put(end, entries.size(), 2);
  put(end, directory.size(), 4), put(end, file.size(), 4), put(end, 0, 2);
  return file + directory + end;
}

}  // namespace slipway::fuzz
