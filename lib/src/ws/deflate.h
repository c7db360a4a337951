// SPDX-License-Identifier: Apache-2.0
// DEFLATE for permessage-deflate (RFC 7692 7.2), one direction each, and a pool of both for the connections of a loop.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>

#include "base/buffer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fairlead::ws {

// Memory that zlib has taken: for one direction of a connection, and for all that share `all`.
struct DeflateMemory {
  std::size_t bytes = 0;
  std::size_t* all = nullptr;  // null: nobody adds up; outlives this
};

// Compresses messages. Window bits are 8–15. zlib has no raw stream with 8: it is given 9, which is still right for a
// receiver with a window of 256 bytes, because zlib never refers back further than its window less 262 bytes (its
// MIN_LOOKAHEAD), that is 250 bytes. A test holds zlib to that.
class Deflater {
 public:
  Deflater(int level, int window_bits, std::size_t* all_bytes = nullptr);
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  // Appends the compressed form of one piece of a message to `out`. With `last`, the four bytes that every message
  // would end in are left off (RFC 7692 7.2.1), and the result is never empty.
  void compress(Bytes piece, bool last, Buffer& out);
  // Forgets what was compressed before: the next message stands for itself.
  void reset();

  [[nodiscard]] std::size_t held_bytes() const noexcept;
  [[nodiscard]] int level() const noexcept { return level_; }
  [[nodiscard]] int window_bits() const noexcept { return window_bits_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  int level_;
  int window_bits_;
};

// Inflates messages into the caller's memory, as much at a time as the caller has room for.
class Inflater {
 public:
  explicit Inflater(int window_bits, std::size_t* all_bytes = nullptr);
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool malformed = false;  // after what was produced
  };
  // Inflates from `in` to `out` until one of them is used up. When `out` was filled there may be more, even without
  // more input.
  [[nodiscard]] Step inflate(Bytes in, MutableBytes out);
  // The four bytes that the sender left off (RFC 7692 7.2.2), to be inflated after a message's last byte. Empty when
  // the message's last byte ended a final block: there the sender left off nothing.
  [[nodiscard]] Bytes tail() const noexcept;
  [[nodiscard]] static Bytes flush_tail() noexcept;
  // After the tail: whether the message was a whole number of DEFLATE blocks.
  [[nodiscard]] bool at_message_end() const noexcept;
  void reset();

  [[nodiscard]] std::size_t held_bytes() const noexcept;
  [[nodiscard]] int window_bits() const noexcept { return window_bits_; }

 private:
  struct Stream;
  [[nodiscard]] Step inflate_once(Bytes in, MutableBytes out);

  std::unique_ptr<Stream> stream_;
  int window_bits_;
};

// Lends (de)compressors to the connections of one loop: for a message when nothing has to be remembered between
// messages, else for the connection's life. Keeps a few idle ones. Not thread-safe; outlives its borrowers.
class DeflatePool {
 public:
  explicit DeflatePool(std::size_t keep = 4) noexcept : keep_(keep) {}

  [[nodiscard]] std::unique_ptr<Deflater> lend_deflater(int level, int window_bits);
  [[nodiscard]] std::unique_ptr<Inflater> lend_inflater(int window_bits);
  void take_back(std::unique_ptr<Deflater> deflater);
  void take_back(std::unique_ptr<Inflater> inflater);

  // Of all that are lent or idle.
  [[nodiscard]] std::size_t held_bytes() const noexcept { return *held_bytes_; }

  // Where one message is compressed before its size is known. Empty between calls.
  [[nodiscard]] Buffer& scratch() noexcept { return scratch_; }

 private:
  std::size_t keep_;
  std::unique_ptr<std::size_t> held_bytes_ = std::make_unique<std::size_t>(0);  // where borrowers find it for ever
  std::vector<std::unique_ptr<Deflater>> deflaters_;
  std::vector<std::unique_ptr<Inflater>> inflaters_;
  Buffer scratch_;
};

}  // namespace fairlead::ws
