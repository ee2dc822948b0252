#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace slipway::hub::executor {

/// What an archive of a stranger may grow to.
struct ArchiveLimits {
  std::uint64_t total_bytes = 64ULL << 30;
  std::uint64_t slack_bytes = 256ULL << 20;  ///< any archive may grow to this
  std::uint64_t ratio = 250;                 ///< beyond it, to this many times its own size
  std::size_t entries = 10'000;
};

struct ArchiveEntry {
  std::string name;
  std::uint64_t size_bytes = 0;  ///< as the archive's directory says
};

/// The names in a zip, in any language and whatever the locale, byte for byte: a model refers to its files by them.
/// After the checks of unpack_folder() that need no bytes.
/// @error kInvalidArgument: not a zip, truncated, or an entry that is refused (it is named)
[[nodiscard]] base::Result<std::vector<ArchiveEntry>> list_archive(const std::filesystem::path& archive,
                                                                   const ArchiveLimits& limits = {});

/// Unpacks a zip that holds one folder, as the official client packs a directory model.
/// @param into  an existing folder; the zip's folder appears in it
/// @return      the path of the unpacked folder
/// @error kInvalidArgument: not a zip, truncated, a path that climbs out or is absolute, a link or device, a name
///        twice, more than one folder at the top, or more bytes than the limits allow (the entry is named);
///        of base::errno_error: a file cannot be written
[[nodiscard]] base::Result<std::filesystem::path> unpack_folder(const std::filesystem::path& archive,
                                                                const std::filesystem::path& into,
                                                                const ArchiveLimits& limits = {});

/// Packs the files of a folder (not of folders in it) as a zip with one folder at the top, in the order of names,
/// stored, with a fixed time: the same files give the same bytes.
/// @error of base::errno_error
[[nodiscard]] base::Result<void> pack_folder(const std::filesystem::path& folder, std::string_view top_name,
                                             const std::filesystem::path& archive);

/// Puts an ONNX file into a folder as one file: as STEM.onnx, or as STEM.onnx.zip with the data file beside it.
/// @return  its name there
/// @error of base::errno_error
[[nodiscard]] base::Result<std::string> pack_graph(const std::filesystem::path& into, const std::filesystem::path& onnx,
                                                   bool has_data_file, const std::string& stem,
                                                   const std::string& top_name);

}  // namespace slipway::hub::executor
