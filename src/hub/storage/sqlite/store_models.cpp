#include <limits>

#include "hub/domain/job_state.hpp"
#include "hub/storage/sqlite/rows.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// Models, datasets and uploads.
namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

std::string joined(const std::vector<std::string>& etags) {
  return fmt::format("{}", fmt::join(etags, "\n"));
}

std::vector<std::string> separated(std::string_view text) {
  std::vector<std::string> etags;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    etags.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return etags;
}

constexpr const char* kUploadColumns =
    "SELECT id, subject_id, size_bytes, part_size_bytes, part_count, etags, expires FROM uploads ";

Upload upload_of(const Query& row) {
  return Upload{.id = row.text(0),
                .subject_id = row.text(1),
                .size_bytes = static_cast<std::uint64_t>(row.number(2)),
                .part_size_bytes = static_cast<std::uint64_t>(row.number(3)),
                .part_count = static_cast<std::uint32_t>(row.number(4)),
                .etags = separated(row.text(5)),
                .expires = row.time(6)};
}

Result<std::vector<Upload>> read_uploads(Query& row) {
  std::vector<Upload> uploads;
  while (row.next()) uploads.push_back(upload_of(row));
  return uploads;
}

template <typename Entry>
Result<void> complete_upload(Connection& connection, const char* table, const Entry& entry, const Job& inspection) {
  Query known = connection.query(fmt::format("SELECT complete FROM {} WHERE id = ?", table));
  if (!known.with(entry.id).next()) return base::fail(Code::kNotFound, "no entry {}", entry.id);
  if (known.number(0) != 0) return base::fail(Code::kAborted, "{} has its file already", entry.id);
  if constexpr (std::is_same_v<Entry, Model>) {
    SLIPWAY_TRY(update_model_row(connection, entry));
  } else {
    SLIPWAY_TRY(update_dataset_row(connection, entry));
  }
  insert_job_row(connection, inspection);
  return {};
}

}  // namespace

Result<void> SqliteStore::insert_model(const Model& model) {
  return database_->write([&](Connection& connection) { return insert_model_row(connection, model); });
}

Result<Model> SqliteStore::model(const std::string& id) const {
  return database_->read([&](Connection& connection) { return read_model(connection, id); });
}

Result<void> SqliteStore::rename_model(const std::string& id, const std::string& name) {
  return database_->write([&](Connection& connection) -> Result<void> {
    if (connection.query("UPDATE models SET name = ? WHERE id = ?").with(name, id).run() > 0) return {};
    return base::fail(Code::kNotFound, "no model {}", id);
  });
}

Result<Listed<Model>> SqliteStore::models(const std::string& owner_id, const std::string& producer, Page page) const {
  return database_->read([&](Connection& connection) -> Result<Listed<Model>> {
    Listed<Model> listed;
    std::string where = "WHERE 1 ";
    if (!owner_id.empty()) where += "AND owner_id = ? ";
    if (!producer.empty()) where += "AND producer = ? ";
    const auto bind = [&](Query& query) -> Query& {
      if (!owner_id.empty()) query.bind(owner_id);
      if (!producer.empty()) query.bind(producer);
      return query;
    };
    Query count = connection.query("SELECT COUNT(*) FROM models " + where);
    if (bind(count).next()) listed.total = static_cast<std::uint64_t>(count.number(0));
    Query row = connection.query("SELECT id FROM models " + where + "ORDER BY seq DESC LIMIT ? OFFSET ?");
    bind(row).with(page.limit, page.offset);
    while (row.next()) {
      SLIPWAY_ASSIGN(Model model, read_model(connection, row.text(0)));
      listed.items.push_back(std::move(model));
    }
    return listed;
  });
}

Result<void> SqliteStore::insert_dataset(const Dataset& dataset) {
  return database_->write([&](Connection& connection) { return insert_dataset_row(connection, dataset); });
}

