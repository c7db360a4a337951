// SPDX-License-Identifier: Apache-2.0
// Signals as values: one thread waits for them, no code runs in a handler.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

namespace fairlead::cli {

// From construction on the signals no longer do what they do by default. Make it before any other thread starts:
// threads inherit which signals are blocked.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> numbers);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  // The next signal, or nothing once `wake` has been called.
  [[nodiscard]] std::optional<int> wait();
  void wake();  // any thread

 private:
  int signal_descriptor_ = -1;
  int wake_descriptor_ = -1;
};

}  // namespace fairlead::cli
