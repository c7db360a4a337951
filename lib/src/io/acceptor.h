// SPDX-License-Identifier: Apache-2.0
// A listening socket of one loop. Several loops listen on the same TCP port and the kernel shares the connections out.
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"
#include "io/socket.h"

#include <fairlead/error.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace fairlead::io {

class Acceptor final : private SocketEvents {
 public:
  // Binds and listens (SO_REUSEADDR, SO_REUSEPORT for TCP; a stale UNIX socket file that nobody listens on is replaced,
  // a live one is an error). IPv6's any-address takes IPv4 too. Nothing is accepted before `start`.
  [[nodiscard]] static Result<int> listen(const Endpoint& endpoint);
  // `listen` for the first of our sockets: an error when anybody listens there already, also where SO_REUSEPORT would
  // let us have a share of his connections.
  [[nodiscard]] static Result<int> claim(const Endpoint& endpoint);
  // Whether the machine has this address at all: false for IPv6 where it is switched off.
  [[nodiscard]] static bool has_address(Endpoint endpoint);
  [[nodiscard]] static Endpoint local_endpoint(int descriptor);
  // Makes a socket that listens already ours: checks that it is one, and sets what `listen` would have set. Closes it
  // on failure.
  [[nodiscard]] static Result<Endpoint> adopt(int descriptor);

  // Takes over a listening descriptor.
  Acceptor(Loop& loop, int descriptor);
  ~Acceptor();

  // False: the system watches no more, and no connection would be told of.
  [[nodiscard]] bool is_watched() const noexcept { return socket_.is_watched(); }

  // `accepted` takes over a non-blocking descriptor. Called on the loop.
  void start(std::function<void(int descriptor, const Endpoint& peer)> accepted);
  void stop();

 private:
  class Retry;
  void on_readable() override;
  void on_writable() override {}
  // One connection, or why there is none.
  enum class Outcome : std::uint8_t { accepted, none, unable, deaf };
  Outcome accept_one();
  [[nodiscard]] unsigned share_of_turn() noexcept;
  void try_later();

  Loop& loop_;
  Socket socket_;
  std::function<void(int, const Endpoint&)> accepted_;
  std::unique_ptr<Retry> retry_;
  unsigned at_once_ = 1;                            // connections accepted in a turn, if so many are there
  std::uint64_t told_in_turn_ = ~std::uint64_t{0};  // last; never yet
};

}  // namespace fairlead::io
