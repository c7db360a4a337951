// SPDX-License-Identifier: Apache-2.0
// Names to addresses without blocking, by c-ares on the loop.
#pragma once

#include "io/endpoint.h"
#include "io/loop.h"

#include <fairlead/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::io {

// One look-up of both families. Destroying it calls it off.
class Resolver {
 public:
  enum class Family : std::uint8_t { ipv4, ipv6 };
  // Called once for each family on the loop (without endpoints: the name has none of it), in the order in which the
  // answers come (RFC 8305 3: whoever connects need not wait for both). An empty list with an error when there is none.
  using Answer = std::function<void(Family family, Result<std::vector<Endpoint>> endpoints)>;

  // A numeric address is answered at once, before the constructor returns: only for its own family.
  Resolver(Loop& loop, const std::string& host, std::uint16_t port, Answer answer);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::io
