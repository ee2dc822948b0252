#pragma once

#include <concepts>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/clock.hpp"
#include "base/error.hpp"

/// The only code that knows SQLite's library. Private to hub/storage/sqlite.
namespace slipway::hub::storage {

/// One use of a prepared statement; afterwards it is ready for the next.
class Query {
 public:
  explicit Query(SQLite::Statement& statement) : statement_(statement) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds the parameters in order.
  template <typename... Values>
  Query& with(const Values&... values) {
    (bind(values), ...);
    return *this;
  }
  void bind(const std::string& text) { statement_.bind(++bound_, text); }
  void bind(base::Time time) { statement_.bind(++bound_, std::int64_t{time.time_since_epoch().count()}); }
  template <typename T>
    requires std::integral<T> || std::is_enum_v<T>
  void bind(T number) {
    statement_.bind(++bound_, static_cast<std::int64_t>(number));
  }
  template <typename T>
  void bind(const std::optional<T>& value) {
    if (value) {
      bind(*value);
    } else {
      statement_.bind(++bound_);
    }
  }

  /// Steps to the next row; false: there is none.
  [[nodiscard]] bool next() { return statement_.executeStep(); }
  /// Runs to the end and says how many rows changed.
  int run() { return statement_.exec(); }

  [[nodiscard]] std::string text(int column) const { return statement_.getColumn(column).getString(); }
  [[nodiscard]] std::int64_t number(int column) const { return statement_.getColumn(column).getInt64(); }
  [[nodiscard]] base::Time time(int column) const { return base::Time(std::chrono::microseconds(number(column))); }
  [[nodiscard]] std::optional<base::Time> optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
  }
  [[nodiscard]] bool is_null(int column) const { return statement_.getColumn(column).isNull(); }

 private:
  SQLite::Statement& statement_;
  int bound_ = 0;
};

/// One connection with its prepared statements.
/// @thread belongs to one thread at a time
class Connection {
 public:
  Connection(const std::string& file, int flags);
  [[nodiscard]] Query query(const std::string& sql);
  [[nodiscard]] SQLite::Database& database() { return database_; }
  [[nodiscard]] std::filesystem::path file() const { return database_.getFilename(); }

 private:
  SQLite::Database database_;
  std::map<std::string, std::unique_ptr<SQLite::Statement>> statements_;
};

/// @param file  of the database, whose file system is looked at when SQLite only says that writing failed
[[nodiscard]] base::Error error_of(const SQLite::Exception& exception, const std::filesystem::path& file);

/// A file with one writer at a time and any number of readers beside it (WAL). What the functions given to it throw
/// becomes an Error; they return Result.
/// @thread safe from any thread; a function given to one call must not call another
class Database {
 public:
  /// Opens or makes the file and brings its schema up to date. ":memory:" makes one that dies with the object.
  /// @error kFailedPrecondition: made by a newer version; kDataLoss: no database; kUnavailable: locked by another
  [[nodiscard]] static base::Result<std::unique_ptr<Database>> open(const std::filesystem::path& file);

  /// Runs `work(Connection&)` in a transaction that is durable when the call returns; an error rolls it back.
  template <typename Work>
  auto write(Work&& work) {
    return transact(Durability::kFull, std::forward<Work>(work));
  }

  /// The same, but a power cut may take it back until the next write(). For logs: no wait for the disk.
  template <typename Work>
  auto write_soon(Work&& work) {
    return transact(Durability::kNormal, std::forward<Work>(work));
  }

  /// Runs `work(Connection&)` on one consistent state.
  template <typename Work>
  auto read(Work&& work) const -> std::invoke_result_t<Work, Connection&> {
    if (in_memory_) {
      const std::lock_guard lock(write_mutex_);
      return guarded(*writer_, work);
    }
    auto reader = acquire_reader();
    if (!reader) return std::unexpected(reader.error());
    auto outcome = guarded(**reader, work);
    release_reader(std::move(*reader));
    return outcome;
  }

 private:
  /// SQLite's level `synchronous`.
  enum class Durability { kNormal, kFull };

  Database() = default;

  template <typename Work>
  static auto guarded(Connection& connection, Work& work) -> std::invoke_result_t<Work, Connection&> {
    try {
      // Nothing was written, so it ends without a commit.
      const SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::DEFERRED);
      return work(connection);
    } catch (const SQLite::Exception& exception) {
      return std::unexpected(error_of(exception, connection.file()));
    }
  }

  template <typename Work>
  auto transact(Durability durability, Work&& work) -> std::invoke_result_t<Work, Connection&> {
    const std::lock_guard lock(write_mutex_);
    try {
      set_durability(durability);
      SQLite::Transaction transaction(writer_->database(), SQLite::TransactionBehavior::IMMEDIATE);
      auto outcome = work(*writer_);
      if (outcome) transaction.commit();
      return outcome;
    } catch (const SQLite::Exception& exception) {
      return std::unexpected(error_of(exception, writer_->file()));
    }
  }

  /// One connection writes at both levels: another one would cost its caches and its copy of the schema.
  void set_durability(Durability durability);

  [[nodiscard]] base::Result<std::unique_ptr<Connection>> acquire_reader() const;
  void release_reader(std::unique_ptr<Connection> reader) const;

  std::string file_;
  bool in_memory_ = false;
  mutable std::mutex write_mutex_;
  std::unique_ptr<Connection> writer_;
  Durability durability_ = Durability::kFull;  ///< of the writer as it is set
  mutable std::mutex readers_mutex_;
  mutable std::vector<std::unique_ptr<Connection>> idle_readers_;
};

}  // namespace slipway::hub::storage
