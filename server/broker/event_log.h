// SPDX-License-Identifier: Apache-2.0
// The sequenced, replayable stream of lifecycle events that a backend acknowledges, kept by the engine: in memory it is
// bounded, in a durable engine it survives the process. Threads and `done` as in broker.h.
#pragma once

#include "model/done.h"
#include "model/publication.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server {

struct LifecycleEvent {
  std::uint64_t sequence = 0;  // given by the log: 1, 2, 3… without holes
  std::int64_t time_ms = 0;    // Unix time
  std::string kind{};          // connected disconnected subscribed unsubscribed channel_occupied channel_vacated…
  std::string client{}, user{}, channel{};
  std::uint32_t code = 0;  // of a disconnect or unsubscribe; how many events were lost
  std::string reason{};
  friend bool operator==(const LifecycleEvent&, const LifecycleEvent&) = default;
};

struct LifecycleEvents {
  std::vector<LifecycleEvent> events{};  // after the asked sequence, oldest first
  std::uint64_t newest = 0;              // the log's last sequence
  std::uint64_t acknowledged = 0;        // up to here the backend has them
  std::uint64_t lost_before = 0;         // > 0: events before this sequence were dropped unacknowledged (the bound)
};

// Two kinds are about the stream itself, and come whatever kinds were asked for:
// A process has begun, its node's name in `reason`. Whatever was open in the stream before has ended, told or not.
inline constexpr std::string_view node_started = "node_started";
// Where it stands events are missing, `code` of them: the engine could not take them.
inline constexpr std::string_view events_lost = "events_lost";
[[nodiscard]] inline bool is_about_the_stream(std::string_view kind) noexcept {
  return kind == node_started || kind == events_lost;
}

class EventLog {
 public:
  virtual ~EventLog() = default;
  void append(LifecycleEvent event, Done<std::uint64_t> done) {
    std::vector<LifecycleEvent> one;
    one.push_back(std::move(event));
    append_all(std::move(one), std::move(done));
  }
  // At least one, in this order, all of them or none. Answers with the last one's sequence.
  virtual void append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) = 0;
  virtual void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) = 0;
  // Everything up to `sequence` may be forgotten. Acknowledging less than before, or more than exists, is `invalid`.
  virtual void acknowledge(std::uint64_t sequence, Done<void> done) = 0;
};

}  // namespace fairlead::server
