// SPDX-License-Identifier: Apache-2.0
// The buffers that all TLS engines of one loop share. At any moment they serve one engine, the active one.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/time.h>
#include <fairlead/tls_info.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "tls/record/key_cache.h"

struct bio_st;  // OpenSSL's BIO

namespace fairlead::tls {

class Engine;
class OpensslEngine;

// Room for four full records (each with its type behind it), so that a burst of large ones becomes one event, and a
// burst of small ones surely does.
inline constexpr std::size_t plain_scratch_bytes = std::size_t{64} * 1024 + 64;

// The certificates that a peer presented, in DER, its own first.
using DerChain = std::vector<std::string>;
// Output storage above this is given back once it has been drained: one huge message must not pin memory for ever.
inline constexpr std::size_t cipher_scratch_keep_bytes = std::size_t{1024} * 1024;

// Outlives the engines made with it. Not thread-safe; neither copied nor moved, since engines hold its address.
struct Scratch {
  explicit Scratch(std::size_t plain_bytes = plain_scratch_bytes);
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  [[nodiscard]] MutableBytes plain() const noexcept { return {plain_storage.get(), plain_capacity}; }

  // `bytes` of `cipher` were sent; when it is empty it is nobody's.
  void consume(std::size_t bytes);

  // The time, for the one rule of an engine that needs it; asked only when the peer sends what the rule counts. To be
  // replaced by tests.
  TimePoint (*clock)() = [] { return Clock::now(); };

  // Used by engines alone.
  std::unique_ptr<std::byte[]> plain_storage;  // NOLINT(modernize-avoid-c-arrays): raw storage
  std::size_t plain_capacity;
  Buffer cipher;                    // what the active engine wants sent
  Bytes unread;                     // ciphertext that OpenSSL may take, of the active engine
  bool starved = false;             // OpenSSL asked for more ciphertext than there is, as its last step
  OpensslEngine* active = nullptr;  // whose call is running
  const Engine* writer = nullptr;   // whose records `cipher` holds, while it is not empty
  record::KeyCache keys;
  // What the last connection agreed on and was shown: most connections of a loop share both.
  std::shared_ptr<const TlsInfo> last_info;
  std::shared_ptr<const DerChain> last_chain;
  bio_st* bio;  // reads from `unread`, writes to `cipher`; shared by all engines of the loop
};

}  // namespace fairlead::tls
