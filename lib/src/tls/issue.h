// SPDX-License-Identifier: Apache-2.0
// Makes certificates: for the development CA, and for tests.
#pragma once

#include <fairlead/error.h>

#include <chrono>
#include <string>
#include <vector>

#include "tls/openssl.h"

namespace fairlead::tls {

struct CertificateRequest {
  std::string common_name;
  std::string organization;
  std::vector<std::string> alternative_names;     // as OpenSSL writes them: "DNS:localhost", "IP:127.0.0.1"
  std::vector<std::string> permitted_names;       // name constraints: "DNS:localhost", "IP:127.0.0.0/255.0.0.0"
  std::string extended_key_usage = "serverAuth";  // empty: no such extension
  bool is_ca = false;
  int path_length = 0;  // of a CA
  std::chrono::system_clock::time_point valid_from;
  std::chrono::system_clock::time_point valid_until;
};

struct Issued {
  X509Ptr certificate;
  KeyPtr key;
};

[[nodiscard]] KeyPtr make_p256_key();
// With a new ECDSA P-256 key. `issuer` null: self-signed.
[[nodiscard]] Result<Issued> issue(const CertificateRequest& request, const Issued* issuer);
// The same for a given key.
[[nodiscard]] Result<Issued> issue(const CertificateRequest& request, const Issued* issuer, KeyPtr key);

}  // namespace fairlead::tls
