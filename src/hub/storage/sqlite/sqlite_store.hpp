#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hub/domain/lease_clock.hpp"
#include "hub/domain/ports/row_store.hpp"

namespace slipway::hub::storage {

class Database;

/// Rows in an SQLite file beside which WAL files appear. Readers do not wait for the writer.
/// @thread safe from any thread; other processes may open the file too, but one alone gives leases
class SqliteStore final : public domain::RowStore {
 public:
  /// ":memory:" keeps everything in memory, for tests.
  /// @param clock  for the ends of leases
  /// @error kFailedPrecondition: written by a newer version; kDataLoss: the file is no database; kPermissionDenied
  [[nodiscard]] static base::Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                                       const base::Clock& clock);
  ~SqliteStore() override;

#include "hub/storage/row_store_calls.inc"

 private:
  SqliteStore(std::unique_ptr<Database> database, const base::Clock& clock);
  std::unique_ptr<Database> database_;
  domain::LeaseClock lease_clock_;
};

}  // namespace slipway::hub::storage
