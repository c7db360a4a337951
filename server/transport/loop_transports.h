// SPDX-License-Identifier: Apache-2.0
// What the links of one loop share: their deadlines behind one timer, and the work that waits for the end of the turn.
#pragma once

#include "transport/deadlines.h"
#include "transport/emulated_sessions.h"

#include <fairlead/loop.h>
#include <fairlead/time.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::server {

class Link;
class TransportHost;

// Made on its loop, used there alone; outlives the links.
class LoopTransports {
 public:
  LoopTransports(TransportHost& host, EmulatedSessions& emulated)
      : host_(host), emulated_(emulated), handle_(LoopHandle::current()) {}
  LoopTransports(const LoopTransports&) = delete;
  LoopTransports& operator=(const LoopTransports&) = delete;

  [[nodiscard]] TransportHost& host() noexcept { return host_; }
  [[nodiscard]] EmulatedSessions& emulated() noexcept { return emulated_; }
  [[nodiscard]] const LoopHandle& handle() const noexcept { return handle_; }

  // Calls `link.on_turn_end()` at the end of this turn, and keeps it until then.
  void defer(Link& link);
  void watch(Link& link, TimePoint deadline);
  void forget(Link& link) noexcept;
  // Where a message is put together; one user at a time.
  [[nodiscard]] std::string& scratch() noexcept { return scratch_; }

 private:
  void arm();
  void end_turn();

  TransportHost& host_;
  EmulatedSessions& emulated_;
  LoopHandle handle_;
  Deadlines deadlines_;
  LoopTimer timer_;
  std::optional<TimePoint> timer_at_;
  std::vector<std::shared_ptr<Link>> deferred_;
  std::string scratch_;
};

}  // namespace fairlead::server
