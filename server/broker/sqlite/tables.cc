// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/tables.h"

#include "broker/clock.h"
#include "broker/epoch.h"
#include "broker/limits.h"
#include "broker/options.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace fairlead::server::sqlite {

namespace {

constexpr std::size_t remembered_channels = 10'000;
// Added to a channel's end when members prolong it, so that their renewals do not write its row each time.
constexpr std::int64_t channel_slack_ms = 600'000;

// SQLite's integers are signed; offsets do not get this far.
std::int64_t row_number(std::uint64_t number) {
  return static_cast<std::int64_t>(
      std::min(number, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
}

std::int64_t ends_after(WallTime now, std::chrono::milliseconds ttl) { return unix_ms(expiry(now, ttl)); }

}  // namespace

ChannelRow& Tables::channel(const std::string& name) {
  if (const auto known = channels_.find(name); known != channels_.end()) return known->second;
  if (channels_.size() >= remembered_channels) channels_.clear();
  ChannelRow row;
  Query query(database_, "SELECT id, ends, body FROM channel WHERE name = ?");
  if (query.bind(name).row()) {
    auto found = open_channel(query.bytes(2), name);
    if (!found) damaged();
    row = std::move(found).value_or(ChannelRow{});
    row.id = query.integer(0);
    row.ends = query.integer(1);
  }
  return channels_.insert_or_assign(name, std::move(row)).first->second;
}

void Tables::save(const std::string& name, ChannelRow& row) {
  if (row.id != 0) {
    Query(database_, "UPDATE channel SET ends = ?, body = ? WHERE id = ?")
        .bind(row.ends)
        .bind(seal(row, name))
        .bind(row.id)
        .run();
    return;
  }
  Query(database_, "INSERT INTO channel(name, ends, body) VALUES(?, ?, ?)")
      .bind(name)
      .bind(row.ends)
      .bind(seal(row, name))
      .run();
  row.id = database_.last_row();
}

Tables::Published Tables::publish(const std::string& name, Publication publication, const PublishOptions& options,
                                  WallTime now) {
  const std::int64_t now_ms = unix_ms(now);
  ChannelRow& row = channel(name);
  if (!options.idempotency_key.empty()) {
    if (auto known = answer(row, options.idempotency_key, now_ms)) {
      known->repeated = true;
      return {std::move(*known), nullptr, nullptr};
    }
  }
  if (row.id == 0) save(name, row);  // for its id
  Published result;
  if (stale(row, options, now_ms)) {
    result.outcome.stale = true;
    if (!row.epoch.empty() && row.position_ends > now_ms) result.outcome.position = {row.top, row.epoch};
    remember(row, options, result.outcome, now);
    save(name, row);
    return result;
  }
  if (options.want_previous) result.previous = latest_of(row, now_ms);
  if (has_history(options)) {
    begin_stream_if_ended(row, now_ms);
    row.position_ends = ends_after(now, position_ttl(options.history_ttl, options.history_meta_ttl));
    row.ends = std::max(row.ends, row.position_ends);
    result.outcome.position = {++row.top, row.epoch};
  }
  publication.offset = result.outcome.position.offset;
  if (publication.time_ms == 0) publication.time_ms = now_ms;
  if (options.version > 0) publication.version = options.version;
  result.publication = std::make_shared<const Publication>(std::move(publication));
  keep(row, *result.publication, options, now);
  remember(row, options, result.outcome, now);
  remember_version(row, options, now);
  save(name, row);
  return result;
}

std::optional<PublishOutcome> Tables::answer(const ChannelRow& row, const std::string& key, std::int64_t now) {
  Query query(database_, "SELECT ends, body FROM answer WHERE channel = ? AND key = ?");
  if (row.id == 0 || !query.bind(row.id).bind(key).row() || query.integer(0) <= now) return std::nullopt;
  auto outcome = open_answer(query.bytes(1), row.id, key, query.integer(0));
  if (!outcome) damaged();
  return outcome;
}

bool Tables::stale(const ChannelRow& row, const PublishOptions& options, std::int64_t now) {
  if (options.version == 0) return false;
  Query query(database_, "SELECT ends, body FROM version WHERE channel = ? AND epoch = ?");
  if (!query.bind(row.id).bind(options.version_epoch).row() || query.integer(0) <= now) return false;
  const auto newest = open_version(query.bytes(1), row.id, options.version_epoch, query.integer(0));
  if (!newest) damaged();
  return newest && options.version <= *newest;
}

void Tables::keep(ChannelRow& row, const Publication& publication, const PublishOptions& options, WallTime now) {
  if (!has_history(options)) {
    if (options.keep_latest) keep_latest(row, publication, options, now);
    return;
  }
  const std::int64_t ends = ends_after(now, options.history_ttl);
  if (row.history_ends > ends) {  // the time has become shorter: older ones never end later than newer ones
    Query(database_, "UPDATE publication SET ends = ?1 WHERE channel = ?2 AND ends > ?1").bind(ends).bind(row.id).run();
  }
  row.history_ends = ends;
  Query(database_, "INSERT INTO publication(channel, number, ends, body) VALUES(?, ?, ?, ?)")
      .bind(row.id)
      .bind(row_number(publication.offset))
      .bind(ends)
      .bind(seal(publication, "publication", row.id))
      .run();
  if (row.top > options.history_size) {
    Query(database_, "DELETE FROM publication WHERE channel = ? AND number <= ?")
        .bind(row.id)
        .bind(row_number(row.top - options.history_size))
        .run();
  }
  // The history's newest is newer than what was kept; it is kept beside it only to outlive the history.
  if (options.keep_latest) return keep_latest(row, publication, options, now);
  if (row.has_latest) Query(database_, "DELETE FROM latest WHERE channel = ?").bind(row.id).run();
  row.has_latest = false;
}

void Tables::keep_latest(ChannelRow& row, const Publication& publication, const PublishOptions& options, WallTime now) {
  const std::int64_t ends = ends_after(now, position_ttl(options.history_ttl, options.history_meta_ttl));
  Query(database_, "INSERT OR REPLACE INTO latest(channel, ends, body) VALUES(?, ?, ?)")
      .bind(row.id)
      .bind(ends)
      .bind(seal(publication, "latest", row.id))
      .run();
  row.has_latest = true;
  row.ends = std::max(row.ends, ends);
}

void Tables::remember(ChannelRow& row, const PublishOptions& options, const PublishOutcome& outcome, WallTime now) {
  if (options.idempotency_key.empty()) return;
  const std::int64_t ends = ends_after(now, options.idempotency_ttl);
  Query(database_, "INSERT OR REPLACE INTO answer(channel, key, ends, body) VALUES(?, ?, ?, ?)")
      .bind(row.id)
      .bind(options.idempotency_key)
      .bind(ends)
      .bind(seal(outcome, row.id, options.idempotency_key, ends))
      .run();
  row.ends = std::max(row.ends, ends);
}

void Tables::remember_version(ChannelRow& row, const PublishOptions& options, WallTime now) {
  if (options.version == 0) return;
  const std::int64_t ends = ends_after(now, options.history_meta_ttl);
  Query(database_, "INSERT OR REPLACE INTO version(channel, epoch, ends, body) VALUES(?, ?, ?, ?)")
      .bind(row.id)
      .bind(options.version_epoch)
      .bind(ends)
      .bind(seal_version(options.version, row.id, options.version_epoch, ends))
      .run();
  Query(
      database_,
      "DELETE FROM version WHERE rowid IN (SELECT rowid FROM version WHERE channel = ? ORDER BY ends DESC, rowid DESC "
      "LIMIT -1 OFFSET ?)")
      .bind(row.id)
      .bind(static_cast<std::int64_t>(version_epochs_per_channel))
      .run();
  row.ends = std::max(row.ends, ends);
}

void Tables::begin_stream_if_ended(ChannelRow& row, std::int64_t now) {
  if (!row.epoch.empty() && row.position_ends > now) return;
  row.epoch = new_epoch();
  row.top = 0;
  row.history_ends = 0;
  if (row.id != 0) Query(database_, "DELETE FROM publication WHERE channel = ?").bind(row.id).run();
}

StreamPosition Tables::begin_stream(const std::string& name, const HistoryQuery& query, WallTime now) {
  ChannelRow& row = channel(name);
  if (row.epoch.empty() || row.position_ends <= unix_ms(now)) {
    begin_stream_if_ended(row, unix_ms(now));
    row.position_ends = ends_after(now, position_ttl(query.history_ttl, query.history_meta_ttl));
    row.ends = std::max(row.ends, row.position_ends);
    save(name, row);
  }
  return {row.top, row.epoch};
}

void Tables::remove_history(const std::string& name) {
  ChannelRow& row = channel(name);
  if (row.id == 0) return;
  Query(database_, "DELETE FROM publication WHERE channel = ?").bind(row.id).run();
  Query(database_, "DELETE FROM latest WHERE channel = ?").bind(row.id).run();
  row.has_latest = false;
  row.history_ends = 0;
  save(name, row);
}

std::optional<History> Tables::history(const std::string& name, const HistoryQuery& query, std::int64_t now) {
  const ChannelRow& row = channel(name);
  if (row.epoch.empty() || row.position_ends <= now) return std::nullopt;
  History found{.publications = {}, .top = {row.top, row.epoch}};
  if (query.limit == 0) return found;
  const std::uint64_t since = query.since ? query.since->offset : query.reverse ? ~std::uint64_t{0} : 0;
  // Offsets stop short of the largest integer, so the exclusive bound of a backwards read loses nothing.
  Query rows(database_, query.reverse
                            ? "SELECT number, body FROM publication WHERE channel = ? AND number < ? AND ends > ? "
                              "ORDER BY number DESC LIMIT ?"
                            : "SELECT number, body FROM publication WHERE channel = ? AND number > ? AND ends > ? "
                              "ORDER BY number LIMIT ?");
  rows.bind(row.id).bind(row_number(since)).bind(now).bind(row_number(query.limit));
  while (rows.row()) {
    const auto offset = static_cast<std::uint64_t>(rows.integer(0));
    PublicationPtr publication = open_publication(rows.bytes(1), "publication", row.id, offset);
    const std::uint64_t before = found.publications.empty() ? 0 : found.publications.back()->offset;
    const bool hole = before != 0 && offset != (query.reverse ? before - 1 : before + 1);
    if (!publication || hole || offset > row.top) damaged();
    if (database_.failed()) break;
    found.publications.push_back(std::move(publication));
  }
  return found;
}

PublicationPtr Tables::newest_of(const ChannelRow& row, std::int64_t now) {
  Query query(database_,
              "SELECT number, body FROM publication WHERE channel = ? AND ends > ? ORDER BY number DESC LIMIT 1");
  if (row.id == 0 || row.position_ends <= now || !query.bind(row.id).bind(now).row()) return nullptr;
  PublicationPtr newest =
      open_publication(query.bytes(1), "publication", row.id, static_cast<std::uint64_t>(query.integer(0)));
  if (!newest) damaged();
  return newest;
}

PublicationPtr Tables::latest_of(const ChannelRow& row, std::int64_t now) {
  if (!row.has_latest) return newest_of(row, now);
  Query query(database_, "SELECT ends, body FROM latest WHERE channel = ?");
  if (!query.bind(row.id).row() || query.integer(0) <= now) return nullptr;
  PublicationPtr latest = open_publication(query.bytes(1), "latest", row.id, 0);
  if (!latest) damaged();
  return latest;
}

PublicationPtr Tables::latest(const std::string& name, std::int64_t now) { return latest_of(channel(name), now); }

void Tables::add_member(const std::string& name, const ClientInfo& info, std::int64_t ends, std::int64_t now) {
  ChannelRow& row = channel(name);
  if (row.id == 0 || row.ends < ends) {
    row.ends = std::max(ends, now) + channel_slack_ms;
    save(name, row);
  }
  Query(database_, "INSERT OR REPLACE INTO member(channel, client, ends, body) VALUES(?, ?, ?, ?)")
      .bind(row.id)
      .bind(info.client)
      .bind(ends)
      .bind(seal(info, row.id, ends))
      .run();
}

void Tables::remove_member(const std::string& name, const std::string& client) {
  const ChannelRow& row = channel(name);
  if (row.id != 0)
    Query(database_, "DELETE FROM member WHERE channel = ? AND client = ?").bind(row.id).bind(client).run();
}

Presence Tables::members(const std::string& name, std::int64_t now) {
  Presence found;
  const ChannelRow& row = channel(name);
  Query query(database_, "SELECT client, ends, body FROM member WHERE channel = ? AND ends > ?");
  query.bind(row.id).bind(now);
  while (row.id != 0 && query.row()) {
    const std::string client(query.bytes(0));
    auto info = open_member(query.bytes(2), row.id, client, query.integer(1));
    if (!info) damaged();
    if (info) found.insert_or_assign(client, std::move(*info));
  }
  return found;
}

}  // namespace fairlead::server::sqlite
