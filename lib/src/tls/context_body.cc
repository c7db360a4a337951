// SPDX-License-Identifier: Apache-2.0
#include "tls/context_body.h"

#include <array>

#include "tls/concat.h"
#include "tls/handshake_library.h"
#include "tls/openssl_engine.h"
#include "tls/pem.h"
#include "tls/record/fast_gcm.h"

namespace fairlead::tls {
namespace {

// Mozilla's guideline 6.0. AES-128 first in our own list, which a server does not enforce: a client that has no AES
// instructions knows best that it wants ChaCha20.
constexpr const char* suites_tls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* suites_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// The first that this OpenSSL knows: the hybrid with ML-KEM came with 3.5.
constexpr std::array<const char*, 2> group_lists{"X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384"};

bool set_groups(SSL_CTX* context) {
  for (const char* groups : group_lists) {
    if (SSL_CTX_set1_groups_list(context, groups) == 1) {
      ERR_clear_error();
      return true;
    }
  }
  return false;
}

void set_modes(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_LEGACY_SERVER_CONNECT |
                                     SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_clear_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_max_early_data(context, 0);  // RFC 8470: a replayed opening handshake would have its effects twice
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

void log_key(const SSL* ssl, const char* line) { settings_of(SSL_get_SSL_CTX(ssl)).key_log->append(line); }

}  // namespace

Result<SslContextPtr> make_ssl_context(Side side, TlsProfile profile, int security_level,
                                       const ContextSettings& settings) {
  // Whoever wants OpenSSL's records wants its key schedule as well.
  const SSL_METHOD* const method = side == Side::server ? TLS_server_method() : TLS_client_method();
  SslContextPtr context(SSL_CTX_new_ex(settings.our_records ? handshake_library(side) : nullptr, nullptr, method));
  if (context == nullptr) return fail_openssl(Errc::tls_configuration, "OpenSSL makes no context");
  const int lowest = profile == TlsProfile::modern ? TLS1_3_VERSION : TLS1_2_VERSION;
  SSL_CTX* raw = context.get();
  SSL_CTX_set_security_level(raw, security_level);
  if (SSL_CTX_set_min_proto_version(raw, lowest) != 1 || SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(raw, suites_tls13) != 1 || SSL_CTX_set_cipher_list(raw, suites_tls12) != 1 ||
      !set_groups(raw)) {
    return fail_openssl(Errc::tls_configuration, "OpenSSL refuses the TLS profile");
  }
  set_modes(raw);
  call_engines(raw);
  SSL_CTX_set_app_data(raw, const_cast<ContextSettings*>(&settings));  // NOLINT: read as const, see settings_of
  // The cipher's self-test takes some milliseconds: now, rather than in the loop of the first connection.
  if (settings.our_records) (void)record::fast_gcm_available();
  if (settings.key_log != nullptr) SSL_CTX_set_keylog_callback(raw, log_key);
  return context;
}

Result<std::vector<unsigned char>> alpn_wire_form(const std::vector<std::string>& protocols) {
  constexpr std::size_t longest_name = 255;  // RFC 7301 3.1: a length of one byte
  std::vector<unsigned char> wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > longest_name) {
      return fail(Errc::tls_configuration, "an ALPN name has 1 to 255 bytes");
    }
    wire.push_back(static_cast<unsigned char>(protocol.size()));
    wire.insert(wire.end(), protocol.begin(), protocol.end());
  }
  return wire;
}

Result<std::unique_ptr<KeyLog>> open_key_log(const std::string& path) {
  if (path.empty()) return nullptr;
  return KeyLog::open(path);
}

Result<void> trust(SSL_CTX* context, const PemSource& authorities) {
  const auto text = read_source(authorities, "CA file");
  if (!text) return std::unexpected(text.error());
  const auto certificates = parse_certificates(*text);
  if (!certificates) {
    return fail(Errc::tls_configuration,
                concat("CA file ", source_name(authorities), ": ", certificates.error().detail));
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& certificate : *certificates) X509_STORE_add_cert(store, certificate.get());
  // Whoever names an intermediate or a single certificate as the authority means just that one.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();  // the same certificate twice is no fault
  return {};
}

Result<void> check_revocation(SSL_CTX* context, const PemSource& lists) {
  const auto text = read_source(lists, "revocation list");
  if (!text) return std::unexpected(text.error());
  const auto crls = parse_crls(*text);
  if (!crls) {
    return fail(Errc::tls_configuration, concat("revocation list ", source_name(lists), ": ", crls.error().detail));
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const CrlPtr& crl : *crls) X509_STORE_add_crl(store, crl.get());
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);  // of the peer's own certificate
  ERR_clear_error();
  return {};
}

}  // namespace fairlead::tls
