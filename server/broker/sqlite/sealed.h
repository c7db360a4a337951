// SPDX-License-Identifier: Apache-2.0
// Rows that know whether they are still what was written. SQLite does not notice a flipped bit in a value, so each
// row's fields are packed into one body with a checksum over them, its table and its keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::server::sqlite {

class Sealer {
 public:
  explicit Sealer(std::string_view table);
  Sealer& key(std::uint64_t number);  // part of the checksum alone
  Sealer& key(std::string_view text);
  Sealer& add(std::uint64_t number);
  Sealer& add(std::string_view text);
  [[nodiscard]] std::string body() const;

 private:
  std::string keys_;
  std::string fields_;
};

class Unsealer {
 public:
  explicit Unsealer(std::string_view table);
  Unsealer& key(std::uint64_t number);
  Unsealer& key(std::string_view text);
  // Before any field is read. False: the row is not what was written.
  [[nodiscard]] bool open(std::string_view body);
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] std::string text();

 private:
  std::string keys_;
  std::string_view fields_;
};

}  // namespace fairlead::server::sqlite
