// SPDX-License-Identifier: Apache-2.0
// Log lines of the serving verbs, on stderr: time, level, what happened.
#pragma once

#include <fairlead/log.h>

#include <chrono>
#include <string>
#include <string_view>

namespace fairlead::cli {

// "2026-11-22T16:10:59.123Z info accepted …", with a newline. Control characters of the text are made visible.
[[nodiscard]] std::string log_line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text);

// Writes each line from `least` on with one call, so lines of several threads do not mix.
[[nodiscard]] LogSink log_to_stderr(LogLevel least);

}  // namespace fairlead::cli
