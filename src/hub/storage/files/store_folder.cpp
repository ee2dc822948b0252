#include "hub/storage/files/store_folder.hpp"

#include <algorithm>

#include <sys/statvfs.h>

namespace slipway::hub::storage {

using base::Result;

std::optional<std::uint64_t> room_in(const std::filesystem::path& folder) {
  constexpr std::uint64_t kLargestReserve = 256ULL << 20;
  struct statvfs about {};
  if (::statvfs(folder.c_str(), &about) != 0) return std::nullopt;
  const std::uint64_t free_bytes = std::uint64_t{about.f_bavail} * about.f_frsize;
  const std::uint64_t reserve = std::min(std::uint64_t{about.f_blocks} * about.f_frsize / 8, kLargestReserve);
  return free_bytes > reserve ? free_bytes - reserve : 0;
}

Result<void> check_room(const std::filesystem::path& folder, std::uint64_t size_bytes) {
  const auto room = room_in(folder);
  if (!room || *room >= size_bytes) return {};
  return base::fail(base::Reason::kOutOfDisk, "{}: {} bytes are to be written, and {} are free beside the reserve",
                    folder.string(), size_bytes, *room);
}

}  // namespace slipway::hub::storage
