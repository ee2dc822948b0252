#include "hub/storage/sqlite/database.hpp"
#include "hub/storage/sqlite/sqlite_store.hpp"

// Users, tokens and web sessions.
namespace slipway::hub::storage {
namespace {

using base::Code;
using base::Result;
using namespace domain;

constexpr const char* kUserColumns = "SELECT id, email, role, created FROM users WHERE ";
constexpr const char* kTokenColumns =
    "SELECT id, user_id, name, sha256, scope, created, last_used, revoked FROM tokens ";

Result<User> read_user(Connection& connection, const std::string& condition, const std::string& key) {
  Query row = connection.query(kUserColumns + condition);
  if (!row.with(key).next()) return base::fail(Code::kNotFound, "no user {}", key);
  return User{.id = row.text(0),
              .email = row.text(1),
              .role = row.number(2) == static_cast<int>(Role::kAdmin) ? Role::kAdmin : Role::kMember,
              .created = row.time(3)};
}

Token token_of(const Query& row) {
  return Token{.id = row.text(0),
               .user_id = row.text(1),
               .name = row.text(2),
               .sha256 = row.text(3),
               .scope = row.number(4) == static_cast<int>(Scope::kAgent) ? Scope::kAgent : Scope::kUser,
               .created = row.time(5),
               .last_used = row.optional_time(6),
               .revoked = row.optional_time(7)};
}

Result<Token> read_token(Connection& connection, const std::string& condition, const std::string& key) {
  Query row = connection.query(kTokenColumns + condition);
  if (!row.with(key).next()) return base::fail(Code::kNotFound, "no such token");
  return token_of(row);
}

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<Database> database, const base::Clock& clock)
    : database_(std::move(database)), lease_clock_(clock) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file, const base::Clock& clock) {
  SLIPWAY_ASSIGN(auto database, Database::open(file));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database), clock));
}

Result<void> SqliteStore::insert_user(const User& user) {
  return database_->write([&](Connection& connection) -> Result<void> {
    connection.query("INSERT INTO users VALUES (?, ?, ?, ?)").with(user.id, user.email, user.role, user.created).run();
    return {};
  });
}

Result<User> SqliteStore::user(const std::string& id) const {
  return database_->read([&](Connection& connection) { return read_user(connection, "id = ?", id); });
}

Result<User> SqliteStore::user_by_email(const std::string& email) const {
  return database_->read([&](Connection& connection) { return read_user(connection, "email = ?", email); });
}

Result<void> SqliteStore::insert_token(const Token& token) {
  return database_->write([&](Connection& connection) -> Result<void> {
    connection.query("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .with(token.id, token.user_id, token.name, token.sha256, token.scope, token.created, token.last_used,
              token.revoked)
        .run();
    return {};
  });
}

Result<std::vector<Token>> SqliteStore::tokens() const {
  return database_->read([](Connection& connection) -> Result<std::vector<Token>> {
    std::vector<Token> tokens;
    Query row = connection.query(std::string(kTokenColumns) + "ORDER BY created, id");
    while (row.next()) tokens.push_back(token_of(row));
    return tokens;
  });
}

Result<Token> SqliteStore::token_by_hash(const std::string& sha256) const {
  return database_->read([&](Connection& connection) { return read_token(connection, "WHERE sha256 = ?", sha256); });
}

Result<Token> SqliteStore::token(const std::string& id) const {
  return database_->read([&](Connection& connection) { return read_token(connection, "WHERE id = ?", id); });
}

Result<void> SqliteStore::touch_token(const std::string& id, base::Time last_used) {
  return database_->write_soon([&](Connection& connection) -> Result<void> {
    connection.query("UPDATE tokens SET last_used = ? WHERE id = ?").with(last_used, id).run();
    return {};
  });
}

Result<void> SqliteStore::revoke_token(const std::string& id, base::Time when) {
  return database_->write([&](Connection& connection) -> Result<void> {
    const int changed =
        connection.query("UPDATE tokens SET revoked = COALESCE(revoked, ?) WHERE id = ?").with(when, id).run();
    if (changed == 0) return base::fail(Code::kNotFound, "no token {}", id);
    connection.query("DELETE FROM web_sessions WHERE token_id = ?").with(id).run();
    return {};
  });
}

Result<void> SqliteStore::insert_web_session(const WebSession& session) {
  return database_->write([&](Connection& connection) -> Result<void> {
    connection.query("INSERT INTO web_sessions VALUES (?, ?, ?, ?)")
        .with(session.sha256, session.user_id, session.token_id, session.expires)
        .run();
    return {};
  });
}

Result<WebSession> SqliteStore::web_session(const std::string& sha256) const {
  return database_->read([&](Connection& connection) -> Result<WebSession> {
    Query row = connection.query("SELECT sha256, user_id, token_id, expires FROM web_sessions WHERE sha256 = ?");
    if (!row.with(sha256).next()) return base::fail(Code::kNotFound, "no such session");
    return WebSession{.sha256 = row.text(0), .user_id = row.text(1), .token_id = row.text(2), .expires = row.time(3)};
  });
}

void SqliteStore::remove_web_session(const std::string& sha256) {
  static_cast<void>(database_->write([&](Connection& connection) -> Result<void> {
    connection.query("DELETE FROM web_sessions WHERE sha256 = ?").with(sha256).run();
    return {};
  }));
}

void SqliteStore::remove_web_sessions_before(base::Time now) {
  static_cast<void>(database_->write_soon([&](Connection& connection) -> Result<void> {
    connection.query("DELETE FROM web_sessions WHERE expires <= ?").with(now).run();
    return {};
  }));
}

}  // namespace slipway::hub::storage
