// SPDX-License-Identifier: Apache-2.0
#include "net/admission.h"

#include <utility>

namespace fairlead::net {

struct Admission::Place {
  Place(std::shared_ptr<Admission> from, Counted* of) noexcept : admission(std::move(from)), address(of) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { admission->leave(address); }

  std::shared_ptr<Admission> admission;
  Counted* address;  // null: not counted by address
};

Result<std::shared_ptr<void>> Admission::enter(const io::Endpoint& peer) {
  std::string key = peer.count_key();
  Counted* address = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    if (total_ >= total_limit_) return fail(Errc::too_many_connections);
    // UNIX sockets have no address to count by: their file's permissions say who may connect.
    if (!key.empty()) {
      address = &*by_address_.try_emplace(std::move(key)).first;
      if (address->second >= address_limit_) return fail(Errc::too_many_connections_per_address);
      ++address->second;
    }
    ++total_;
  }
  return std::make_shared<Place>(shared_from_this(), address);
}

void Admission::leave(Counted* address) {
  const std::scoped_lock lock(mutex_);
  --total_;
  if (address == nullptr || --address->second != 0) return;
  by_address_.erase(by_address_.find(address->first));
}

std::size_t Admission::connections() const {
  const std::scoped_lock lock(mutex_);
  return total_;
}

}  // namespace fairlead::net
