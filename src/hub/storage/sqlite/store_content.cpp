#include "hub/storage/sqlite/rows.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// Which content rows speak of.
namespace slipway::hub::storage {

using base::Result;
using namespace domain;

Result<std::set<std::string>> SqliteStore::content_in_use(base::Time now) const {
  return database_->read([&](Connection& connection) -> Result<std::set<std::string>> {
    std::set<std::string> used;
    // Whatever a document calls so is content; a field that comes later is found without a word here.
    for (const char* documents : {"SELECT document FROM models", "SELECT document FROM job_documents",
                                  "SELECT outcome FROM job_documents WHERE outcome IS NOT NULL"}) {
      Query hash = connection.query(
          fmt::format("SELECT DISTINCT found.value FROM ({}) AS rows, json_tree(rows.{}) AS found "
                      "WHERE found.key = 'sha256' AND found.value <> ''",
                      documents, std::string_view(documents).contains("outcome") ? "outcome" : "document"));
      while (hash.next()) used.insert(hash.text(0));
    }
    Query row = connection.query("SELECT id FROM datasets");
    while (row.next()) {
      SLIPWAY_ASSIGN(const Dataset dataset, read_dataset(connection, row.text(0)));
      if (dataset.content.sha256.empty()) continue;
      if (dataset.expires && *dataset.expires <= now) {
        Query taken = connection.query(
            "SELECT 1 FROM jobs WHERE dataset_id <> '' AND dataset_id = ? AND (state = 1 OR state >= 50)");
        if (!taken.with(dataset.id).next()) continue;
      }
      used.insert(dataset.content.sha256);
    }
    return used;
  });
}

}  // namespace slipway::hub::storage
