// SPDX-License-Identifier: Apache-2.0
// A TCP connection to a name: resolve and race the addresses (Happy Eyeballs, RFC 8305).
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"

#include <fairlead/error.h>
#include <fairlead/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::io {

struct DialTimes {
  Duration dns;
  Duration tcp;                                               // from the first address on
  Duration next_address;                                      // RFC 8305 5: Connection Attempt Delay
  Duration resolution_delay = std::chrono::milliseconds(50);  // RFC 8305 3: how long IPv4 waits for IPv6's answer
};

// In which order addresses are tried (RFC 8305 4): the families by turns, IPv6 first. Pure.
[[nodiscard]] std::vector<Endpoint> interleave(std::vector<Endpoint> ipv6, std::vector<Endpoint> ipv4);

// One attempt. Destroying it calls it off and closes what was opened.
class Dialer {
 public:
  // Called once, on the loop, never inside the constructor: the connected non-blocking descriptor (yours now), or why
  // every address failed.
  using Done = std::function<void(Result<int> descriptor)>;

  // From `local` when it is given: addresses of the other family are left out then.
  Dialer(Loop& loop, const std::string& host, std::uint16_t port, const DialTimes& times, std::optional<Endpoint> local,
         Done done);
  // To one address, such as a UNIX socket.
  Dialer(Loop& loop, const Endpoint& endpoint, const DialTimes& times, Done done);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;
  ~Dialer();

 private:
  class Race;
  std::shared_ptr<Race> race_;
};

}  // namespace fairlead::io
