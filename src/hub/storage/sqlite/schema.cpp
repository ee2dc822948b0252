#include "hub/storage/sqlite/schema.hpp"

#include <array>

#include "hub/storage/sqlite/database.hpp"

namespace slipway::hub::storage {
namespace {

// Numbered from 1. A step that was ever released is never changed; a new one is added.
//
// What is asked for has columns and indexes; the rest of a row is its document (hub/domain/document.hpp). Columns win
// over the document. Times are microseconds since 1970, ends of leases by the store's own clock. States and kinds are
// numbers that the domain gives; what is asked about a state lies beside it in a column of its own, so that no query
// knows such a number. Steps 1 and 3 do: a step changes rows that an older version wrote, by the numbers which that
// version gave, whatever the domain's table says by now.
constexpr std::array kSteps = {
    // 1: the first release
    R"sql(
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, role INTEGER NOT NULL, created INTEGER NOT NULL);

CREATE TABLE tokens (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE,
                     scope INTEGER NOT NULL, created INTEGER NOT NULL, last_used INTEGER, revoked INTEGER);

CREATE TABLE web_sessions (sha256 TEXT PRIMARY KEY, user_id TEXT NOT NULL, token_id TEXT NOT NULL,
                           expires INTEGER NOT NULL);
CREATE INDEX web_sessions_expiry ON web_sessions (expires);

-- available: 1 when jobs may take the content: inspected, or produced here.
CREATE TABLE models (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL, name TEXT NOT NULL,
                     producer TEXT NOT NULL, complete INTEGER NOT NULL, available INTEGER NOT NULL,
                     document TEXT NOT NULL);
CREATE INDEX models_of_owner ON models (owner_id, seq);
CREATE INDEX models_of_producer ON models (producer);

CREATE TABLE datasets (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL, name TEXT NOT NULL,
                       complete INTEGER NOT NULL, available INTEGER NOT NULL, document TEXT NOT NULL);
CREATE INDEX datasets_of_owner ON datasets (owner_id, seq);

CREATE TABLE uploads (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, subject_id TEXT NOT NULL,
                      size_bytes INTEGER NOT NULL, part_size_bytes INTEGER NOT NULL, part_count INTEGER NOT NULL,
                      etags TEXT NOT NULL, expires INTEGER NOT NULL);
CREATE INDEX uploads_of_subject ON uploads (subject_id, seq);
CREATE INDEX uploads_expiry ON uploads (expires);

CREATE TABLE jobs (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, owner_id TEXT NOT NULL,
                   name TEXT NOT NULL, model_id TEXT NOT NULL, dataset_id TEXT NOT NULL, needs TEXT NOT NULL,
                   ready INTEGER NOT NULL, state INTEGER NOT NULL, started INTEGER, completed INTEGER,
                   updated INTEGER NOT NULL, attempt INTEGER NOT NULL, agent_id TEXT NOT NULL,
                   lease_token TEXT NOT NULL, lease_until INTEGER);
CREATE INDEX jobs_queue ON jobs (kind, needs, seq) WHERE state = 1 AND ready = 1;
CREATE INDEX jobs_queued ON jobs (seq) WHERE state = 1 AND kind <> 100;
CREATE INDEX jobs_waiting_for_model ON jobs (model_id) WHERE state = 1 AND ready = 0;
CREATE INDEX jobs_waiting_for_dataset ON jobs (dataset_id) WHERE state = 1 AND ready = 0;
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state >= 50;
CREATE INDEX jobs_listed ON jobs (owner_id, kind, state, seq);
CREATE INDEX jobs_of_owner ON jobs (owner_id, seq, kind, state);

-- Apart from jobs so that scans of jobs stay small. layers: what lists leave out of the outcome.
CREATE TABLE job_documents (seq INTEGER PRIMARY KEY, document TEXT NOT NULL, outcome TEXT, layers TEXT);

-- total_bytes: of this piece and all before it.
CREATE TABLE job_logs (job_id TEXT NOT NULL, number INTEGER NOT NULL, total_bytes INTEGER NOT NULL, text TEXT NOT NULL,
                       PRIMARY KEY (job_id, number)) WITHOUT ROWID;
)sql",
    // 2: which jobs took a model or dataset, for its page
    R"sql(
CREATE INDEX jobs_of_model ON jobs (model_id, seq) WHERE model_id <> '';
CREATE INDEX jobs_of_dataset ON jobs (dataset_id, seq) WHERE dataset_id <> '';
)sql",
    // 3: what the domain's table of states says of a row's state
    R"sql(
