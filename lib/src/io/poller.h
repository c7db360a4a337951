// SPDX-License-Identifier: Apache-2.0
// The sockets of one loop in an epoll set of their own. Who waits for the set is the loop's matter: own_wait.h,
// guest_wait.h.
#pragma once

#include "io/read_ahead.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

struct epoll_event;

namespace fairlead::io {

class Loop;
class Socket;

// Edges come from the system, waits from the sockets: a socket remembers an edge that nobody waited for. A socket that
// listens is told otherwise, in each turn that finds connections in its queue. Loop's thread only; outlives its
// sockets.
class Poller {
 public:
  explicit Poller(Loop& loop);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // For sockets alone. False: the system does not watch it, since it has no memory or watches too many already.
  [[nodiscard]] bool add(Socket& socket, int descriptor) noexcept;
  [[nodiscard]] bool add_listening(Socket& socket, int descriptor) noexcept;
  void tell_of_connections(Socket& socket, int descriptor, bool wanted) noexcept;
  void remove(Socket& socket, int descriptor) noexcept;
  // Asks for a writable edge, now if it is writable already.
  void ask_writable(Socket& socket, int descriptor) noexcept;
  // `socket` has an edge that it has not used up: it is told in the next turn.
  void tell_again(Socket& socket);
  void began_to_wait();
  void ended_to_wait() noexcept;

  // For who waits. Waits at most `timeout_ms` (negative: for ever) and tells the sockets; how many it told.
  std::size_t tell(int timeout_ms);
  [[nodiscard]] std::uint64_t turn() const noexcept { return turn_; }  // counted
  // Whether as many are ready as a turn takes: others are told of in later ones, those that listen too.
  [[nodiscard]] bool crowded() const noexcept { return crowded_; }
  [[nodiscard]] bool has_to_tell() const noexcept { return !again_.empty(); }
  [[nodiscard]] std::size_t waits() const noexcept { return waits_; }  // of all sockets
  [[nodiscard]] int set() const noexcept { return set_; }
  [[nodiscard]] ReadAhead& read_ahead() noexcept { return read_ahead_; }  // for sockets

 private:
  std::size_t tell_edges(int timeout_ms);
  void tell_group(std::span<const epoll_event> group);
  std::size_t tell_remembered();

  Loop& loop_;
  int set_;
  std::span<epoll_event> edges_;  // that are being told; those of sockets that have gone are emptied
  std::vector<Socket*> again_;    // to be told in the next turn
  std::vector<Socket*> telling_;  // of the last one, likewise emptied
  ReadAhead read_ahead_;
  std::size_t waits_ = 0;
  std::uint64_t turn_ = 0;
  bool crowded_ = false;
};

}  // namespace fairlead::io
