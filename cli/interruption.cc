// SPDX-License-Identifier: Apache-2.0
#include "interruption.h"

#include <unistd.h>

#include <optional>

namespace fairlead::cli {
namespace {

constexpr int killed_by_signal = 128;  // what shells add to a signal's number

}  // namespace

Interruption::Interruption() : thread_([this] { watch(); }) {}

Interruption::~Interruption() {
  signals_.wake();
  thread_.join();
}

void Interruption::attach(const ConnectionHandle& handle) {
  const std::lock_guard lock(mutex_);
  handle_ = handle;
  if (stop_.stop_requested()) (void)handle_.close(close_code::normal);
}

void Interruption::watch() {
  while (const std::optional<int> number = signals_.wait()) {
    if (stop_.stop_requested()) ::_exit(killed_by_signal + *number);
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    (void)handle_.close(close_code::normal);
  }
}

}  // namespace fairlead::cli
