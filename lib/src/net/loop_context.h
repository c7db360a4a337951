// SPDX-License-Identifier: Apache-2.0
// What one loop's connections share, and nobody else touches: buffers, entropy, compressors, the register of open
// channels, counters.
#pragma once

#include "base/buffer.h"
#include "base/entropy.h"
#include "io/loop.h"
#include "net/counters.h"
#include "net/doorway.h"
#include "net/mailbox.h"
#include "net/spawned.h"
#include "tls/scratch.h"
#include "ws/deflate.h"
#include "ws/settings.h"

#include <fairlead/log.h>
#include <fairlead/tls_info.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fairlead::net {

class Channel;
class ClientContexts;
class GroupPart;

// The most that one TLS record holds (RFC 8446 5.1).
inline constexpr std::size_t record_bytes = std::size_t{16} * 1024;
// What a receive call may bring at once; large enough that big messages need few calls, small enough for the L2 cache.
inline constexpr std::size_t receive_buffer_bytes = std::size_t{128} * 1024;

// One per loop, made before the first connection and destroyed after the last. Loop's thread only, except `counters`
// (relaxed atomics) and `mailbox`.
struct LoopContext {
  explicit LoopContext(io::Loop& owner);
  LoopContext(const LoopContext&) = delete;
  LoopContext& operator=(const LoopContext&) = delete;
  ~LoopContext();

  // The context of the loop whose callback is running; null outside of one.
  [[nodiscard]] static LoopContext* current() noexcept;

  // The same facts as one shared value: most connections of a loop agreed on the same.
  [[nodiscard]] std::shared_ptr<const TlsInfo> intern(TlsInfo info);

  // How much memory connections have of what the budget counts.
  [[nodiscard]] std::size_t budgeted_bytes() const noexcept;
  // Publishes it, when it has changed enough to matter.
  void publish_memory() noexcept;

  io::Loop& loop;
  Doorway doorway;  // of the streams whose handshake is not done
  SystemEntropy entropy;
  BufferPool buffers;
  ws::DeflatePool deflate;
  tls::Scratch tls;
  std::size_t tls_bytes = 0;                     // of all engines, about
  std::unique_ptr<std::byte[]> receive_storage;  // NOLINT(modernize-avoid-c-arrays): raw storage
  [[nodiscard]] MutableBytes receive_buffer() noexcept { return {receive_storage.get(), receive_buffer_bytes}; }
  std::array<std::byte, record_bytes> stage;  // where small pieces become one record
  ws::Resources resources;
  Counters counters;
  LogSink log;
  std::shared_ptr<Mailbox> mailbox;
  // Keeps channels alive until their stream has ended.
  std::unordered_map<Channel*, std::shared_ptr<Channel>> channels;
  std::unordered_set<GroupPart*> groups;  // that have, or had, members here
  // What the log line of an open WebSocket's end will tell; empty unless such lines are wanted.
  struct Logged {
    TimePoint opened{};
    std::uint64_t bytes_in = 0;  // of frames
    std::uint64_t bytes_out = 0;
  };
  std::unordered_map<const Channel*, Logged> logged;
  Spawned spawned;  // coroutines that nobody awaits
  std::unique_ptr<ClientContexts> clients;
  // Failed attempts whose streams still say goodbye.
  std::unordered_map<void*, std::shared_ptr<void>> lingering;
  std::shared_ptr<const TlsInfo> last_tls_info;
  std::function<void(std::size_t bytes)> on_memory_grown;  // asked for by a server: more was published, by so much
  // Memory is about to be given back: until then no channel delivers anything, since answers would cost more of it.
  bool short_of_memory = false;
  std::function<void()> on_idle;  // asked for by `run`: called when a coroutine or a channel has ended
};

}  // namespace fairlead::net
