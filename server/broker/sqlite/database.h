// SPDX-License-Identifier: Apache-2.0
// One connection to the file, and its prepared statements. The first thing that goes wrong sticks: until `take_fault`
// every further statement does nothing, so a unit of work is written down straight and asked about once, at its end.
#pragma once

#include "model/done.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace fairlead::server::sqlite {

class Database {
 public:
  enum class Access : std::uint8_t { read, write };
  [[nodiscard]] static Outcome<std::unique_ptr<Database>> open(const std::string& path, Access access);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  void execute(const char* sql);
  [[nodiscard]] std::int64_t number(const char* sql);  // of a query's only value
  [[nodiscard]] std::int64_t changes() const;          // rows, since it was opened
  [[nodiscard]] std::int64_t last_row() const;
  void rollback();  // goes on after a fault, which `fault` still tells

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }
  void fail(FaultKind kind, std::string sentence);

 private:
  friend class Query;
  explicit Database(sqlite3* handle) noexcept : handle_(handle) {}
  void fail_with(int code);
  [[nodiscard]] sqlite3_stmt* prepared(const char* sql);

  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;  // by literal
  bool failed_ = false;
  Fault fault_;
};

// One run of a statement, which must be a literal. Columns count from 0; views last until the next row.
class Query {
 public:
  Query(Database& database, const char* sql);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  Query& bind(std::int64_t number);
  Query& bind(std::string_view bytes);
  [[nodiscard]] bool row();
  void run() { (void)row(); }
  [[nodiscard]] std::int64_t integer(int column);
  [[nodiscard]] std::string_view bytes(int column);

 private:
  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

}  // namespace fairlead::server::sqlite
