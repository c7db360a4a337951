// SPDX-License-Identifier: Apache-2.0
// Descriptors that belong to somebody else, whose library reads and writes them: the loop only tells that they are
// ready. They are told level by level, in an epoll set of their own that lies in the loop's as one descriptor: so the
// sockets of the loop, which are told by edges, know nothing of them.
#pragma once

#include "io/socket.h"

#include <fairlead/error.h>

#include <optional>
#include <span>

struct epoll_event;

namespace fairlead::io {

class Watches;

// What a descriptor is ready for, or is to be told of.
struct Directions {
  bool read = false;
  bool write = false;
  [[nodiscard]] bool any() const noexcept { return read || write; }
};

// One descriptor. Destroying it ends the watch, also inside `on_ready`; it may outlive the loop.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  virtual ~Watch();

  [[nodiscard]] bool active() const noexcept { return owner_ != nullptr; }

 protected:
  // An error and the peer's hang-up are ready for both, whatever is wanted. An exception ends the program.
  virtual void on_ready(Directions ready) noexcept = 0;

 private:
  friend class Watches;
  Watches* owner_ = nullptr;
  Watch* previous_ = nullptr;
  Watch* next_ = nullptr;
  int descriptor_ = -1;
  Directions wanted_{};
};

// One for each loop; loop's thread only. The loop outlives it.
class Watches final : private SocketEvents {
 public:
  explicit Watches(Loop& loop) noexcept : loop_(loop) {}
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;
  ~Watches();  // those that are left fall silent

  // Fails where epoll does: a file, a descriptor that is watched already, too many.
  [[nodiscard]] Result<void> add(Watch& watch, int descriptor, Directions wanted);
  void change(Watch& watch, Directions wanted) noexcept;
  void remove(Watch& watch) noexcept;

 private:
  void on_readable() override;
  void on_writable() override {}
  [[nodiscard]] Result<void> open();
  void unlink(Watch& watch) noexcept;
  void count(const Directions& before, const Directions& now);

  Loop& loop_;
  int set_ = -1;  // once it is needed
  // `set_` in the loop's own set, while anything is wanted: nobody waits in vain on the caller's io_context.
  std::optional<Socket> socket_;
  std::size_t wanted_ = 0;  // watches that are to be told of something
  Watch* first_ = nullptr;
  std::span<epoll_event> told_;  // those of watches that have gone are emptied
};

}  // namespace fairlead::io
