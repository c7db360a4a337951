// SPDX-License-Identifier: Apache-2.0
// Several reads or several writes of sockets in one call of the system. Entering the kernel by itself costs 0.1 to
// 1.3 µs (page-table isolation, virtual machines), which is what a whole short message costs otherwise.
#pragma once

#include "io/transfer.h"

#include <fairlead/bytes.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>

struct io_uring;

namespace fairlead::io {

// One for each loop; loop's thread only. The calls are handed over by io_uring, used as nothing but that: none waits
// for anything, and all are done when `run` returns. So it can be left away: unless it was allowed, and where the
// system has no io_uring (before Linux 5.19, or forbidden, as in most containers), each is a call of its own.
class Batch {
 public:
  // In one call. More gains little, and keeps those in front waiting.
  static constexpr std::size_t most = 32;
  static constexpr int lost = EIO;

  // Of non-blocking sockets, all of them different.
  struct Read {
    int descriptor = -1;
    MutableBytes into;
    Transferred done{};
  };
  struct Write {
    int descriptor = -1;
    Bytes from;
    More more = More::nothing;
    Transferred done{};
  };

  Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch();

  void allow() noexcept { allowed_ = true; }
  // Whether several are one call. The first time it finds out.
  [[nodiscard]] bool available() noexcept;
  // It has found out already, since several came at a time.
  [[nodiscard]] bool in_use() const noexcept { return ring_ != nullptr; }

  // At most `most`. Fills in `done`. One that the system took and then said nothing of, as it never should, has failed
  // with `lost`: nobody knows what became of it, so its connection has to end.
  void run(std::span<Read> reads) noexcept;
  void run(std::span<Write> writes) noexcept;

 private:
  struct Close {
    void operator()(io_uring* ring) const noexcept;
  };
  template <class Call>
  void run_all(std::span<Call> calls) noexcept;
  template <class Call>
  void run_together(std::span<Call> calls) noexcept;
  template <class Call>
  unsigned take_answers(std::span<Call> calls) noexcept;

  bool allowed_ = false;
  std::unique_ptr<io_uring, Close> ring_;
};

}  // namespace fairlead::io
