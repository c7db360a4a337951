// SPDX-License-Identifier: Apache-2.0
// What the admin pages ask. Signed in by the configured password, then by a cookie that scripts cannot read; whatever
// changes something also needs the token that the sign-in gave and, when the browser says where it comes from, this
// very origin.
//
//   POST <prefix>/api/login          {"password":…} → 200 {"csrf":…} and the cookie; 401; 429 past five a minute
//   POST <prefix>/api/logout         204
//   GET  <prefix>/api/session        {"csrf":…} of the session that is open: pages that were loaded anew need it
//   GET  <prefix>/api/overview       connections, users, channels, totals, memory, uptime, days of certificates left
//   GET  <prefix>/api/limits         {"limits":[{"name":…,"value":…}]}
//   GET  <prefix>/api/certificates   {"certificates":[{…,"days_left":…}]}
//   POST <prefix>/api/call/<method>  as POST /api/<method> (api/core.h)
//
// The cookie is `__Host-fairlead-admin`, which browsers take over TLS alone. In cleartext nobody is signed in: the
// password could be read on its way. The exception is what comes from this machine, by loopback or a Unix socket, where
// the cookie is called `fairlead-admin`. So a proxy that ends TLS runs on the same machine, or speaks TLS to a secure
// listener; then the origin may be https although the request is not.
#pragma once

#include "admin/sign_in.h"
#include "api/control.h"
#include "api/core.h"

#include <fairlead/server.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

struct AdminLimit {
  std::string name;  // as in the configuration
  std::string value;
};
struct AdminCertificate {
  std::string subject, issuer, file;
  std::vector<std::string> names;
  std::int64_t not_after = 0;  // Unix seconds
};

struct AdminEnvironment {
  std::string password;
  std::string handler_prefix = "/admin";
  std::function<std::vector<AdminLimit>()> limits;              // thread-safe
  std::function<std::vector<AdminCertificate>()> certificates;  // thread-safe, must not block
  std::function<TimePoint()> clock = Clock::now;
  std::function<std::int64_t()> unix_seconds;  // unset: the system's
};

// The answers without sockets. Thread-safe.
class Admin {
 public:
  // `control` outlives it and its answers.
  Admin(Control& control, AdminEnvironment environment);

  using Done = std::function<void(Response)>;  // exactly once, on any thread, perhaps within the call
  // `path`: after "<prefix>/api/".
  void handle(std::string_view path, const Request& request, Done done);
  void replace_password(std::string password) { sign_in_.replace_password(std::move(password)); }

 private:
  [[nodiscard]] Response login(const Request& request);
  [[nodiscard]] Response logout(const Request& request, const AdminSession& session);
  void overview(Done done) const;
  [[nodiscard]] Response limits() const;
  [[nodiscard]] Response certificates() const;
  [[nodiscard]] std::int64_t now_seconds() const;

  Control* control_;
  AdminEnvironment environment_;
  SignIn sign_in_;
  ApiCore core_;
};

// Puts it on its paths, before `listen`. `control` outlives the server.
std::shared_ptr<Admin> add_admin(Server& server, Control& control, AdminEnvironment environment);

}  // namespace fairlead::server
