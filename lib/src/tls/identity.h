// SPDX-License-Identifier: Apache-2.0
// Our own certificate: read, and refused unless a client would accept it.
#pragma once

#include <fairlead/error.h>
#include <fairlead/tls.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tls/openssl.h"

namespace fairlead::tls {

struct Identity {
  X509Ptr leaf;
  std::vector<X509Ptr> issuers;  // in order, the leaf's own first; the root may be missing
  KeyPtr key;
  std::vector<unsigned char> staple;  // DER of an OCSP response; empty: none
  // When the staple ends to be of use, if it says so.
  std::optional<std::chrono::system_clock::time_point> staple_until;
  std::vector<std::string> dns_names;  // lower case; `*.` in front of a wildcard
};

struct IdentityRules {
  int minimum_rsa_bits = 2048;
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
};

// Key matches, chain in order, nothing expired or not yet valid, keys strong enough, staple good.
[[nodiscard]] Result<Identity> load_identity(const TlsIdentity& source, const IdentityRules& rules);

// Makes the SSL_CTX present it.
[[nodiscard]] Result<void> install(const Identity& identity, SSL_CTX* context);

}  // namespace fairlead::tls
