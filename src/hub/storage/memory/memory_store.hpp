#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hub/domain/lease_clock.hpp"
#include "hub/domain/ports/row_store.hpp"

namespace slipway::hub::storage {

/// Rows that die with the object: for tests and simulations, and as the proof that the hub needs no database. One lock
/// makes each call one transaction.
/// @thread safe from any thread
class MemoryStore : public domain::RowStore {
 public:
  /// @param clock  for the ends of leases; outlives the store
  explicit MemoryStore(const base::Clock& clock) : lease_clock_(clock) {}

#include "hub/storage/row_store_calls.inc"

 private:
  /// Rows with an id, in the order in which they came.
  template <typename Row>
  class Table {
   public:
    [[nodiscard]] base::Result<void> insert(const Row& row) {
      if (!places_.emplace(row.id, rows.size()).second) {
        return base::fail(base::Code::kAlreadyExists, "{} is there", row.id);
      }
      rows.push_back(row);
      return {};
    }
    [[nodiscard]] base::Result<Row> get(std::string_view what, const std::string& id) const {
      if (const Row* row = find(id)) return *row;
      return base::fail(base::Code::kNotFound, "no {} {}", what, id);
    }
    [[nodiscard]] const Row* find(const std::string& id) const {
      const auto found = places_.find(id);
      return found == places_.end() ? nullptr : &rows[found->second];
    }
    [[nodiscard]] Row* find(const std::string& id) { return const_cast<Row*>(std::as_const(*this).find(id)); }
    std::vector<Row> rows;

   private:
    std::unordered_map<std::string, std::size_t> places_;
  };
  struct Log {
    std::string text;
    std::size_t total_bytes = 0;
  };

  /// Whether the job's model and dataset are there; what nobody knows is not waited for.
  [[nodiscard]] bool is_ready(const domain::Job& job) const;
  [[nodiscard]] static std::unexpected<base::Error> lease_lost(const std::string& job_id);
  [[nodiscard]] domain::Job* leased(const std::string& job_id, const std::string& lease_token);
  void requeue(domain::Job& job, base::Time now);
  void store_inspection(const domain::Job& job, const domain::Inspection& inspection);
  [[nodiscard]] bool end(const domain::Job& job, const std::string& lease_token);

  domain::LeaseClock lease_clock_;
  mutable std::mutex mutex_;
  std::vector<domain::User> users_;
  std::vector<domain::Token> tokens_;
  std::vector<domain::WebSession> web_sessions_;
  std::vector<domain::Upload> uploads_;
  Table<domain::Model> models_;
  Table<domain::Dataset> datasets_;
  Table<domain::Job> jobs_;
  std::map<std::string, Log> logs_;
};

}  // namespace slipway::hub::storage
