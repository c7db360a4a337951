// SPDX-License-Identifier: Apache-2.0
#include "net/admission.h"

#include <utility>

namespace fairlead::net {

struct Admission::Place {
  Place(std::shared_ptr<Admission> from, std::string of) : admission(std::move(from)), key(std::move(of)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { admission->leave(key); }

  std::shared_ptr<Admission> admission;
  std::string key;
};

Result<std::shared_ptr<void>> Admission::enter(const io::Endpoint& peer) {
  std::string key = peer.count_key();
  {
    const std::scoped_lock lock(mutex_);
    if (total_ >= total_limit_) return fail(Errc::too_many_connections);
    // UNIX sockets have no address to count by: their file's permissions say who may connect.
    if (!key.empty()) {
      std::size_t& count = by_address_[key];
      if (count >= address_limit_) return fail(Errc::too_many_connections_per_address);
      ++count;
    }
    ++total_;
  }
  return std::make_shared<Place>(shared_from_this(), std::move(key));
}

void Admission::leave(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  --total_;
  if (key.empty()) return;
  const auto found = by_address_.find(key);
  if (--found->second == 0) by_address_.erase(found);
}

std::size_t Admission::connections() const {
  const std::scoped_lock lock(mutex_);
  return total_;
}

}  // namespace fairlead::net
