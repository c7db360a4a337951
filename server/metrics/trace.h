// SPDX-License-Identifier: Apache-2.0
// Why did a client not get a message? Bounded rings of what was decided about deliveries, asked by client and channel.
// Thread-safe; when one is full its oldest records go. Coming and going has a ring of its own, so that publications,
// which are many, do not push it out; and what would decide and may have gone makes an answer `unknown`.
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
  refused,      // without permission; `detail` is the operation: connect, subscribe, publish
  filtered,     // by the tags filter of the subscription
  conflated,    // a newer one of the same key replaced it
  sampled,      // over the rate of the subscription
  dropped,      // the oldest of a full queue
  gap,          // the offset did not follow: the subscription was made anew
  slow,         // disconnected, too much was waiting
  recovered,    // when it came back it was sent what came after `since`, up to this offset
  unrecovered,  // no longer in the history when it came back
  disconnected,
};
[[nodiscard]] std::string_view name(TraceKind kind) noexcept;

// What was refused: the `detail` of such a record.
inline constexpr const char* refused_connect = "connect";
inline constexpr const char* refused_subscribe = "subscribe";
inline constexpr const char* refused_publish = "publish";

struct TraceRecord {
  std::int64_t time_ms = 0;
  TraceKind kind = TraceKind::published;
  std::string client;  // empty: the channel as a whole
  std::string user;
  std::string channel;  // empty: the client as a whole
  std::uint64_t offset = 0;
  std::uint32_t code = 0;
  std::string detail;
  std::uint64_t since = 0;  // of `recovered`
  std::int64_t taken_until_ms =
      0;  // of `slow`: when nothing waited for the client, as far as somebody looked; 0: never
};

struct TraceQuery {
  std::string client, user, channel;          // empty: any
  std::uint64_t offset = 0;                   // 0: any
  std::size_t limit = 100;                    // newest first
  std::vector<std::string> subscribed_now{};  // which of the clients are, right now; `why` alone asks
};
// One sentence that answers for a client, a channel and an offset, and the records that it rests on. Of several
// clients, when it was not asked about one, it answers for one that has it, else for one whose reason is known.
struct TraceAnswer {
  std::string
      verdict;  // delivered not_subscribed refused filtered conflated sampled dropped gap slow unrecovered unknown
  std::string sentence;
  std::vector<TraceRecord> records;
  std::string client{};  // for whom it answers; empty: nobody is known
};

class TraceRing {
 public:
  explicit TraceRing(std::size_t records = 20'000);  // of each of the two kinds
  void add(TraceRecord record);
  [[nodiscard]] std::vector<TraceRecord> find(const TraceQuery& query) const;
  [[nodiscard]] TraceAnswer why(const TraceQuery& query) const;
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Numbered {
    std::uint64_t number = 0;  // in the order in which they came, over both rings
    TraceRecord record;
  };
  struct Ring {
    std::vector<Numbered> records;
    std::size_t next = 0;               // the oldest, once it is full
    std::uint64_t forgotten_until = 0;  // the number of the newest that was pushed out
    void add(Numbered record, std::size_t capacity);
    [[nodiscard]] const Numbered& back(std::size_t age) const;  // 0: the newest
  };
  [[nodiscard]] std::vector<Numbered> find_numbered(const TraceQuery& query) const;

  std::size_t capacity_;
  mutable std::mutex mutex_;
  Ring standing_, deliveries_;  // who was there; what became of publications, and refusals
  std::uint64_t newest_ = 0;
};

}  // namespace fairlead::server
