// SPDX-License-Identifier: Apache-2.0
#include "tls/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace fairlead::tls {
namespace {

template <std::size_t size>
void fill_random(std::array<unsigned char, size>& out) {
  // Failing here means that the machine has no entropy at all: nothing can be sealed safely any more.
  FAIRLEAD_ASSERT(RAND_priv_bytes(out.data(), static_cast<int>(size)) == 1);
}

TicketKeys::Key fresh_key() {
  TicketKeys::Key key;
  fill_random(key.name);
  fill_random(key.cipher);
  fill_random(key.mac);
  return key;
}

}  // namespace

TicketKeys::TicketKeys(std::chrono::seconds life) : life_(life), current_(fresh_key()) {}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&current_, sizeof(current_));
  if (previous_) OPENSSL_cleanse(&*previous_, sizeof(Key));
}

void TicketKeys::rotate() {
  const std::lock_guard lock(mutex_);
  rotate_locked();
}

bool TicketKeys::rotate_if_due(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (!rotated_at_) rotated_at_ = now;
  if (now - *rotated_at_ < life_) return false;
  rotate_locked();
  rotated_at_ = now;
  return true;
}

void TicketKeys::rotate_locked() {
  previous_ = current_;
  current_ = fresh_key();
}

TicketKeys::Key TicketKeys::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char* name) const {
  const std::lock_guard lock(mutex_);
  // Names are public; only the keys behind them are secret, so an ordinary comparison does.
  const auto named = [name](const Key& key) { return std::equal(key.name.begin(), key.name.end(), name); };
  if (named(current_)) return Found{.key = current_, .current = true};
  if (previous_ && named(*previous_)) return Found{.key = *previous_, .current = false};
  return std::nullopt;
}

}  // namespace fairlead::tls
