#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "hub/domain/changes.hpp"
#include "hub/domain/ports/blob_store.hpp"
#include "hub/domain/ports/row_store.hpp"

namespace slipway::hub::domain {

struct HubSettings {
  std::uint64_t part_size_bytes = 64ULL << 20;
  std::uint64_t max_upload_bytes = 64ULL << 30;
  std::chrono::seconds lease_duration{30};
  int max_attempts = 3;
  std::chrono::hours dataset_lifetime{30 * 24};
  std::string hub_version;
};

/// The outside of the hub: where rows and bytes lie, what time it is, where ids come from. All of it outlives the hub.
struct Ports {
  AccountStore& accounts;
  ContentStore& contents;
  UploadStore& uploads;
  JobStore& jobs;
  LeaseQueue& queue;
  BlobStore& blobs;
  const base::Clock& clock;
  base::IdSource& ids;

  Ports(RowStore& rows, BlobStore& bytes, const base::Clock& time, base::IdSource& names)
      : accounts(rows), contents(rows), uploads(rows), jobs(rows), queue(rows), blobs(bytes), clock(time), ids(names) {}
};

/// Whether an error of a store may be over at the next try: it is away, full or may not be written just now.
[[nodiscard]] inline bool may_pass(const base::Error& error) {
  return error.code == base::Code::kUnavailable || error.code == base::Code::kDeadlineExceeded ||
         error.code == base::Code::kResourceExhausted || error.is_about_writing();
}

/// What the parts of the hub share and stand on.
struct Foundation {
  HubSettings settings;
  Ports ports;
  Changes changes;
};

}  // namespace slipway::hub::domain