Result<Dataset> SqliteStore::dataset(const std::string& id) const {
  return database_->read([&](Connection& connection) { return read_dataset(connection, id); });
}

Result<Listed<Dataset>> SqliteStore::datasets(const std::string& owner_id, Page page) const {
  return database_->read([&](Connection& connection) -> Result<Listed<Dataset>> {
    Listed<Dataset> listed;
    const std::string where = owner_id.empty() ? "" : "WHERE owner_id = ? ";
    Query count = connection.query("SELECT COUNT(*) FROM datasets " + where);
    if (!owner_id.empty()) count.bind(owner_id);
    if (count.next()) listed.total = static_cast<std::uint64_t>(count.number(0));
    Query row = connection.query("SELECT id FROM datasets " + where + "ORDER BY seq DESC LIMIT ? OFFSET ?");
    if (!owner_id.empty()) row.bind(owner_id);
    row.with(page.limit, page.offset);
    while (row.next()) {
      SLIPWAY_ASSIGN(Dataset dataset, read_dataset(connection, row.text(0)));
      listed.items.push_back(std::move(dataset));
    }
    return listed;
  });
}

Result<void> SqliteStore::insert_upload(const Upload& upload) {
  return database_->write([&](Connection& connection) -> Result<void> {
    connection
        .query(
            "INSERT INTO uploads (id, subject_id, size_bytes, part_size_bytes, part_count, etags, expires) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)")
        .with(upload.id, upload.subject_id, upload.size_bytes, upload.part_size_bytes, upload.part_count,
              joined(upload.etags), upload.expires)
        .run();
    return {};
  });
}

Result<Upload> SqliteStore::upload(const std::string& id) const {
  return database_->read([&](Connection& connection) -> Result<Upload> {
    Query row = connection.query(std::string(kUploadColumns) + "WHERE id = ?");
    if (!row.with(id).next()) return base::fail(Code::kNotFound, "no upload {}", id);
    return upload_of(row);
  });
}

Result<void> SqliteStore::update_upload(const Upload& upload) {
  return database_->write([&](Connection& connection) -> Result<void> {
    const int changed = connection
                            .query(
                                "UPDATE uploads SET size_bytes = ?, part_size_bytes = ?, part_count = ?, etags = ?, "
                                "expires = ? WHERE id = ?")
                            .with(upload.size_bytes, upload.part_size_bytes, upload.part_count, joined(upload.etags),
                                  upload.expires, upload.id)
                            .run();
    if (changed == 0) return base::fail(Code::kNotFound, "no upload {}", upload.id);
    return {};
  });
}

void SqliteStore::remove_upload(const std::string& id) {
  // A row that stays is found again as expired.
  static_cast<void>(database_->write_soon([&](Connection& connection) -> Result<void> {
    connection.query("DELETE FROM uploads WHERE id = ?").with(id).run();
    return {};
  }));
}

Result<std::vector<Upload>> SqliteStore::uploads_of(const std::string& subject_id) const {
  return database_->read([&](Connection& connection) {
    Query row = connection.query(std::string(kUploadColumns) + "WHERE subject_id = ? ORDER BY seq DESC");
    return read_uploads(row.with(subject_id));
  });
}

Result<std::vector<Upload>> SqliteStore::expired_uploads(base::Time now) const {
  return database_->read([&](Connection& connection) {
    Query row = connection.query(std::string(kUploadColumns) + "WHERE expires <= ?");
    return read_uploads(row.with(now));
  });
}

Result<void> SqliteStore::complete_model_upload(const Model& model, const Job& inspection) {
  return database_->write(
      [&](Connection& connection) { return complete_upload(connection, "models", model, inspection); });
}

Result<void> SqliteStore::complete_dataset_upload(const Dataset& dataset, const Job& inspection) {
  return database_->write(
      [&](Connection& connection) { return complete_upload(connection, "datasets", dataset, inspection); });
}

}  // namespace slipway::hub::storage