ALTER TABLE jobs ADD COLUMN is_queued INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN is_running INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET is_queued = (state = 1), is_running = (state >= 50);
DROP INDEX jobs_queue;
DROP INDEX jobs_queued;
DROP INDEX jobs_waiting_for_model;
DROP INDEX jobs_waiting_for_dataset;
DROP INDEX jobs_running;
CREATE INDEX jobs_queue ON jobs (kind, needs, seq) WHERE is_queued = 1 AND ready = 1;
CREATE INDEX jobs_queued ON jobs (seq, kind) WHERE is_queued = 1;
CREATE INDEX jobs_waiting_for_model ON jobs (model_id) WHERE is_queued = 1 AND ready = 0;
CREATE INDEX jobs_waiting_for_dataset ON jobs (dataset_id) WHERE is_queued = 1 AND ready = 0;
CREATE INDEX jobs_running ON jobs (lease_until) WHERE is_running = 1;
)sql",
    // 4: the models and datasets that a job takes, of models as many as its kind allows
    R"sql(
CREATE TABLE job_inputs (seq INTEGER NOT NULL, input_id TEXT NOT NULL, PRIMARY KEY (seq, input_id)) WITHOUT ROWID;
CREATE INDEX jobs_that_take ON job_inputs (input_id, seq);
INSERT INTO job_inputs SELECT seq, model_id FROM jobs WHERE model_id <> '';
INSERT OR IGNORE INTO job_inputs SELECT seq, dataset_id FROM jobs WHERE dataset_id <> '';
DROP INDEX jobs_waiting_for_model;
DROP INDEX jobs_waiting_for_dataset;
DROP INDEX jobs_of_model;
DROP INDEX jobs_of_dataset;
ALTER TABLE jobs DROP COLUMN model_id;
ALTER TABLE jobs DROP COLUMN dataset_id;
CREATE INDEX jobs_waiting ON jobs (seq) WHERE is_queued = 1 AND ready = 0;
)sql",
};

}  // namespace

base::Result<void> bring_up_to_date(Connection& connection) {
  SQLite::Database& database = connection.database();
  database.exec("CREATE TABLE IF NOT EXISTS schema_steps (number INTEGER PRIMARY KEY)");
  const auto done =
      static_cast<std::size_t>(database.execAndGet("SELECT COALESCE(MAX(number), 0) FROM schema_steps").getInt64());
  if (done > kSteps.size()) {
    return base::fail(
        base::Code::kFailedPrecondition,
        "the database was written by a newer version (schema {}, this program knows {}); use that version", done,
        kSteps.size());
  }
  for (std::size_t number = done + 1; number <= kSteps.size(); ++number) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    // Another process may have run the step since we looked. The question ends before the step begins: one that is
    // under way would lock the tables that the step changes.
    SQLite::Statement known(database, "SELECT COUNT(*) FROM schema_steps WHERE number = ?");
    known.bind(1, static_cast<std::int64_t>(number));
    const bool is_done = known.executeStep() && known.getColumn(0).getInt64() > 0;
    known.reset();
    if (is_done) continue;
    database.exec(kSteps[number - 1]);
    SQLite::Statement note(database, "INSERT INTO schema_steps VALUES (?)");
    note.bind(1, static_cast<std::int64_t>(number));
    note.exec();
    transaction.commit();
  }
  return {};
}

}  // namespace slipway::hub::storage
