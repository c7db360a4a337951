// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/sealed.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace fairlead::server::sqlite {

namespace {

constexpr std::size_t word = sizeof(std::uint64_t);

void append(std::string& to, std::uint64_t number) {
  for (std::size_t i = 0; i < word; ++i) to.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t number_at(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < std::min(word, bytes.size()); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return number;
}

void append(std::string& to, std::string_view text) {
  append(to, std::uint64_t{text.size()});
  to.append(text);
}

// Against accidents, not against attackers: every step is a bijection of the state, so one changed word always shows.
std::uint64_t mix(std::uint64_t state, std::string_view bytes) {
  state ^= bytes.size() * 0x9e3779b97f4a7c15u;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(word, bytes.size()))) {
    state = (state ^ number_at(bytes)) * 0xff51afd7ed558ccdu;
    state ^= state >> 32;
  }
  return state;
}

std::uint64_t checksum(std::string_view keys, std::string_view fields) { return mix(mix(1, keys), fields); }

}  // namespace

Sealer::Sealer(std::string_view table) { append(keys_, table); }

Sealer& Sealer::key(std::uint64_t number) {
  append(keys_, number);
  return *this;
}

Sealer& Sealer::key(std::string_view text) {
  append(keys_, text);
  return *this;
}

Sealer& Sealer::add(std::uint64_t number) {
  append(fields_, number);
  return *this;
}

Sealer& Sealer::add(std::string_view text) {
  append(fields_, text);
  return *this;
}

std::string Sealer::body() const {
  std::string body;
  body.reserve(word + fields_.size());
  append(body, checksum(keys_, fields_));
  return body += fields_;
}

Unsealer::Unsealer(std::string_view table) { append(keys_, table); }

Unsealer& Unsealer::key(std::uint64_t number) {
  append(keys_, number);
  return *this;
}

Unsealer& Unsealer::key(std::string_view text) {
  append(keys_, text);
  return *this;
}

bool Unsealer::open(std::string_view body) {
  if (body.size() < word) return false;
  fields_ = body.substr(word);
  return number_at(body) == checksum(keys_, fields_);
}

std::uint64_t Unsealer::number() {
  const std::uint64_t number = number_at(fields_);
  fields_.remove_prefix(std::min(word, fields_.size()));
  return number;
}

std::string Unsealer::text() {
  const std::size_t size = std::min<std::size_t>(number(), fields_.size());
  std::string text(fields_.substr(0, size));
  fields_.remove_prefix(size);
  return text;
}

}  // namespace fairlead::server::sqlite
