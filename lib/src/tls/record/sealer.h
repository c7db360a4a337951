// SPDX-License-Identifier: Apache-2.0
// Record protection (RFC 8446 5.2): each direction's keys with their sequence number.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>

#include "base/buffer.h"
#include "tls/record/content.h"
#include "tls/record/key_cache.h"
#include "tls/record/traffic_keys.h"

namespace fairlead::tls::record {

// RFC 8446 5.5: with AES-GCM a key seals at most 2^24.5 full records.
inline constexpr std::uint32_t records_per_key = std::uint32_t{1} << 24U;
// A program of tests lowers it before its first connection, so that keys change all the time. Nothing else may write
// it, and no option and no public header leads to it.
inline std::uint32_t records_per_key_unless_a_test_lowers_it = records_per_key;

inline constexpr std::size_t overhead_bytes = header_bytes + 1 + tag_bytes;  // of a record without padding
// RFC 8446 5.4: the content, its type and its padding are at most 2^14 + 1 bytes; our ciphers add the tag and no more.
inline constexpr std::size_t sealed_limit_bytes = content_limit_bytes + 1 + tag_bytes;

// Keys, the number of the next record, and the cache's name for them.
struct Direction {
  Direction(Suite suite, Bytes secret, std::uint64_t next, KeyId name)
      : keys(suite, secret), sequence(next), id(name) {}

  // The next generation begins to count at zero (RFC 8446 5.3).
  void update(KeyCache& cache);
  // RFC 8446 5.3: sequence numbers must not wrap.
  [[nodiscard]] bool exhausted() const noexcept { return sequence == std::numeric_limits<std::uint64_t>::max(); }

  TrafficKeys keys;
  std::uint64_t sequence;
  KeyId id;
};

class Sealer {
 public:
  // `sequence`: how many records were sealed with this secret before.
  Sealer(KeyCache& cache, Suite suite, Bytes secret, std::uint64_t sequence)
      : direction_(suite, secret, sequence, cache.next_id()),
        records_each_key_(records_per_key_unless_a_test_lowers_it),
        records_left_(sequence < records_each_key_ ? records_each_key_ - static_cast<std::uint32_t>(sequence) : 1) {}

  // Appends one record. `content`: at most 2^14 bytes.
  void seal(KeyCache& cache, ContentType type, Bytes content, Buffer& out);
  // False: a KeyUpdate is due. It is itself a record, for which room is left.
  [[nodiscard]] bool may_seal() const noexcept { return records_left_ > 1; }
  void update(KeyCache& cache);
  void forget(KeyCache& cache) noexcept { cache.forget(direction_.id); }

  // For tests of the rekeying.
  void limit_records_per_key(std::uint32_t records) { records_left_ = records_each_key_ = records; }

 private:
  Direction direction_;
  std::uint32_t records_each_key_;
  std::uint32_t records_left_;  // at least one: a key that was used up before can still seal the KeyUpdate
};

class Opener {
 public:
  struct Content {
    ContentType type;
    std::size_t bytes;
  };

  Opener(KeyCache& cache, Suite suite, Bytes secret, std::uint64_t sequence)
      : direction_(suite, secret, sequence, cache.next_id()) {}

  // Opens a whole record, whose header was checked, into `out`, which is `opened_bytes(record)` long or longer. After a
  // fault nothing of the record is in `out`.
  [[nodiscard]] std::expected<Content, Fault> open(KeyCache& cache, Bytes record, MutableBytes out);
  [[nodiscard]] static std::size_t opened_bytes(Bytes record) noexcept;
  void update(KeyCache& cache) { direction_.update(cache); }
  void forget(KeyCache& cache) noexcept { cache.forget(direction_.id); }

 private:
  Direction direction_;
};

}  // namespace fairlead::tls::record
