// SPDX-License-Identifier: Apache-2.0
// For tests that look at what a server logs.
#pragma once

#include <fairlead/log.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::net::testing {

// Keeps lines, "info refused …". Outlives what logs. Thread-safe.
class LogLines {
 public:
  [[nodiscard]] LogSink sink() {
    return [this](LogLevel level, std::string_view line) {
      constexpr std::string_view names[] = {"debug ", "info ", "warning ", "error "};
      const std::scoped_lock lock(mutex_);
      lines_.emplace_back(names[static_cast<std::size_t>(level)]).append(line);
    };
  }
  // How many lines have `part` in them.
  [[nodiscard]] int with(std::string_view part) {
    const std::scoped_lock lock(mutex_);
    int count = 0;
    for (const std::string& line : lines_) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::string all() {
    const std::scoped_lock lock(mutex_);
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace fairlead::net::testing
