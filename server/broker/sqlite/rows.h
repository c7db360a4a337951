// SPDX-License-Identifier: Apache-2.0
// The bodies of rows: values of the model into sealed bytes and back. A read that answers nothing found a row that is
// not what was written.
#pragma once

#include "broker/broker.h"
#include "broker/event_log.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server::sqlite {

// A channel's row. `id` 0: not in the table.
struct ChannelRow {
  std::int64_t id = 0;
  std::int64_t ends = 0;
  std::string epoch;  // empty: no stream
  std::uint64_t top = 0;
  std::int64_t position_ends = 0;
  std::int64_t history_ends = 0;  // of the newest publication: none ends later
  bool has_latest = false;
};

struct LogState {
  std::uint64_t newest = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t first = 1;  // the first that is kept, or would be
};

[[nodiscard]] std::string seal(const ChannelRow& row, std::string_view name);
[[nodiscard]] std::optional<ChannelRow> open_channel(std::string_view body, std::string_view name);

// `place`: "publication" or "latest". The number in the history is a key of its row.
[[nodiscard]] std::string seal(const Publication& publication, std::string_view place, std::int64_t channel);
[[nodiscard]] PublicationPtr open_publication(std::string_view body, std::string_view place, std::int64_t channel,
                                              std::uint64_t offset);

[[nodiscard]] std::string seal(const PublishOutcome& outcome, std::int64_t channel, std::string_view key,
                               std::int64_t ends);
[[nodiscard]] std::optional<PublishOutcome> open_answer(std::string_view body, std::int64_t channel,
                                                        std::string_view key, std::int64_t ends);

[[nodiscard]] std::string seal_version(std::uint64_t version, std::int64_t channel, std::string_view epoch,
                                       std::int64_t ends);
[[nodiscard]] std::optional<std::uint64_t> open_version(std::string_view body, std::int64_t channel,
                                                        std::string_view epoch, std::int64_t ends);

[[nodiscard]] std::string seal(const ClientInfo& member, std::int64_t channel, std::int64_t ends);
[[nodiscard]] std::optional<ClientInfo> open_member(std::string_view body, std::int64_t channel,
                                                    std::string_view client, std::int64_t ends);

[[nodiscard]] std::string seal(const LifecycleEvent& event);
[[nodiscard]] std::optional<LifecycleEvent> open_event(std::string_view body, std::uint64_t sequence);

[[nodiscard]] std::string seal(const LogState& state);
[[nodiscard]] std::optional<LogState> open_log(std::string_view body);

[[nodiscard]] std::string seal_fact(std::string_view value, std::string_view section, std::string_view key,
                                    std::int64_t ends);
[[nodiscard]] std::optional<std::string> open_fact(std::string_view body, std::string_view section,
                                                   std::string_view key, std::int64_t ends);

[[nodiscard]] std::string seal_number(std::uint64_t number, std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> open_number(std::string_view body, std::string_view name);

}  // namespace fairlead::server::sqlite
