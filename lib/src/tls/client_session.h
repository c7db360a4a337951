// SPDX-License-Identifier: Apache-2.0
// A client's memory of its last connection to a server, so that the next one resumes.
#pragma once

#include <memory>
#include <mutex>
#include <string>

struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace fairlead::tls {

class ClientContext;

// Holds one ticket. It is handed out once (RFC 8446 C.4: a ticket used twice lets observers link connections) and only
// for the same name under the same context, since a session carries the verdict on the certificate with it.
// Make one per endpoint and hand it to each engine. Thread-safe.
class ClientSession {
 public:
  ClientSession() = default;
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;
  ~ClientSession();

  // True when the next connection can try to resume.
  [[nodiscard]] bool available() const;
  void forget();

  // Used by engines. `put` takes over the reference; `take` gives one or null.
  void put(std::shared_ptr<const ClientContext> context, std::string host, ssl_session_st* session);
  [[nodiscard]] ssl_session_st* take(const ClientContext& context, const std::string& host);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ClientContext> context_;
  std::string host_;
  ssl_session_st* session_ = nullptr;
};

}  // namespace fairlead::tls
