// SPDX-License-Identifier: Apache-2.0
// Log lines of the serving verbs, on stderr: time, level, what happened. Whoever reads them never holds up a loop.
#pragma once

#include <fairlead/log.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::cli {

enum class LogFormat : std::uint8_t {
  text,  // "2026-11-22T16:10:59.123Z info accepted …": control characters of the text are made visible
  json,  // {"time":"2026-11-22T16:10:59.123Z","level":"info","message":"accepted …"}
};

// With a newline.
[[nodiscard]] std::string log_line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text,
                                   LogFormat format = LogFormat::text);

// Writes lines to a descriptor from a thread of its own. `add` never waits: while the reader takes nothing, lines
// queue up to a limit, then they are dropped, and as soon as there is room a line says how many. Thread-safe.
class LogWriter {
 public:
  // The descriptor stays the caller's; it is not made non-blocking, since others may share it.
  explicit LogWriter(int descriptor, std::size_t queue_bytes = default_queue_bytes, LogFormat format = LogFormat::text);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  // What is queued is still written, for at most `farewell`: a reader that is stuck does not hold up the end.
  ~LogWriter();

  void add(LogLevel level, std::string_view text, std::chrono::system_clock::time_point now);

  static constexpr std::size_t default_queue_bytes = std::size_t{1024} * 1024;  // some ten thousand lines
  static constexpr std::chrono::milliseconds farewell{500};

 private:
  struct State;
  std::shared_ptr<State> state_;  // also the thread's, which may be stuck in a write when this object goes
};

// Each line from `least` on, through a LogWriter that the sink's copies share.
[[nodiscard]] LogSink log_to_stderr(LogLevel least, LogFormat format = LogFormat::text);

}  // namespace fairlead::cli
