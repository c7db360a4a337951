// SPDX-License-Identifier: Apache-2.0
#include "log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "terminal.h"

namespace fairlead::cli {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      break;
  }
  return "error";
}

Style style_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return Style::dim;
    case LogLevel::info:
      return Style::green;
    case LogLevel::warning:
      return Style::yellow;
    case LogLevel::error:
      break;
  }
  return Style::red;
}

std::string line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text, bool colour) {
  const auto since_1970 = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::string time = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                       fmt::gmtime(static_cast<std::time_t>(since_1970 / 1000)), since_1970 % 1000);
  return fmt::format("{} {} {}\n", time, styled(name_of(level), style_of(level), colour), harmless(text));
}

}  // namespace

std::string log_line(std::chrono::system_clock::time_point now, LogLevel level, std::string_view text) {
  return line(now, level, text, false);
}

LogSink log_to_stderr(LogLevel least) {
  return [least, colour = wants_colour(STDERR_FILENO)](LogLevel level, std::string_view text) {
    if (level < least) return;
    (void)write_all(STDERR_FILENO, line(std::chrono::system_clock::now(), level, text, colour));
  };
}

}  // namespace fairlead::cli
