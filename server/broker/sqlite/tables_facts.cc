// SPDX-License-Identifier: Apache-2.0
// The tables that belong to no channel, and what is done to all of them.
#include "broker/epoch.h"
#include "broker/sqlite/tables.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::server::sqlite {

namespace {

constexpr std::int64_t slice_rows = 500;     // dropped per table and call
constexpr std::int64_t slice_channels = 50;  // each with all that is left of it

std::int64_t signed_number(std::uint64_t number) { return static_cast<std::int64_t>(number); }

}  // namespace

LogState Tables::log_state() {
  Query query(database_, "SELECT body FROM state WHERE name = 'log'");
  if (!query.row()) return {};
  const auto state = open_log(query.bytes(0));
  if (!state) damaged();
  return state.value_or(LogState{});
}

void Tables::save(const LogState& state) {
  Query(database_, "INSERT OR REPLACE INTO state(name, body) VALUES('log', ?)").bind(seal(state)).run();
}

std::uint64_t Tables::append_events(std::vector<LifecycleEvent> events) {
  LogState state = log_state();
  for (LifecycleEvent& event : events) {
    event.sequence = ++state.newest;
    Query(database_, "INSERT INTO event(sequence, body) VALUES(?, ?)")
        .bind(signed_number(event.sequence))
        .bind(seal(event))
        .run();
  }
  if (state.newest >= state.first + event_log_size_) {
    state.first = state.newest - event_log_size_ + 1;
    Query(database_, "DELETE FROM event WHERE sequence < ?").bind(signed_number(state.first)).run();
  }
  save(state);
  return state.newest;
}

bool Tables::acknowledge_events(std::uint64_t sequence) {
  LogState state = log_state();
  if (sequence < state.acknowledged || sequence > state.newest) return false;
  state.acknowledged = sequence;
  state.first = std::max(state.first, sequence + 1);
  Query(database_, "DELETE FROM event WHERE sequence <= ?").bind(signed_number(sequence)).run();
  save(state);
  return true;
}

LifecycleEvents Tables::read_events(std::uint64_t after, std::size_t limit) {
  const LogState state = log_state();
  LifecycleEvents found{.events = {}, .newest = state.newest, .acknowledged = state.acknowledged, .lost_before = 0};
  if (state.first > state.acknowledged + 1) found.lost_before = state.first;
  if (after >= state.newest) return found;
  Query query(database_, "SELECT sequence, body FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?");
  query.bind(signed_number(after)).bind(signed_number(std::min<std::uint64_t>(limit, event_log_size_)));
  std::uint64_t expected = std::max(after + 1, state.first);
  while (query.row()) {
    auto event = open_event(query.bytes(1), static_cast<std::uint64_t>(query.integer(0)));
    if (!event || event->sequence != expected++) damaged();
    if (database_.failed()) break;
    found.events.push_back(std::move(*event));
  }
  return found;
}

void Tables::put_fact(std::string_view section, std::string_view key, std::string_view value, std::int64_t ends) {
  Query(database_, "INSERT OR REPLACE INTO fact(section, key, ends, body) VALUES(?, ?, ?, ?)")
      .bind(section)
      .bind(key)
      .bind(ends)
      .bind(seal_fact(value, section, key, ends))
      .run();
}

void Tables::remove_fact(std::string_view section, std::string_view key) {
  Query(database_, "DELETE FROM fact WHERE section = ? AND key = ?").bind(section).bind(key).run();
}

std::map<std::string, std::string> Tables::facts(std::string_view section, std::int64_t now) {
  std::map<std::string, std::string> found;
  Query query(database_, "SELECT key, ends, body FROM fact WHERE section = ? AND ends > ?");
  query.bind(section).bind(now);
  while (query.row()) {
    auto value = open_fact(query.bytes(2), section, query.bytes(0), query.integer(1));
    if (!value) damaged();
    if (value) found.insert_or_assign(std::string(query.bytes(0)), std::move(*value));
  }
  return found;
}

void Tables::set_number(std::string_view name, std::uint64_t number) {
  Query(database_, "INSERT OR REPLACE INTO state(name, body) VALUES(CAST(? AS TEXT), ?)")
      .bind(name)
      .bind(seal_number(number, name))
      .run();
}

