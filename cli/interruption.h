// SPDX-License-Identifier: Apache-2.0
// A client program that is told to end: it says goodbye to its server first.
#pragma once

#include <fairlead/connection.h>

#include <csignal>
#include <mutex>
#include <stop_token>
#include <thread>

#include "signals.h"

namespace fairlead::cli {

// SIGINT and SIGTERM close the connection (or call off opening it); the second one ends the program. Make it before any
// other thread starts.
class Interruption {
 public:
  Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

  void attach(const ConnectionHandle& handle);
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] bool happened() const { return stop_.stop_requested(); }

 private:
  void watch();

  Signals signals_{SIGINT, SIGTERM};  // before the thread
  std::mutex mutex_;
  std::stop_source stop_;
  ConnectionHandle handle_;
  std::thread thread_;
};

}  // namespace fairlead::cli
