// SPDX-License-Identifier: Apache-2.0
// Why did a client not get a message? A bounded ring of what was decided about deliveries, asked by client and channel.
// Thread-safe; when it is full the oldest records go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

enum class TraceKind : std::uint8_t {
  published,   // in the channel, with its offset
  subscribed,  // from this offset on
  unsubscribed,
  refused,      // a subscribe, publish, … without permission
  filtered,     // by the tags filter of the subscription
  conflated,    // a newer one of the same key replaced it
  sampled,      // over the rate of the subscription
  dropped,      // the oldest of a full queue
  gap,          // the offset did not follow: the subscription was made anew
  slow,         // disconnected, too much was waiting
  recovered,    // sent when it came back
  unrecovered,  // no longer in the history when it came back
  disconnected,
};
[[nodiscard]] std::string_view name(TraceKind kind) noexcept;

struct TraceRecord {
  std::int64_t time_ms = 0;
  TraceKind kind = TraceKind::published;
  std::string client;  // empty: the channel as a whole
  std::string user;
  std::string channel;  // empty: the client as a whole
  std::uint64_t offset = 0;
  std::uint32_t code = 0;
  std::string detail;
};

struct TraceQuery {
  std::string client, user, channel;  // empty: any
  std::uint64_t offset = 0;           // 0: any
  std::size_t limit = 100;            // newest first
};
// One sentence that answers for a client, a channel and an offset, and the records that it rests on.
struct TraceAnswer {
  std::string
      verdict;  // delivered not_subscribed refused filtered conflated sampled dropped gap slow unrecovered unknown
  std::string sentence;
  std::vector<TraceRecord> records;
};

class TraceRing {
 public:
  explicit TraceRing(std::size_t records = 20'000);
  void add(TraceRecord record);
  [[nodiscard]] std::vector<TraceRecord> find(const TraceQuery& query) const;
  [[nodiscard]] TraceAnswer why(const TraceQuery& query) const;
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<TraceRecord> ring_;
  std::size_t next_ = 0;
};

}  // namespace fairlead::server
