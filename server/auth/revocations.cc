// SPDX-License-Identifier: Apache-2.0
#include "auth/revocations.h"

#include "auth/gatekeeper.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

namespace fairlead::server {
namespace {

constexpr const char* token_table = "revoked_tokens";  // jti → until
constexpr const char* user_table = "revoked_users";    // user → issued before, until

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  return number;
}

Fault refused(FaultKind kind, std::string sentence) { return {kind, std::move(sentence)}; }

}  // namespace

void Revocations::load(Done<void> done) {
  store_.list(token_table, [this, done = std::move(done)](Outcome<std::map<std::string, std::string>> tokens) mutable {
    if (!tokens) return done(std::unexpected(tokens.error()));
    store_.list(user_table, [this, tokens = std::move(*tokens),
                             done = std::move(done)](const Outcome<std::map<std::string, std::string>>& users) {
      if (!users) return done(std::unexpected(users.error()));
      {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, text] : tokens) {
          std::string_view rest = text;
          if (const auto until = take_number(rest)) tokens_.insert_or_assign(id, *until);
        }
        for (const auto& [user, text] : *users) {
          std::string_view rest = text;
          const auto before = take_number(rest);
          const auto until = take_number(rest);
          if (before && until) users_.insert_or_assign(user, UserEntry{*before, *until});
        }
      }
      done({});
    });
  });
}

// Forgets what has ended when there is no room. Called with the lock.
bool Revocations::make_room(WallTime now) {
  if (tokens_.size() + users_.size() < entries_limit) return true;
  const std::int64_t time = seconds_of(now);
  std::erase_if(tokens_, [&](const auto& one) { return one.second <= time; });
  std::erase_if(users_, [&](const auto& one) { return one.second.until <= time; });
  return tokens_.size() + users_.size() < entries_limit;
}

void Revocations::revoke_token(const std::string& id, WallTime until, Done<void> done) {
  if (id.empty() || id.size() > name_limit_bytes)
    return done(std::unexpected(refused(FaultKind::invalid, "the id of the token is empty or too long")));
  std::int64_t last = seconds_of(until);
  {
    const std::lock_guard lock(mutex_);
    if (!make_room(std::chrono::system_clock::now()))
      return done(std::unexpected(refused(FaultKind::full, "too many tokens and users are revoked")));
    auto& entry = tokens_[id];
    entry = last = std::max(entry, last);
  }
  store_.put(token_table, id, std::to_string(last), WallTime{std::chrono::seconds(last)}, std::move(done));
}

void Revocations::revoke_user(const std::string& user, WallTime issued_before, WallTime until, Done<void> done) {
  if (user.empty() || user.size() > name_limit_bytes)
    return done(std::unexpected(refused(FaultKind::invalid, "the user is empty or too long")));
  UserEntry entry{seconds_of(issued_before), seconds_of(until)};
  {
    const std::lock_guard lock(mutex_);
    if (!make_room(std::chrono::system_clock::now()))
      return done(std::unexpected(refused(FaultKind::full, "too many tokens and users are revoked")));
    UserEntry& known = users_[user];
    known = entry = {std::max(known.issued_before, entry.issued_before), std::max(known.until, entry.until)};
  }
  store_.put(user_table, user, std::to_string(entry.issued_before) + " " + std::to_string(entry.until),
             WallTime{std::chrono::seconds(entry.until)}, std::move(done));
}

bool Revocations::is_revoked(const std::string& user, const std::string& token_id, std::int64_t issued_at,
                             WallTime now) const {
  const std::int64_t time = seconds_of(now);
  const std::lock_guard lock(mutex_);
  if (!token_id.empty()) {
    const auto token = tokens_.find(token_id);
    if (token != tokens_.end() && time < token->second) return true;
  }
  if (user.empty()) return false;
  const auto found = users_.find(user);
  // issued_at 0: it is not said, so it may have been before.
  return found != users_.end() && time < found->second.until && issued_at < found->second.issued_before;
}

bool Revocations::is_revoked(const Admitted& admitted, WallTime now) const {
  return is_revoked(admitted.user, admitted.token_id, admitted.issued_at, now);
}

std::size_t Revocations::size() const {
  const std::lock_guard lock(mutex_);
  return tokens_.size() + users_.size();
}

}  // namespace fairlead::server
