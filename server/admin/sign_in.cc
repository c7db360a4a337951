// SPDX-License-Identifier: Apache-2.0
#include "admin/sign_in.h"

#include "api/secrets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::size_t token_bytes = 32;  // 256 bits
constexpr std::chrono::minutes window{1};

// Who counts as one: an IPv4 address, or the 64 bits of an IPv6 network.
std::string network_of(std::string_view address) {
  constexpr std::size_t network_bytes = 8;
  std::array<char, sizeof(in6_addr)> bytes{};
  std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1 || text.starts_with("::ffff:")) return text;
  return {bytes.data(), network_bytes};
}

}  // namespace

void SignIn::forget_old(TimePoint now) {
  std::erase_if(open_, [now](const Open& open) { return open.until <= now; });
  for (auto& [address, times] : tried_) {
    std::erase_if(times, [now](TimePoint time) { return time + window <= now; });
  }
  std::erase_if(tried_, [](const auto& entry) { return entry.second.empty(); });
}

SignIn::Times* SignIn::times_of(const std::string& who) {
  if (const auto found = tried_.find(who); found != tried_.end()) return &found->second;
  if (tried_.size() >= addresses) return nullptr;
  return &tried_[who];
}

bool SignIn::may_try(std::string_view address, std::optional<std::string_view> proxy, TimePoint now) {
  Times* const of_proxy = proxy ? times_of("proxy " + std::string(*proxy)) : nullptr;
  if (proxy && (of_proxy == nullptr || of_proxy->size() >= attempts_per_minute_by_proxy)) return false;
  Times* const own = times_of(network_of(address));
  if (own == nullptr || own->size() >= attempts_per_minute) return false;
  own->push_back(now);
  if (of_proxy != nullptr) of_proxy->push_back(now);
  return true;
}

SignIn::Attempt SignIn::attempt(std::string_view password, std::string_view address, TimePoint now,
                                std::optional<std::string_view> proxy) {
  const std::scoped_lock lock(mutex_);
  forget_old(now);
  if (!may_try(address, proxy, now)) return {std::nullopt, Refusal::too_many_attempts};
  if (password_.empty() || !equal_secrets(password, password_)) return {std::nullopt, Refusal::wrong_password};
  if (open_.size() >= sessions) open_.erase(open_.begin());
  open_.push_back({{random_hex(token_bytes), random_hex(token_bytes)}, now + lifetime});
  return {open_.back().session, {}};
}

std::optional<AdminSession> SignIn::find(std::string_view token, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  forget_old(now);
  std::optional<AdminSession> found;
  for (const auto& open : open_) {
    if (equal_secrets(token, open.session.token)) found = open.session;
  }
  return found;
}

void SignIn::replace_password(std::string password) {
  const std::scoped_lock lock(mutex_);
  if (equal_secrets(password, password_)) return;
  password_ = std::move(password);
  open_.clear();
}

void SignIn::end(std::string_view token) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(open_, [token](const Open& open) { return equal_secrets(token, open.session.token); });
}

}  // namespace fairlead::server