std::optional<std::uint64_t> Tables::number(std::string_view name) {
  Query query(database_, "SELECT body FROM state WHERE name = CAST(? AS TEXT)");
  if (!query.bind(name).row()) return std::nullopt;
  const auto number = open_number(query.bytes(0), name);
  if (!number) damaged();
  return number;
}

void Tables::drop_expired(std::int64_t now) {
  static constexpr std::array statements = {
      "DELETE FROM publication WHERE rowid IN (SELECT rowid FROM publication WHERE ends <= ? LIMIT ?)",
      "DELETE FROM answer WHERE rowid IN (SELECT rowid FROM answer WHERE ends <= ? LIMIT ?)",
      "DELETE FROM version WHERE rowid IN (SELECT rowid FROM version WHERE ends <= ? LIMIT ?)",
      "DELETE FROM member WHERE rowid IN (SELECT rowid FROM member WHERE ends <= ? LIMIT ?)",
      "DELETE FROM fact WHERE rowid IN (SELECT rowid FROM fact WHERE ends <= ? LIMIT ?)"};
  for (const char* statement : statements) Query(database_, statement).bind(now).bind(slice_rows).run();
  drop_channels(now);
}

void Tables::drop_channels(std::int64_t now) {
  static constexpr std::array statements = {
      "DELETE FROM publication WHERE channel IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)",
      "DELETE FROM latest WHERE channel IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)",
      "DELETE FROM answer WHERE channel IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)",
      "DELETE FROM version WHERE channel IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)",
      "DELETE FROM member WHERE channel IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)",
      "DELETE FROM channel WHERE id IN (SELECT id FROM channel WHERE ends <= ? ORDER BY ends, id LIMIT ?)"};
  const std::int64_t before = database_.changes();
  for (const char* statement : statements) Query(database_, statement).bind(now).bind(slice_channels).run();
  if (database_.changes() != before) forget();
}

void Tables::renew_epochs() {
  database_.execute("DELETE FROM publication");
  database_.execute("DELETE FROM latest");
  std::map<std::int64_t, std::pair<std::string, ChannelRow>> rows;
  Query query(database_, "SELECT id, ends, body, name FROM channel");
  while (query.row()) {
    const std::string name(query.bytes(3));
    auto row = open_channel(query.bytes(2), name);
    if (!row) return damaged();
    row->id = query.integer(0);
    row->ends = query.integer(1);
    rows.emplace(row->id, std::pair(name, std::move(*row)));
  }
  for (auto& [id, named] : rows) {
    ChannelRow& row = named.second;
    if (!row.epoch.empty()) row.epoch = new_epoch();
    row.top = 0;
    row.history_ends = 0;
    row.has_latest = false;
    save(named.first, row);
  }
  forget();
}

void Tables::verify_all() {
  const auto each = [this](const char* sql, auto sound) {
    Query query(database_, sql);
    while (query.row()) {
      if (!sound(query)) return damaged();
    }
  };
  each("SELECT name, body FROM channel", [](Query& row) { return open_channel(row.bytes(1), row.bytes(0)); });
  each("SELECT channel, number, body FROM publication", [](Query& row) {
    return open_publication(row.bytes(2), "publication", row.integer(0), static_cast<std::uint64_t>(row.integer(1)));
  });
  each("SELECT channel, body FROM latest",
       [](Query& row) { return open_publication(row.bytes(1), "latest", row.integer(0), 0); });
  each("SELECT channel, key, ends, body FROM answer",
       [](Query& row) { return open_answer(row.bytes(3), row.integer(0), row.bytes(1), row.integer(2)); });
  each("SELECT channel, epoch, ends, body FROM version",
       [](Query& row) { return open_version(row.bytes(3), row.integer(0), row.bytes(1), row.integer(2)); });
  each("SELECT channel, client, ends, body FROM member",
       [](Query& row) { return open_member(row.bytes(3), row.integer(0), row.bytes(1), row.integer(2)); });
  each("SELECT section, key, ends, body FROM fact",
       [](Query& row) { return open_fact(row.bytes(3), row.bytes(0), row.bytes(1), row.integer(2)); });
  each("SELECT sequence, body FROM event",
       [](Query& row) { return open_event(row.bytes(1), static_cast<std::uint64_t>(row.integer(0))); });
  (void)log_state();
}

}  // namespace fairlead::server::sqlite
