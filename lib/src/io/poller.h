// SPDX-License-Identifier: Apache-2.0
// The sockets of one loop in an epoll set of their own, for which Asio waits as a whole. A socket that is waited for
// one by one costs Asio 400 bytes, and a system call for each wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct epoll_event;
namespace boost::asio {
class io_context;
}

namespace fairlead::io {

class Loop;
class Socket;

// Edges come from the system, waits from the sockets: a socket remembers an edge that nobody waited for. Loop's thread
// only; outlives its sockets.
class Poller {
 public:
  Poller(Loop& loop, boost::asio::io_context& context);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // For sockets alone. A descriptor that cannot be watched is told as readable at once: reading it says why.
  void add(Socket& socket, int descriptor);
  void remove(Socket& socket, int descriptor) noexcept;
  // Asks for a writable edge, now if it is writable already.
  void ask_writable(Socket& socket, int descriptor) noexcept;
  // `socket` has an edge that it has not used up: it is told in the next turn.
  void tell_again(Socket& socket);
  void began_to_wait();
  void ended_to_wait() noexcept;

 private:
  struct Waiting;  // what Asio needs

  void arm();
  void disarm_if_unused() noexcept;
  void post();
  void poll();
  void tell_edges();
  void tell_remembered();

  Loop& loop_;
  int set_;
  std::shared_ptr<Waiting> waiting_;
  std::span<epoll_event> edges_;  // that are being told; those of sockets that have gone are emptied
  std::vector<Socket*> again_;    // to be told in the next turn
  std::vector<Socket*> telling_;  // of the last one, likewise emptied
  std::size_t waits_ = 0;         // of all sockets
  bool armed_ = false;            // Asio waits
  bool posted_ = false;           // `poll` comes anyway
  bool polling_ = false;
};

}  // namespace fairlead::io
