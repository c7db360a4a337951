// SPDX-License-Identifier: Apache-2.0
// How many connections there may be, in total and from one address. Shared by all loops of a server.
#pragma once

#include "io/endpoint.h"

#include <fairlead/error.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace fairlead::net {

// Thread-safe. Asked once for each accepted connection.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  Admission(std::size_t connections, std::size_t per_address)
      : total_limit_(connections), address_limit_(per_address) {}

  // A place, given back when the last copy of the token goes; or too_many_connections, or
  // too_many_connections_per_address.
  [[nodiscard]] Result<std::shared_ptr<void>> enter(const io::Endpoint& peer);
  [[nodiscard]] std::size_t connections() const;

 private:
  // An entry of the map: it stays where it is while somebody from that address is connected.
  using Counted = std::pair<const std::string, std::size_t>;
  struct Place;
  void leave(Counted* address);

  const std::size_t total_limit_;
  const std::size_t address_limit_;
  mutable std::mutex mutex_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
};

}  // namespace fairlead::net
