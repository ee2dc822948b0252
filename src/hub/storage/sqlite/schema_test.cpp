#include "hub/storage/sqlite/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/manual_clock.hpp"
#include "hub/domain/job_state.hpp"
#include "hub/storage/sqlite/database.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using ::testing::HasSubstr;

class Schema : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "hub.sqlite"; }
  void execute(const std::string& sql) const {
    SQLite::Database(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
  }
  [[nodiscard]] std::string plan_of(const std::string& sql) const {
    SQLite::Database database(file().string(), SQLite::OPEN_READWRITE);
    SQLite::Statement steps(database, "EXPLAIN QUERY PLAN " + sql);
    std::string plan;
    while (steps.executeStep()) plan += steps.getColumn(3).getString() + "\n";
    return plan;
  }

  base::testing::ManualClock clock_;

 private:
  base::TemporaryFolder folder_ = base::TemporaryFolder::create("slipway-schema").value();
};

TEST_F(Schema, runs_each_step_once) {
  ASSERT_TRUE(Database::open(file()));
  execute("INSERT INTO users VALUES ('u1', 'a@b', 0, 0)");
  const auto store = SqliteStore::open(file(), clock_);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->user("u1")->email, "a@b");
}

TEST_F(Schema, of_a_newer_version_is_refused_and_left_alone) {
  ASSERT_TRUE(Database::open(file()));
  execute("INSERT INTO schema_steps VALUES (99)");
  const auto store = SqliteStore::open(file(), clock_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(store.error().message, HasSubstr("newer version (schema 99"));
}

// A crash within a step: SQLite takes back what was not committed, and the step runs whole at the next start.
TEST_F(Schema, that_broke_off_within_a_step_is_completed) {
  execute("CREATE TABLE schema_steps (number INTEGER PRIMARY KEY)");
  const auto store = SqliteStore::open(file(), clock_);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->user("u1").error().code, Code::kNotFound);
}

TEST_F(Schema, of_a_foreign_database_is_refused) {
  execute("CREATE TABLE users (something TEXT)");
  const auto store = SqliteStore::open(file(), clock_);
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, HasSubstr("users already exists"));
}

TEST_F(Schema, refuses_what_is_no_database) {
  ASSERT_TRUE(base::write_file_durably(file(), std::string(5000, 'x')));
  EXPECT_EQ(SqliteStore::open(file(), clock_).error().code, Code::kDataLoss);
  EXPECT_FALSE(SqliteStore::open("/no/such/folder/hub.sqlite", clock_));
}

// Rows of the second version say of their state only its number.
TEST_F(Schema, tells_of_older_rows_whether_they_wait_or_run) {
  ASSERT_TRUE(Database::open(file()));
  execute("DELETE FROM schema_steps WHERE number > 2");
  execute(
      "ALTER TABLE jobs ADD COLUMN model_id TEXT NOT NULL DEFAULT ''; ALTER TABLE jobs ADD COLUMN dataset_id TEXT NOT "
      "NULL DEFAULT ''; DROP INDEX jobs_waiting; DROP TABLE job_inputs");
  for (const char* index : {"waiting_for_model", "waiting_for_dataset", "of_model", "of_dataset"}) {
    execute(fmt::format("CREATE INDEX jobs_{0} ON jobs (seq)", index));
  }
  for (const char* index : {"queue", "queued", "running"}) {
    execute(fmt::format("DROP INDEX jobs_{0}; CREATE INDEX jobs_{0} ON jobs (seq)", index));
  }
  execute("ALTER TABLE jobs DROP COLUMN is_queued; ALTER TABLE jobs DROP COLUMN is_running");
  for (const auto state : domain::all_states()) {
    execute(
        fmt::format("INSERT INTO jobs (id, kind, owner_id, name, needs, ready, state, updated, "
                    "attempt, agent_id, lease_token) VALUES ('j{0}', 3, '', '', '', 1, {0}, 0, 1, '', '')",
                    static_cast<int>(state)));
  }
  ASSERT_TRUE(SqliteStore::open(file(), clock_));
  SQLite::Database database(file().string(), SQLite::OPEN_READONLY);
  SQLite::Statement rows(database, "SELECT state, is_queued, is_running FROM jobs");
  std::size_t count = 0;
  for (; rows.executeStep(); ++count) {
    const auto state = static_cast<domain::JobState>(rows.getColumn(0).getInt());
    EXPECT_EQ(rows.getColumn(1).getInt() != 0, domain::is_queued(state)) << domain::state_name(state);
    if (!domain::is_running(state) && static_cast<int>(state) >= 50) continue;  // no job of this hub is ever in it
    EXPECT_EQ(rows.getColumn(2).getInt() != 0, domain::is_running(state)) << domain::state_name(state);
  }
  EXPECT_EQ(count, domain::all_states().size());
}

