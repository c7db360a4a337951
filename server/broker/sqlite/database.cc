// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace fairlead::server::sqlite {

namespace {

constexpr int busy_timeout_ms = 5'000;  // a person with another tool in the same file

Fault fault_of(int code, sqlite3* handle) {
  const int error = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  if ((code & 0xff) == SQLITE_FULL || error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return {FaultKind::full, "the database has no more room (disk, quota or size limit)"};
  }
  // A write that failed for another reason than ENOSPC: SQLite does not keep which. Quotas and limits come this way.
  if (code == SQLITE_IOERR_WRITE) {
    return {FaultKind::full, "the disk takes no more (no room, a quota, a limit on the size of files, or it fails)"};
  }
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
      return {FaultKind::corrupt, "the database file is damaged; restore it from a copy or move it away"};
    case SQLITE_NOTADB:
      return {FaultKind::corrupt, "the file is no SQLite database, or its beginning is destroyed"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {FaultKind::unavailable, "another program holds a lock on the database"};
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return {FaultKind::unavailable, "the database cannot be opened for writing"};
    default:
      return {FaultKind::internal, std::string("the database answered: ") + sqlite3_errstr(code)};
  }
}

}  // namespace

Outcome<std::unique_ptr<Database>> Database::open(const std::string& path, Access access) {
  sqlite3* handle = nullptr;
  // Both may need to write the file's shared index; `query_only` below is what makes a reader a reader.
  const int code = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return std::unexpected(fault_of(code, handle));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  database->execute("PRAGMA trusted_schema = OFF");
  database->execute("PRAGMA cell_size_check = ON");
  if (access == Access::read) database->execute("PRAGMA query_only = ON");
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

void Database::execute(const char* sql) {
  if (failed_) return;
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with(code);
}

std::int64_t Database::number(const char* sql) {
  Query query(*this, sql);
  return query.row() ? query.integer(0) : 0;
}

std::int64_t Database::changes() const { return sqlite3_total_changes64(handle_); }
std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

void Database::rollback() {
  // Some faults have rolled back by themselves already.
  if (sqlite3_get_autocommit(handle_) == 0) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  failed_ = false;
}

void Database::fail(FaultKind kind, std::string sentence) {
  if (!failed_) fault_ = {kind, std::move(sentence)};
  failed_ = true;
}

void Database::fail_with(int code) {
  Fault fault = fault_of(code, handle_);
  fail(fault.kind, std::move(fault.sentence));
}

sqlite3_stmt* Database::prepared(const char* sql) {
  if (failed_) return nullptr;
  sqlite3_stmt*& statement = statements_[sql];
  if (statement != nullptr) return statement;
  const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail_with(code);
  return statement;
}

Query::Query(Database& database, const char* sql) : database_(database), statement_(database.prepared(sql)) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::int64_t number) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_, ++bound_, number);
  return *this;
}

Query& Query::bind(std::string_view bytes) {
  const char* data = bytes.data() != nullptr ? bytes.data() : "";  // a null pointer would be NULL
  if (statement_ != nullptr) sqlite3_bind_blob64(statement_, ++bound_, data, bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

bool Query::row() {
  if (statement_ == nullptr || database_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail_with(code);
  return code == SQLITE_ROW;
}

std::int64_t Query::integer(int column) { return sqlite3_column_int64(statement_, column); }

std::string_view Query::bytes(int column) {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

}  // namespace fairlead::server::sqlite
