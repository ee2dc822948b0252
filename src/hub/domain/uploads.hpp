#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "hub/domain/foundation.hpp"

/// How bytes come in, whoever sends them: users their models and datasets, agents the results of jobs. Private to the
/// domain.
namespace slipway::hub::domain::uploads {

/// Whether a file without a byte makes sense.
enum class EmptyFile { kRefused, kTaken };

/// Plans the parts of a file and keeps the plan for a day, by the store's own clock.
/// @param file_size  nothing when an older client does not say: then there is one part of any size
/// @error kInvalidArgument: empty; kResourceExhausted: larger than the hub takes
[[nodiscard]] base::Result<Upload> plan(const Foundation& hub, const std::string& subject_id,
                                        std::optional<std::uint64_t> file_size, EmptyFile empty);

/// @error kNotFound: unknown or expired
[[nodiscard]] base::Result<Upload> find(const Foundation& hub, const std::string& upload_id);

/// Opens a part for a body of `size_bytes`.
/// @error kNotFound: there is no such part; kInvalidArgument: its size is another than planned
[[nodiscard]] base::Result<std::unique_ptr<BlobStore::Writer>> write_part(const Foundation& hub, const Upload& upload,
                                                                          std::uint32_t part, std::uint64_t size_bytes);

/// Joins the parts and checks that what arrived is what was announced.
/// @param etags  of the parts in order; they may come with the quotes that HTTP puts around them
/// @error kInvalidArgument: another count of parts, or empty; kFailedPrecondition: a part or some bytes are missing
[[nodiscard]] base::Result<Blob> assemble(const Foundation& hub, BlobStore::Pin& pin, const Upload& upload,
                                          const std::vector<std::string>& etags, EmptyFile empty);

/// Forgets an upload that has been taken or will not be finished.
void forget(const Foundation& hub, const std::string& upload_id);

}  // namespace slipway::hub::domain::uploads
