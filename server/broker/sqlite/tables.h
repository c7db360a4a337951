// SPDX-License-Identifier: Apache-2.0
// What an engine does, as reads and writes of the tables. One thread, inside a transaction that somebody else begins
// and commits. Whether all went well is asked of the database, once, at the end.
#pragma once

#include "broker/broker.h"
#include "broker/event_log.h"
#include "broker/sqlite/database.h"
#include "broker/sqlite/rows.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::server::sqlite {

class Tables {
 public:
  struct Published {
    PublishOutcome outcome;
    PublicationPtr publication;  // null: nothing is to be told
    PublicationPtr previous;
  };

  Tables(Database& database, std::size_t event_log_size) : database_(database), event_log_size_(event_log_size) {}

  // Writing; `now` and other times in Unix milliseconds.
  [[nodiscard]] Published publish(const std::string& name, Publication publication, const PublishOptions& options,
                                  WallTime now);
  [[nodiscard]] StreamPosition begin_stream(const std::string& name, const HistoryQuery& query, WallTime now);
  void remove_history(const std::string& name);
  void add_member(const std::string& name, const ClientInfo& info, std::int64_t ends, std::int64_t now);
  void remove_member(const std::string& name, const std::string& client);
  [[nodiscard]] std::uint64_t append_events(std::vector<LifecycleEvent> events);  // the last one's sequence
  [[nodiscard]] bool acknowledge_events(std::uint64_t sequence);
  void put_fact(std::string_view section, std::string_view key, std::string_view value, std::int64_t ends);
  void remove_fact(std::string_view section, std::string_view key);
  void set_number(std::string_view name, std::uint64_t number);
  void drop_expired(std::int64_t now);  // a slice of each table
  void renew_epochs();                  // all positions are lost, the publications with them

  // Reading.
  [[nodiscard]] std::optional<History> history(const std::string& name, const HistoryQuery& query,
                                               std::int64_t now);  // nothing: there is no stream
  [[nodiscard]] PublicationPtr latest(const std::string& name, std::int64_t now);
  [[nodiscard]] Presence members(const std::string& name, std::int64_t now);
  [[nodiscard]] LifecycleEvents read_events(std::uint64_t after, std::size_t limit);
  [[nodiscard]] std::map<std::string, std::string> facts(std::string_view section, std::int64_t now);
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name);
  void verify_all();  // every row's seal

  // After a rollback, and for a reader before each batch: the rows may have changed behind this object's back.
  void forget() { channels_.clear(); }

 private:
  [[nodiscard]] ChannelRow& channel(const std::string& name);
  void save(const std::string& name, ChannelRow& row);
  [[nodiscard]] bool stale(const ChannelRow& row, const PublishOptions& options, std::int64_t now);
  [[nodiscard]] std::optional<PublishOutcome> answer(const ChannelRow& row, const std::string& key, std::int64_t now);
  [[nodiscard]] PublicationPtr latest_of(const ChannelRow& row, std::int64_t now);
  [[nodiscard]] PublicationPtr newest_of(const ChannelRow& row, std::int64_t now);
  void keep(ChannelRow& row, const Publication& publication, const PublishOptions& options, WallTime now);
  void keep_latest(ChannelRow& row, const Publication& publication, const PublishOptions& options, WallTime now);
  void remember(ChannelRow& row, const PublishOptions& options, const PublishOutcome& outcome, WallTime now);
  void remember_version(ChannelRow& row, const PublishOptions& options, WallTime now);
  void begin_stream_if_ended(ChannelRow& row, std::int64_t now);
  void drop_channels(std::int64_t now);
  [[nodiscard]] LogState log_state();
  void save(const LogState& state);
  void damaged() { database_.fail(FaultKind::corrupt, "a stored row is damaged; restore the database from a copy"); }

  Database& database_;
  std::size_t event_log_size_;
  std::unordered_map<std::string, ChannelRow> channels_;  // as they are in the table
};

}  // namespace fairlead::server::sqlite
