// SPDX-License-Identifier: Apache-2.0
// The one place that says with which status the program ends, why, and what the person at the terminal can do about it.
#pragma once

#include <fairlead/close.h>
#include <fairlead/error.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::cli {

// Scripts rely on these numbers: never give one a new meaning.
enum class ExitStatus : std::uint8_t {
  ok = 0,
  failed = 1,
  usage = 2,
  bad_url = 3,
  dns = 4,
  unreachable = 5,
  timed_out = 6,
  certificate = 7,
  host_mismatch = 8,
  tls = 9,
  refused = 10,
  handshake = 11,
  protocol = 12,
  closed = 13,
  abnormal = 14,
  local_io = 15,
  over_limit = 16,
  interrupted = 130,  // as a shell says of SIGINT
};

struct StatusMeaning {
  ExitStatus status;
  std::string_view meaning;
};
// In ascending order; the help texts and man pages print it.
[[nodiscard]] std::span<const StatusMeaning> exit_statuses() noexcept;

[[nodiscard]] ExitStatus status_of(Errc code) noexcept;
// How a channel that had been open ended: 1000, 1001 and an empty close frame are fine, 1006 and the rest are not.
[[nodiscard]] ExitStatus status_of(const CloseInfo& close) noexcept;

// What to do about an error, one sentence; `http_status` is 0 when the server gave no HTTP answer.
[[nodiscard]] std::string advice(const Error& error, int http_status = 0);
// "1008 policy violation" and the like; the number alone when it has no registered meaning.
[[nodiscard]] std::string describe(CloseCode code);

}  // namespace fairlead::cli
