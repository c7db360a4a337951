// SPDX-License-Identifier: Apache-2.0
// OpenSSL's side of the contexts, and what servers and clients have in common.
#pragma once

#include <fairlead/error.h>
#include <fairlead/tls.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/context.h"
#include "tls/failure.h"
#include "tls/identity.h"
#include "tls/key_log.h"
#include "tls/openssl.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {

// What OpenSSL's callbacks reach through SSL_CTX_get_app_data.
struct ContextSettings {
  std::vector<unsigned char> alpn;  // wire form: each name behind its length
  std::shared_ptr<TicketKeys> tickets;
  std::unique_ptr<KeyLog> key_log;
  std::vector<std::string> pins;
  bool verify_peer = false;
  bool resume = false;
  bool our_records = false;  // our record layer takes over after the handshake where it can
};

struct ServerContext::Body {
  struct Entry {
    SslContextPtr context;
    std::vector<unsigned char> staple;
    std::optional<std::chrono::system_clock::time_point> staple_until;
  };
  ContextSettings settings;
  std::vector<Entry> entries;  // the first is the default
  std::map<std::string, std::size_t, std::less<>> exact_names;
  std::map<std::string, std::size_t, std::less<>> wildcard_suffixes;  // ".example.com"
  std::vector<std::string> files;
  std::optional<std::chrono::system_clock::time_point> renew_at;  // of the development certificate

  // The entry for a name as the client sent it; the default for an unknown one.
  [[nodiscard]] const Entry& choose(std::string_view server_name) const;
};

struct ClientContext::Body {
  ContextSettings settings;
  SslContextPtr context;
  std::string server_name;
};

[[nodiscard]] inline const ContextSettings& settings_of(const SSL_CTX* context) {
  return *static_cast<const ContextSettings*>(SSL_CTX_get_app_data(context));
}

// An SSL_CTX with everything that has one right answer, see fairlead/tls.h. `settings` outlives it.
[[nodiscard]] Result<SslContextPtr> make_ssl_context(Side side, TlsProfile profile, int security_level,
                                                     const ContextSettings& settings);
[[nodiscard]] Result<std::vector<unsigned char>> alpn_wire_form(const std::vector<std::string>& protocols);
[[nodiscard]] Result<std::unique_ptr<KeyLog>> open_key_log(const std::string& path);  // null for an empty path

// A host as certificates hold it: without brackets, the root's dot, an IPv6 zone. May be empty.
[[nodiscard]] std::string bare_host(std::string_view host);

// Trusts these and nobody else.
[[nodiscard]] Result<void> trust(SSL_CTX* context, const PemSource& authorities);
[[nodiscard]] Result<void> check_revocation(SSL_CTX* context, const PemSource& lists);

}  // namespace fairlead::tls
