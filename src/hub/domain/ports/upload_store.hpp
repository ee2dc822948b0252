#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace slipway::hub::domain {

/// A multi-part or form upload under way.
struct Upload {
  std::string id;          ///< unguessable: it is part of the asset URL
  std::string subject_id;  ///< model, dataset or job
  std::uint64_t size_bytes = 0;
  std::uint64_t part_size_bytes = 0;
  std::uint32_t part_count = 1;
  std::vector<std::string> etags;  ///< form uploads: known after the POST
  base::Time expires;              ///< by LeaseQueue::lease_time(), so that setting a clock ends no upload
};

/// Rows of uploads under way. Each call is one transaction: after it returns, a crash loses nothing of it.
/// @thread safe from any thread
class UploadStore {
 public:
  virtual ~UploadStore() = default;

  [[nodiscard]] virtual base::Result<void> insert_upload(const Upload& upload) = 0;
  [[nodiscard]] virtual base::Result<Upload> upload(const std::string& id) const = 0;
  [[nodiscard]] virtual base::Result<void> update_upload(const Upload& upload) = 0;
  virtual void remove_upload(const std::string& id) = 0;
  /// The plans made for a model, dataset or job, newest first.
  [[nodiscard]] virtual base::Result<std::vector<Upload>> uploads_of(const std::string& subject_id) const = 0;
  [[nodiscard]] virtual base::Result<std::vector<Upload>> expired_uploads(base::Time lease_time) const = 0;
};

}  // namespace slipway::hub::domain
