// SPDX-License-Identifier: Apache-2.0
// Where the library's log lines go. It writes nothing by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace fairlead {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// Called from any loop's thread, so it must be thread-safe. A line never holds a payload, a token or a query string; so
// of an exception of the application it holds the type, and what it says only with
// ServerOptions::dangerously_log_exceptions. Control characters in that and in paths are escaped.
// At `debug` there is a line for each WebSocket that opens and one for each that ends; see ServerOptions::log_from.
using LogSink = std::function<void(LogLevel, std::string_view line)>;

}  // namespace fairlead
