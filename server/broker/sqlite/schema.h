// SPDX-License-Identifier: Apache-2.0
// The tables of the file. Each row is its keys, the millisecond at which it ends, and a sealed body. `channel.ends` is
// never before the end of anything that belongs to the channel.
#pragma once

#include <cstdint>

namespace fairlead::server::sqlite {

inline constexpr std::int64_t application_id = 0x466c7264;  // "Flrd"
inline constexpr std::int64_t schema_version = 1;

inline constexpr const char* schema = R"(
CREATE TABLE state(name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE channel(id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL UNIQUE, ends INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE publication(channel INTEGER NOT NULL, number INTEGER NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE(channel, number));
CREATE TABLE latest(channel INTEGER PRIMARY KEY, ends INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE answer(channel INTEGER NOT NULL, key BLOB NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(channel, key));
CREATE TABLE version(channel INTEGER NOT NULL, epoch BLOB NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(channel, epoch));
CREATE TABLE member(channel INTEGER NOT NULL, client BLOB NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(channel, client));
CREATE TABLE event(sequence INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE fact(section BLOB NOT NULL, key BLOB NOT NULL, ends INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(section, key));
CREATE INDEX channel_ends ON channel(ends);
CREATE INDEX publication_ends ON publication(ends);
CREATE INDEX latest_ends ON latest(ends);
CREATE INDEX answer_ends ON answer(ends);
CREATE INDEX version_ends ON version(ends);
CREATE INDEX member_ends ON member(ends);
CREATE INDEX fact_ends ON fact(ends);
)";

}  // namespace fairlead::server::sqlite
