#include "hub/storage/sqlite/database.hpp"

#include <sqlite3.h>

#include "base/files.hpp"
#include "hub/storage/sqlite/schema.hpp"

namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Reason;
using base::Result;

// Another process (a backup, somebody who looks into the file) may hold the lock for a moment.
constexpr int kBusyTimeoutMs = 5000;
constexpr std::size_t kMostIdleReaders = 8;

}  // namespace

Query::~Query() {
  statement_.tryReset();
  try {
    statement_.clearBindings();
  } catch (const SQLite::Exception&) {
    // The next use binds every parameter anew.
  }
}

Connection::Connection(const std::string& file, int flags) : database_(file, flags, kBusyTimeoutMs) {}

Query Connection::query(const std::string& sql) {
  auto& statement = statements_[sql];
  if (!statement) statement = std::make_unique<SQLite::Statement>(database_, sql);
  return Query(*statement);
}

base::Error error_of(const SQLite::Exception& exception, const std::filesystem::path& file) {
  Code code = Code::kInternal;
  Reason reason = Reason::kNone;
  switch (exception.getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = Code::kUnavailable;
      break;
    case SQLITE_FULL:
      reason = Reason::kOutOfDisk;
      break;
    case SQLITE_NOMEM:
      reason = Reason::kOutOfMemory;
      break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      reason = base::obstacle_to_writing(file);
      break;
    case SQLITE_TOOBIG:
      code = Code::kResourceExhausted;
      break;
    case SQLITE_CONSTRAINT:
      code = Code::kAlreadyExists;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      code = Code::kDataLoss;
      break;
    case SQLITE_READONLY:
      reason = Reason::kReadOnly;
      break;
    case SQLITE_PERM:
      code = Code::kPermissionDenied;
      break;
    default:
      break;
  }
  if (reason != Reason::kNone) code = base::code_of(reason);
  return base::Error{code, fmt::format("database: {}", exception.what()), reason};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
  std::unique_ptr<Database> made(new Database);
  made->file_ = file.string();
  made->in_memory_ = made->file_ == ":memory:";
  constexpr int kSqliteNoMutex = SQLITE_OPEN_NOMUTEX;
  const int flags = SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | kSqliteNoMutex;
  try {
    made->writer_ = std::make_unique<Connection>(made->file_, flags);
    auto& writer = made->writer_->database();
    if (!made->in_memory_) {
      writer.exec("PRAGMA journal_mode=WAL");
      writer.exec("PRAGMA synchronous=FULL");
    }
    SLIPWAY_TRY(bring_up_to_date(*made->writer_));
  } catch (const SQLite::Exception& exception) {
    return std::unexpected(error_of(exception, file).with(made->file_));
  }
  return made;
}

void Database::set_durability(Durability durability) {
  if (in_memory_ || durability == durability_) return;
  writer_->database().exec(durability == Durability::kFull ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  durability_ = durability;
}

Result<std::unique_ptr<Connection>> Database::acquire_reader() const {
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  try {
    auto reader = std::make_unique<Connection>(file_, SQLite::OPEN_READWRITE | SQLITE_OPEN_NOMUTEX);
    reader->database().exec("PRAGMA query_only=1");
    return reader;
  } catch (const SQLite::Exception& exception) {
    return std::unexpected(error_of(exception, file_));
  }
}

void Database::release_reader(std::unique_ptr<Connection> reader) const {
  const std::lock_guard lock(readers_mutex_);
  if (idle_readers_.size() < kMostIdleReaders) idle_readers_.push_back(std::move(reader));
}

}  // namespace slipway::hub::storage
