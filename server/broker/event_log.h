// SPDX-License-Identifier: Apache-2.0
// The sequenced, replayable stream of lifecycle events that a backend acknowledges, kept by the engine: in memory it is
// bounded, in a durable engine it survives the process. Threads and `done` as in broker.h.
#pragma once

#include "model/done.h"
#include "model/publication.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::server {

struct LifecycleEvent {
  std::uint64_t sequence = 0;  // given by the log: 1, 2, 3… without holes
  std::int64_t time_ms = 0;    // Unix time
  std::string kind{};          // connected disconnected subscribed unsubscribed channel_occupied channel_vacated
  std::string client{}, user{}, channel{};
  std::uint32_t code = 0;  // of a disconnect or unsubscribe
  std::string reason{};
  friend bool operator==(const LifecycleEvent&, const LifecycleEvent&) = default;
};

struct LifecycleEvents {
  std::vector<LifecycleEvent> events{};  // after the asked sequence, oldest first
  std::uint64_t newest = 0;              // the log's last sequence
  std::uint64_t acknowledged = 0;        // up to here the backend has them
  std::uint64_t lost_before = 0;         // > 0: events before this sequence were dropped unacknowledged (the bound)
};

class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual void append(LifecycleEvent event, Done<std::uint64_t> done) = 0;
  virtual void read(std::uint64_t after, std::size_t limit, Done<LifecycleEvents> done) = 0;
  // Everything up to `sequence` may be forgotten. Acknowledging less than before, or more than exists, is `invalid`.
  virtual void acknowledge(std::uint64_t sequence, Done<void> done) = 0;
};

}  // namespace fairlead::server
