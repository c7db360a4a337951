// SPDX-License-Identifier: Apache-2.0
// One thread's sockets behind one epoll, and nothing else: the generator must be cheaper than any server that it
// measures.
#pragma once

#include <chrono>
#include <cstdint>

namespace fairlead::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  virtual ~Watched() = default;
  virtual void on_ready(std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void add(int socket, std::uint32_t events, Watched& watched);
  void change(int socket, std::uint32_t events, Watched& watched);

  // Until `done()` says so (true) or the time is up (false); it is asked after each round of events.
  template <class Done>
  bool run_until(TimePoint limit, Done done) {
    while (!done()) {
      const TimePoint now = Clock::now();
      if (now >= limit) return false;
      turn(limit - now);
    }
    return true;
  }

 private:
  void turn(Clock::duration longest);
  int epoll_;
};

}  // namespace fairlead::bench
