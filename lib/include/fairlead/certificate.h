// SPDX-License-Identifier: Apache-2.0
// Looking at certificates, and making the one that a developer needs on the own machine.
#pragma once

#include <fairlead/error.h>
#include <fairlead/tls_info.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

// A certificate as `fairlead cert show` prints it.
struct CertificateDetails {
  CertificateInfo info;
  std::string key_type;  // "EC P-256", "RSA", "ED25519"
  int key_bits = 0;
  std::string signature_algorithm;  // "ecdsa-with-SHA256"
  std::vector<std::string> key_usages;
  std::vector<std::string> extended_key_usages;
  bool is_ca = false;
  bool self_signed = false;
  std::chrono::system_clock::time_point valid_from;
  std::chrono::system_clock::time_point valid_until;

  // Negative once it has expired.
  [[nodiscard]] std::chrono::days days_left(std::chrono::system_clock::time_point now) const {
    return std::chrono::floor<std::chrono::days>(valid_until - now);
  }
};

// Every certificate of a PEM text, in its order. Private keys and other blocks are skipped. An error when there is none
// or one does not parse.
[[nodiscard]] Result<std::vector<CertificateDetails>> inspect_pem(std::string_view pem);
[[nodiscard]] Result<std::vector<CertificateDetails>> inspect_file(const std::string& path);

// What a person should know about a chain before serving it, one sentence each; empty: nothing. Expired or nearly so
// (less than a third of its life left), out of order, weak key, no subjectAltName, not for servers.
[[nodiscard]] std::vector<std::string> chain_warnings(const std::vector<CertificateDetails>& chain,
                                                      std::chrono::system_clock::time_point now);

// ── The development certificate ─────────────────────────────────────────────────────────────────────────────────────
// A local CA (ECDSA P-256, may sign for localhost, *.localhost, 127.0.0.0/8 and ::1 alone, so that a stolen key cannot
// impersonate anything else) and a leaf of at most 90 days for localhost, 127.0.0.1 and ::1. Keys have mode 0600 in a
// directory of mode 0700.
struct DevelopmentCertificate {
  std::string directory;
  std::string ca_file;     // to be trusted
  std::string chain_file;  // to be served: the leaf
  std::string key_file;
  std::string ca_sha256;    // fingerprint, lower-case hexadecimal
  bool ca_created = false;  // this call made a new CA: it is to be trusted anew
  bool leaf_created = false;
  std::chrono::system_clock::time_point renew_at;  // from then on another call makes a new leaf
};

// Reuses what is in `directory` (empty: $XDG_DATA_HOME/fairlead, else ~/.local/share/fairlead); makes the CA when it is
// missing or about to expire, and the leaf when it is missing, was not signed by this CA, or has less than a third of
// its life left. Safe when several processes do it at once.
[[nodiscard]] Result<DevelopmentCertificate> ensure_development_certificate(std::string directory = {});

// Commands, for people, that make Debian (and what uses OpenSSL or GnuTLS there), Chromium and Firefox trust the CA,
// and undo it.
[[nodiscard]] std::string trust_instructions(const DevelopmentCertificate& certificate);

}  // namespace fairlead
