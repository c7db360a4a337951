// SPDX-License-Identifier: Apache-2.0
// How a server proves who it is and a client checks it. Plain values: nothing is read before a server or client starts,
// and whatever cannot be used is reported there, with the file and the reason.
//
//   fairlead::Server server({.tls = fairlead::Tls::files("cert.pem", "key.pem")});
//   fairlead::Server server({.tls = fairlead::Tls::development()});
//
// What is not an option, because it has one right answer: TLS 1.3 and 1.2 only; for 1.2 only ECDHE with AEAD ciphers;
// the client's order of ciphers; groups X25519MLKEM768 (where the OpenSSL at hand has it), X25519, P-256, P-384; no
// renegotiation, no compression, no early data (a WebSocket handshake must not be replayable, RFC 8470).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {

// NOLINTBEGIN(readability-redundant-member-init): without `{}` GCC warns callers who name only some members.

// Mozilla's two profiles.
enum class TlsProfile : std::uint8_t {
  intermediate,  // TLS 1.2 and 1.3 (default): everything that was updated in the last ten years
  modern,        // TLS 1.3 only
};

// What seals and opens records once the handshake is done. The handshake itself is always OpenSSL's; with `automatic`
// it derives its secrets through our HKDF over OpenSSL's hashes, and makes its X25519 keys by libsodium.
enum class RecordLayer : std::uint8_t {
  automatic,  // Fairlead's own for TLS 1.3: less time for each record, far less memory; OpenSSL's for TLS 1.2, and
              // where other providers of OpenSSL than the default one have been set up (FIPS)
  openssl,    // OpenSSL's for everything
};

enum class ClientCertificates : std::uint8_t {
  none,      // not asked for (default)
  request,   // asked for; a client without one is let in, one with a bad one is not
  required,  // the handshake fails without a good one
};

// PEM text, in a file (read when the server or client starts, and again when it changes) or in memory.
struct PemSource {
  std::string file{};
  std::string text{};  // used when `file` is empty

  [[nodiscard]] static PemSource from_file(std::string path) { return {.file = std::move(path)}; }
  [[nodiscard]] static PemSource from_text(std::string pem) { return {.text = std::move(pem)}; }
  [[nodiscard]] bool empty() const noexcept { return file.empty() && text.empty(); }
  friend bool operator==(const PemSource&, const PemSource&) = default;
};

// A certificate with its private key. `chain`: the certificate first, then each issuer of the one before; the root may
// be left out. The key must not be encrypted (protect the file instead) and may stand in the same file.
struct TlsIdentity {
  PemSource chain{};
  PemSource key{};
  std::string ocsp_file{};  // a DER OCSP response to staple; must say "good" for this certificate; empty: none

  friend bool operator==(const TlsIdentity&, const TlsIdentity&) = default;
};

// What a server shows to its clients. The four makers cover the usual cases; change what they return as you like.
struct Tls {
  // One certificate, in files: what certbot calls fullchain.pem and privkey.pem.
  [[nodiscard]] static Tls files(std::string chain, std::string key) {
    return several({{.chain = PemSource::from_file(std::move(chain)), .key = PemSource::from_file(std::move(key))}});
  }
  [[nodiscard]] static Tls pem(std::string chain, std::string key) {
    return several({{.chain = PemSource::from_text(std::move(chain)), .key = PemSource::from_text(std::move(key))}});
  }
  // Several certificates, chosen by the name that the client asks for.
  [[nodiscard]] static Tls several(std::vector<TlsIdentity> all) {
    Tls tls;
    tls.identities = std::move(all);
    return tls;
  }
  // For localhost, 127.0.0.1 and ::1, signed by a local CA that you may trust (`fairlead cert dev` says how).
  [[nodiscard]] static Tls development(std::string directory = {}) {
    Tls tls;
    tls.use_development_certificate = true;
    tls.development_directory = std::move(directory);
    return tls;
  }

  // The first is the default; the others are chosen by the client's SNI and their subjectAltName, exact names before
  // wildcards (`*.example.com` stands for one label).
  std::vector<TlsIdentity> identities{};

  // Use the development certificate (fairlead/certificate.h) when `identities` is empty; made when it is missing.
  bool use_development_certificate = false;
  std::string development_directory{};  // empty: $XDG_DATA_HOME/fairlead, else ~/.local/share/fairlead

  TlsProfile profile = TlsProfile::intermediate;

  ClientCertificates client_certificates = ClientCertificates::none;
  PemSource client_ca{};   // who may issue them; needed unless `none`: the system's store would let in the whole world
  PemSource client_crl{};  // revocation lists of those issuers; empty: not checked

  // Session tickets: no state on the server, and a resumed handshake costs a third of a full one. The keys live in
  // memory only and are replaced after `ticket_key_life`; a ticket is good for one to two of these. Short, because
  // whoever gets a ticket key reads the TLS 1.2 sessions resumed with it.
  bool tickets = true;
  std::chrono::seconds ticket_key_life{std::chrono::hours{12}};

  // Ours, best first; a client without ALPN is served, one without overlap not. (Not a braced list: g++ 12 cannot
  // compile one in a default argument inside a coroutine.)
  std::vector<std::string> alpn = std::vector<std::string>(1, "http/1.1");

  // How often certificate files are looked at for a change (stat, no read); zero: only when asked to reload.
  std::chrono::seconds watch_interval{10};

  // NSS key log for Wireshark. Whoever reads the file reads all traffic; the environment is never consulted. Created
  // with mode 0600.
  std::string key_log_file{};

  RecordLayer record_layer = RecordLayer::automatic;

  int security_level = 2;       // OpenSSL's: 2 = 112 bits, so RSA from 2048 and no SHA-1 signatures
  int minimum_rsa_bits = 2048;  // of our own certificates; Mozilla's and the CA/Browser Forum's floor
};

// What a client checks, and who it says it is. The defaults are right for every public server.
struct TlsClient {
  // Who may issue the server's certificate. Given: these alone; empty: the system's trust store.
  PemSource ca{};
  PemSource crl{};  // revocation lists; empty: not checked

  // The name that the certificate must carry and that is sent as SNI; empty: the URL's host. An IP address is compared
  // with the certificate's IP addresses and never sent.
  std::string server_name{};

  // Base64 SHA-256 of public keys (CertificateInfo::spki_sha256). When there are any, one certificate of the verified
  // chain must have one of these keys, besides everything else that is checked.
  std::vector<std::string> pins{};

  TlsIdentity identity{};  // our client certificate; empty: none

  TlsProfile profile = TlsProfile::intermediate;
  std::vector<std::string> alpn = std::vector<std::string>(1, "http/1.1");  // as for a server
  bool resume = true;          // keep the last session ticket for the next connection to the same server
  std::string key_log_file{};  // as for a server
  RecordLayer record_layer = RecordLayer::automatic;  // a client that resumes changes over when its ticket has come
  int security_level = 2;

  // Accepts ANY certificate: whoever sits on the way can read and change everything. Pins are still checked, against
  // the server's own key.
  bool dangerously_disable_certificate_verification = false;

  friend bool operator==(const TlsClient&, const TlsClient&) = default;
};

// NOLINTEND(readability-redundant-member-init)

}  // namespace fairlead
