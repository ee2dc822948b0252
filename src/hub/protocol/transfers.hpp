#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace slipway::hub::protocol {

/// Which message a transfer plan is answered with. The client asks for the wrapper with `supports_s3_credentials=true`;
/// the two are not wire-compatible. The credentials arm of the wrapper is never set: that is what keeps AWS out.
enum class PlanForm { kBare, kWrapped };

/// Where the parts of a model go: part i takes bytes [i * max_part_size, (i + 1) * max_part_size).
struct PartPlan {
  std::string upload_id;
  std::vector<std::string> urls;
  std::uint64_t max_part_size_bytes = 0;
};
[[nodiscard]] std::string encode_part_plan(const PartPlan& plan, PlanForm form);

/// Where a dataset goes: one form POST with the file under `file_field_name`.
[[nodiscard]] std::string encode_form_plan(std::string_view url, std::string_view file_field_name, PlanForm form);

/// A file that can be fetched with a plain GET. The filename holds no dot except its extension's.
struct DownloadLink {
  std::string url;
  std::string filename;
};
[[nodiscard]] std::string encode_download(const DownloadLink& link, PlanForm form);
[[nodiscard]] std::string encode_artifacts(const std::vector<DownloadLink>& links);

/// The end of a multi-part upload. Tags come without the quotes that an ETag header has around them.
struct UploadCompletion {
  std::string upload_id;
  std::vector<std::string> etags;
};
/// @error kInvalidArgument: not such a message
[[nodiscard]] base::Result<UploadCompletion> decode_upload_completion(std::string_view bytes);

/// An entity tag without its quotes and weakness mark.
[[nodiscard]] std::string bare_etag(std::string_view etag);

/// A CreateUpdateResponse with an empty status: the client takes anything else for a refusal or skips its upload.
[[nodiscard]] std::string encode_created(std::string_view id, std::optional<base::Time> created = std::nullopt,
                                         std::optional<base::Time> expires = std::nullopt);

}  // namespace slipway::hub::protocol
