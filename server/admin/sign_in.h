// SPDX-License-Identifier: Apache-2.0
// Who is signed in to the admin pages: passwords tried, sessions open. Time is a parameter. Thread-safe.
#pragma once

#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

struct AdminSession {
  std::string token;  // of the cookie
  std::string csrf;   // of the field X-Fairlead-CSRF
};

class SignIn {
 public:
  static constexpr std::size_t attempts_per_minute = 5;  // of one address; of IPv6 by /64, which one host can fill
  static constexpr std::size_t attempts_per_minute_by_proxy = 100;  // of all together for whom one proxy asks
  static constexpr std::size_t addresses = 1'000;  // remembered; past it nobody new may try for a minute
  static constexpr std::size_t sessions = 64;      // the oldest ends past it
  static constexpr std::chrono::hours lifetime{8};

  explicit SignIn(std::string password) : password_(std::move(password)) {}

  enum class Refusal { wrong_password, too_many_attempts };
  struct Attempt {
    std::optional<AdminSession> session;
    Refusal refusal = Refusal::wrong_password;
  };
  // An empty configured password lets nobody in. Every attempt counts, also a right one. `proxy`: who says that this is
  // the address, when it is not seen.
  [[nodiscard]] Attempt attempt(std::string_view password, std::string_view address, TimePoint now,
                                std::optional<std::string_view> proxy = std::nullopt);
  // The open session that this cookie names.
  [[nodiscard]] std::optional<AdminSession> find(std::string_view token, TimePoint now);
  void end(std::string_view token);
  // Whoever signed in with another one has to do so again.
  void replace_password(std::string password);

 private:
  struct Open {
    AdminSession session;
    TimePoint until;
  };
  using Times = std::vector<TimePoint>;
  [[nodiscard]] bool may_try(std::string_view address, std::optional<std::string_view> proxy, TimePoint now);
  // Nothing when too many are remembered already.
  [[nodiscard]] Times* times_of(const std::string& who);
  void forget_old(TimePoint now);

  std::mutex mutex_;  // of what follows
  std::string password_;
  std::map<std::string, Times, std::less<>> tried_;  // within the last minute, by address or proxy
  std::vector<Open> open_;                           // oldest first
};

}  // namespace fairlead::server
