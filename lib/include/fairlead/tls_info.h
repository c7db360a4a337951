// SPDX-License-Identifier: Apache-2.0
// What a TLS handshake agreed on, for logs, pages and access decisions.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace fairlead {

// A certificate that was verified during the handshake.
struct CertificateInfo {
  std::string subject;  // RFC 2253 text
  std::string issuer;
  std::string common_name;
  std::vector<std::string> dns_names;     // subjectAltName dNSName entries
  std::vector<std::string> uris;          // subjectAltName URIs (SPIFFE and the like)
  std::vector<std::string> ip_addresses;  // subjectAltName iPAddress entries
  std::string serial;                     // hexadecimal
  std::string sha256;                     // fingerprint of the certificate, lower-case hexadecimal
  std::string spki_sha256;                // base64 of the SHA-256 of the public key (RFC 7469's pin)
  std::string not_before;                 // ISO 8601, UTC
  std::string not_after;
};

struct TlsInfo {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_128_GCM_SHA256"
  std::string group;        // "X25519"; empty when it is not known
  std::string alpn;         // "http/1.1"; empty when none was agreed on
  std::string server_name;  // SNI as the client sent it
  bool resumed = false;
  bool own_record_layer = false;  // Fairlead's record layer took over from OpenSSL's (fairlead/tls.h, RecordLayer)
  // The peer's certificate, only ever a verified one. A client always has it (unless verification was switched off), a
  // server when client certificates are asked for.
  std::shared_ptr<const CertificateInfo> peer_certificate;

  // Certificates are compared by identity.
  friend bool operator==(const TlsInfo&, const TlsInfo&) = default;
};

}  // namespace fairlead
