// SPDX-License-Identifier: Apache-2.0
// Lets calls in while an engine runs, and lets `stop` wait until the last one has come out again: only then is it true
// that nothing is called any more.
#pragma once

#include <atomic>
#include <cstdint>

namespace fairlead::server {

class Gate {  // closed at first
 public:
  // One call's stay inside; false when the gate was closed.
  class Visit {
   public:
    explicit Visit(Gate& gate) noexcept : gate_(gate.enter() ? &gate : nullptr) {}
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const noexcept { return gate_ != nullptr; }

   private:
    Gate* gate_;
  };

  void open() noexcept;
  // Returns when everybody has left. Not to be called by somebody who is inside.
  void close() noexcept;

 private:
  static constexpr std::uint64_t closed = std::uint64_t{1} << 63;  // the other bits count who is inside
  bool enter() noexcept;
  void leave() noexcept;
  std::atomic<std::uint64_t> state_{closed};
};

}  // namespace fairlead::server