TEST_F(Schema, a_row_in_a_state_that_no_kind_has_is_refused_in_words) {
  const auto store = SqliteStore::open(file(), clock_).value();
  domain::Job job;
  job.id = "j1";
  job.payload = domain::kinds::Compile{};
  ASSERT_TRUE(store->insert_job(job, std::nullopt));
  ASSERT_TRUE(store->job("j1"));
  execute("UPDATE jobs SET state = 77");
  const auto broken = store->job("j1");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::kDataLoss);
  EXPECT_THAT(broken.error().message, HasSubstr("the state 77"));
}

// What every poll, sweep and page asks must not read all jobs.
TEST_F(Schema, has_an_index_for_each_question_of_the_queue) {
  ASSERT_TRUE(Database::open(file()));
  struct Row {
    const char *sql, *index;
  };
  for (const Row& row :
       {Row{"SELECT seq FROM jobs WHERE is_queued = 1 AND ready = 1 AND kind = 3 AND needs = '' ORDER BY seq LIMIT 1",
            "jobs_queue (kind=? AND needs=?)"},
        Row{"SELECT 1 FROM jobs WHERE is_running = 1 AND (lease_until <= 5 OR lease_until IS NULL)", "jobs_running"},
        Row{"SELECT id FROM jobs WHERE is_running = 1 AND agent_id = 'a' AND lease_token <> ''", "jobs_running"},
        Row{"UPDATE jobs SET ready = 1 WHERE is_queued = 1 AND ready = 0 AND "
            "seq IN (SELECT seq FROM job_inputs WHERE input_id = 'm')",
            "jobs_that_take"},
        Row{"SELECT COUNT(*) FROM jobs WHERE is_queued = 1 AND kind IN (SELECT value FROM json_each(?)) AND seq < 5",
            "jobs_queued"},
        Row{"SELECT COUNT(*) FROM jobs WHERE owner_id = 'u' AND kind IN (2, 3)", "COVERING INDEX jobs_listed"},
        Row{"SELECT seq FROM jobs WHERE owner_id = 'u' AND state IN (30) ORDER BY seq DESC LIMIT 50",
            "COVERING INDEX jobs_of_owner"},
        Row{"SELECT seq FROM jobs WHERE kind IN (2, 3) AND "
            "seq IN (SELECT seq FROM job_inputs WHERE input_id = 'm') ORDER BY seq DESC",
            "jobs_that_take"},
        Row{"SELECT j.id FROM jobs j WHERE j.is_queued = 1 AND j.ready = 0 AND EXISTS (SELECT 1 FROM job_inputs i "
            "JOIN models m ON m.id = i.input_id JOIN jobs p ON p.id = m.producer WHERE i.seq = j.seq AND p.state = ?)",
            "SCAN j USING INDEX jobs_waiting"}}) {
    EXPECT_THAT(plan_of(row.sql), HasSubstr(row.index)) << row.sql;
  }
}

}  // namespace
}  // namespace slipway::hub::storage
